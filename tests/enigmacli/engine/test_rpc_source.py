"""Following over JSON-RPC without a socket: server, encoding and client in one process."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from enigmacli.engine.events import CaughtUp
from enigmacli.engine.follower import Follower, SourceSilentError
from enigmacli.engine.rpc_source import RpcSource
from enigmacli.errors import TxRejectedError, UntrustedAnswerError
from tests.enigmacli.api.served import Served, grown
from tests.enigmacli.engine.chain_kit import Kit, make_key

Alter = Callable[[httpx.Response], httpx.Response]


class Link:
    """Carries requests from a client to a dispatcher, altering answers on the way."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.alter: Alter = lambda response: response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.served.dispatcher.answer_body(request.content)
        return self.alter(httpx.Response(answer.status, content=answer.body))


@pytest.fixture
def link() -> Link:
    return Link(grown())


@pytest.fixture
def source(link: Link) -> Iterator[RpcSource]:
    source = RpcSource("http://node:1", transport=httpx.MockTransport(link))
    yield source
    source.close()


def make_follower(source: RpcSource) -> tuple[Kit, Follower]:
    kit = Kit()
    kit.chain.start()
    return kit, Follower(kit.chain, source, kit.events.append)


def test_a_chain_is_followed_through_its_json_encoding(link: Link, source: RpcSource) -> None:
    kit, follower = make_follower(source)
    newcomer = make_key("b").public_key.hex()
    link.served.kit.make(f"power:{newcomer}=2".encode())
    for _ in range(3):
        link.served.kit.make()

    follower.step()

    assert kit.chain.state == link.served.kit.chain.state
    assert isinstance(kit.events[-1], CaughtUp)


def cut_off(response: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=response.content[: len(response.content) // 2])


def empty(_response: httpx.Response) -> httpx.Response:
    return httpx.Response(200)


def web_page(_response: httpx.Response) -> httpx.Response:
    return httpx.Response(502, text="<html>bad gateway</html>")


def without_result(_response: httpx.Response) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1})


def nested(_response: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=b"[" * 100_000)


def gone(_response: httpx.Response) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "alter", [cut_off, empty, web_page, without_result, nested, gone], ids=lambda one: one.__name__
)
def test_a_broken_answer_leaves_the_chain_as_it_was(
    link: Link, source: RpcSource, alter: Alter
) -> None:
    kit, follower = make_follower(source)
    link.alter = alter

    with pytest.raises(SourceSilentError):
        follower.step()
    assert kit.store.height == 0

    link.alter = lambda response: response
    follower.step()
    assert kit.chain.state == link.served.kit.chain.state


def replace_in(name: str, value: Any) -> Alter:
    """Put ``value`` at every member called ``name``."""

    def walk(document: Any) -> Any:
        if isinstance(document, dict):
            return {key: value if key == name else walk(item) for key, item in document.items()}
        return [walk(item) for item in document] if isinstance(document, list) else document

    return lambda response: httpx.Response(200, json=walk(json.loads(response.content)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app_hash", "AB" * 32), ("chain_id", "other"), ("txs", ["eD02NjY="]),
        ("signature", "AA" * 32), ("validators_hash", "AB" * 32), ("signatures", []),
        ("network", "other-1"), ("power", "11"), ("proposer_address", "AB" * 20),
    ],
)  # fmt: skip
def test_an_altered_member_is_never_executed(
    link: Link, source: RpcSource, name: str, value: Any
) -> None:
    kit, follower = make_follower(source)
    link.alter = replace_in(name, value)

    with pytest.raises((UntrustedAnswerError, SourceSilentError)):
        follower.step()

    assert kit.store.height == 0
    assert kit.app.finalized == []


def test_a_genesis_that_is_none_is_refused(link: Link, source: RpcSource) -> None:
    _, follower = make_follower(source)
    link.alter = replace_in("app_state", {"unknown": 1})

    with pytest.raises(UntrustedAnswerError, match="genesis is malformed"):
        follower.step()


def test_transactions_are_handed_on(link: Link, source: RpcSource) -> None:
    answer = source.broadcast("broadcast_tx_sync", b"y=1")

    assert answer["code"] == 0
    assert link.served.kit.chain.mempool.reap(-1, -1) == [b"y=1"]
    with pytest.raises(TxRejectedError, match="tx already exists in cache"):
        source.broadcast("broadcast_tx_sync", b"y=1")
