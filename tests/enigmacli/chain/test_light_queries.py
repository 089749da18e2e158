"""Proven answers of the real application, behind headers signed in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from enigmacli.chain.answers import QueryAnswer
from enigmacli.chain.blocks import header_hash
from enigmacli.chain.light_client import GenesisRoot, LightClient
from enigmacli.chain.light_queries import VerifiedQueries
from enigmacli.chain.merkle import ProofOp
from enigmacli.chain.queries import Queries, Rpc
from enigmacli.chain.trust_store import TrustStore
from enigmacli.errors import NotFoundError, UntrustedAnswerError
from tests.enigmacli.app.chain import ALICE, BOB, EXCHANGE_PK, IO_PK, Chain
from tests.simulators.light_chain import CHAIN_ID, START_NS, LightChain


@dataclass
class Node:
    """An application whose blocks have headers; ``lie`` may change what it answers."""

    app: Chain = field(default_factory=lambda: Chain().start())
    headers: LightChain = field(default_factory=lambda: LightChain.of({0: 10}))
    lie: Callable[[QueryAnswer], QueryAnswer] = lambda answer: answer

    def make_block(self, *txs: bytes) -> None:
        self.headers.make_block(self.app.app_hashes[-1] if self.app.app_hashes else bytes(32))
        self.app.produce(txs)

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        got = self.app.query(path, data, height=height, prove=prove)
        return self.lie(
            QueryAnswer(
                code=got.code, log=got.log, key=got.key, value=got.value, height=got.height,
                codespace=got.codespace,
                proof=tuple(ProofOp(op.type, op.key, op.data) for op in got.proof_ops.ops),
            )
        )  # fmt: skip


class StandingClock:
    def now_ns(self) -> int:
        return START_NS

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        pytest.fail(f"waited for {seconds} s")


def asking(node: Node) -> VerifiedQueries:
    node.headers.step_ns = 1
    light = LightClient(
        CHAIN_ID, node.headers, GenesisRoot(1, START_NS, node.headers.first),
        TrustStore(None, CHAIN_ID, "", pytest.fail), StandingClock(),
        trusting_period_ns=None, timeout_s=1.0,
    )  # fmt: skip
    return VerifiedQueries(Queries(cast("Rpc", node)), light)


@pytest.fixture
def node() -> Node:
    """Bob is registered."""
    made = Node()
    made.headers.step_ns = 1
    made.make_block()
    made.make_block(made.app.register(BOB))
    made.make_block()
    made.make_block()
    return made


def test_everything_that_matters_is_proven(node: Node) -> None:
    chain = asking(node)

    asked: dict[str, Any] = {
        "account": chain.account(BOB.bech32).sequence,
        "balance": chain.balance(BOB.bech32, "uscrt"),
        "seed": chain.encrypted_seed(BOB.node_id),
        "owner": chain.node(BOB.node_id).owner,
        "epoch": chain.current_epoch(),
        "power": chain.power(ALICE.consensus_key),
        "keys": (chain.registration_key(), chain.tx_key()),
    }

    assert asked["account"] == 1
    assert asked["balance"] == node.app.balance(BOB)
    assert len(asked["seed"]) == 48
    assert (asked["owner"], asked["epoch"], asked["power"]) == (BOB.address, 0, 10)
    assert asked["keys"] == (EXCHANGE_PK, IO_PK)


def test_the_header_that_proved_the_answer_is_named(node: Node) -> None:
    chain = asking(node)
    chain.current_epoch()

    assert chain.verified is not None
    header = node.headers.blocks[chain.verified.height].header
    assert chain.verified.header_hash == header_hash(header)


def test_what_is_absent_is_said_and_not_proven(node: Node) -> None:
    chain = asking(node)
    chain.current_epoch()

    with pytest.raises(NotFoundError):
        chain.node(ALICE.node_id)
    assert chain.balance(ALICE.bech32, "other") == 0
    assert chain.verified is None


def test_an_answer_older_than_two_headers_is_refused(node: Node) -> None:
    old = node.abci_query("/store/params/key", b"\x01Epoch", prove=True)
    node.make_block(node.app.send(ALICE, BOB))
    for _ in range(3):
        node.make_block()
    node.lie = lambda _: old

    with pytest.raises(UntrustedAnswerError, match="too old"):
        asking(node).current_epoch()


def test_a_header_of_another_state_proves_nothing(node: Node) -> None:
    node.headers = LightChain.of({0: 10}, node.headers.height + 1, step_ns=1)

    with pytest.raises(UntrustedAnswerError, match="another app hash"):
        asking(node).current_epoch()


def test_the_header_behind_the_height_proves_it(node: Node) -> None:
    node.make_block(node.app.send(ALICE, BOB))
    changed_at = node.app.height
    node.make_block()
    chain = asking(node)

    assert chain.balance(BOB.bech32, "uscrt") == node.app.balance(BOB)
    assert chain.verified is not None
    assert chain.verified.height == changed_at + 1
