"""Methods that ask the application or hand transactions on."""

from typing import Any, Final

from enigmacli import protobuf
from enigmacli.api import encoding
from enigmacli.api.heights import page_size
from enigmacli.api.jsonrpc import Method, Pace
from enigmacli.api.node_view import Chain, NodeView
from enigmacli.api.params import Param
from enigmacli.chain.answers import AbciInfo
from enigmacli.chain.results import TxResult
from enigmacli.chain.rpc_json import to_json

BROADCAST_METHODS: Final = ("broadcast_tx_async", "broadcast_tx_sync", "broadcast_tx_commit")


def methods(node: NodeView) -> dict[str, Method]:
    """The methods by name."""
    asker = AppAsker(node.chain)
    found = {
        "abci_info": Method(asker.abci_info),
        "abci_query": Method(
            asker.abci_query,
            (
                Param("path", "string", ""),
                Param("data", "hex", b""),
                Param("height", "int64", 0),
                Param("prove", "bool", default=False),
            ),
        ),
        "check_tx": Method(asker.check_tx, (Param("tx", "bytes", b""),), Pace.CHECK),
        "unconfirmed_txs": Method(asker.unconfirmed_txs, (Param("limit", "int64"),)),
        "num_unconfirmed_txs": Method(asker.num_unconfirmed_txs),
    }
    return found | {name: _broadcast(node, name) for name in BROADCAST_METHODS}


def _broadcast(node: NodeView, name: str) -> Method:
    pace = Pace.WAIT if name == "broadcast_tx_commit" else Pace.CHECK
    return Method(lambda tx: node.broadcaster.send(name, tx), (Param("tx", "bytes", b""),), pace)


class AppAsker:
    """Asks the application, never through consensus."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def abci_info(self) -> Any:
        """What the application says about itself."""
        info = self._chain.app.info()
        return {"response": {}} | to_json(
            AbciInfo(
                info.data,
                info.version,
                info.app_version,
                info.last_block_height,
                info.last_block_app_hash,
            )
        )

    def abci_query(self, path: str, data: bytes, height: int, *, prove: bool) -> Any:
        """One query of the application's committed state."""
        request = protobuf.new(
            "tendermint.abci.RequestQuery", path=path, data=data, height=height, prove=prove
        )
        return to_json(encoding.read_query_response(self._chain.app.call("query", request)))

    def check_tx(self, tx: bytes) -> Any:
        """CheckTx without adding to the mempool."""
        request = protobuf.new("tendermint.abci.RequestCheckTx", tx=tx)
        return to_json(TxResult.of(self._chain.app.call("check_tx", request)))

    def unconfirmed_txs(self, limit: int | None) -> Any:
        """The oldest waiting transactions."""
        txs = self._chain.mempool.oldest(page_size(limit))
        return self._unconfirmed([encoding.to_base64(tx) for tx in txs], len(txs))

    def num_unconfirmed_txs(self) -> Any:
        """How many transactions wait."""
        return self._unconfirmed(None, self._chain.mempool.size)

    def _unconfirmed(self, txs: list[str] | None, count: int) -> Any:
        mempool = self._chain.mempool
        return {
            "n_txs": str(count),
            "total": str(mempool.size),
            "total_bytes": str(mempool.size_bytes),
            "txs": txs,
        }
