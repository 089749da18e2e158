"""Methods that search: transactions and blocks by their events, a page at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from enigmacli.api.chain_methods import ChainReader
from enigmacli.api.heights import page_bounds
from enigmacli.api.jsonrpc import Method, Pace
from enigmacli.api.node_view import NodeView
from enigmacli.api.params import Param
from enigmacli.api.rpc_error import RpcError
from enigmacli.chain.event_query import SearchTooLongError, Window, parse_query
from enigmacli.errors import MalformedError

_QUERY: Final = Param("query", "string", "")
_PAGES: Final = (
    Param("page", "int64"),
    Param("per_page", "int64"),
    Param("order_by", "string", ""),
)


def methods(node: NodeView) -> dict[str, Method]:
    """The methods by name."""
    search = Search(node)
    return {
        "tx_search": Method(
            search.txs, (_QUERY, Param("prove", "bool", default=False), *_PAGES), Pace.SEARCH
        ),
        "block_search": Method(search.blocks, (_QUERY, *_PAGES), Pace.SEARCH),
    }


class Search:
    """Answers from the index of events, up to the last committed height."""

    def __init__(self, node: NodeView) -> None:
        self._chain = node.chain
        self._reader = ChainReader(node)

    def txs(
        self, query: str, page: int | None, per_page: int | None, order_by: str, *, prove: bool
    ) -> Any:
        """A page of the transactions that a query finds, with their results."""
        events, latest = self._chain.store.events, self._chain.state.height
        with _as_rpc_errors():
            conditions = parse_query(query)
            total = events.count_txs(conditions, latest)
            window = _window(page, per_page, order_by or "asc", total)
            places = events.find_txs(conditions, latest, window)
        found = [self._reader.tx_at(height, index, prove=prove) for height, index in places]
        return {"txs": found, "total_count": str(total)}

    def blocks(self, query: str, page: int | None, per_page: int | None, order_by: str) -> Any:
        """A page of the blocks that a query finds."""
        events, latest = self._chain.store.events, self._chain.state.height
        with _as_rpc_errors():
            conditions = parse_query(query)
            total = events.count_blocks(conditions, latest)
            window = _window(page, per_page, order_by or "desc", total)
            heights = events.find_blocks(conditions, latest, window)
        found = [self._reader.block(height) for height in heights]
        return {"blocks": found, "total_count": str(total)}


@contextmanager
def _as_rpc_errors() -> Iterator[None]:
    try:
        yield
    except (MalformedError, SearchTooLongError) as error:
        raise RpcError.internal(str(error)) from error


def _window(page: int | None, per_page: int | None, order_by: str, total: int) -> Window:
    if order_by not in ("asc", "desc"):
        raise RpcError.internal("expected order_by to be either `asc` or `desc` or empty")
    first, end = page_bounds(page, per_page, total)
    return Window(first, end - first, order_by == "desc")
