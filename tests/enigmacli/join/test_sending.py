"""What becomes of a signed transaction, whatever the node does."""

from dataclasses import dataclass, field

import coincurve
import pytest

from enigmacli.chain import signing
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
from enigmacli.chain.messages import Coin, RaAuthenticate
from enigmacli.chain.results import TxResult
from enigmacli.chain.tx import tx_hash
from enigmacli.errors import ServiceUnavailableError, TxRejectedError, WaitTimeoutError
from enigmacli.join.sending import OFFER_AGAIN_S, Fate, settle
from tests.simulators.registering_chain import SimulatedAccount, SimulatedClock

KEY = coincurve.PrivateKey(b"\x01" * 32)
PUBLIC_KEY = KEY.public_key.format()
SENDER = address_of(PUBLIC_KEY)
ALICE = encode_address("enigma", SENDER)
SEQUENCE = 3
RAW = signing.build_and_sign(
    RaAuthenticate(SENDER, b"evidence"),
    sign=lambda message: signing.sign(KEY, message),
    public_key=PUBLIC_KEY,
    chain_id="net-1",
    account_number=1,
    sequence=SEQUENCE,
    gas_limit=400_000,
    fee=(Coin("uscrt", 1000),),
)
CACHED = TxRejectedError("in cache", details={"codespace": "sdk", "code": 19})
WRONG_SEQUENCE = TxRejectedError("wrong", details={"codespace": "sdk", "code": 32})
NOT_FRESH = TxRejectedError("too old", details={"codespace": "register", "code": 4})


@dataclass
class Node:
    """Answers as it is told."""

    sequence: int = SEQUENCE
    refusals: list[TxRejectedError | None] = field(default_factory=list)
    """Of each offer; the last one goes on."""
    included_after: float | None = None
    """Seconds of the clock after which a block holds the transaction."""
    code: int = 0
    down_until: float = 0.0
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    offers: list[bytes] = field(default_factory=list)

    def _answer(self) -> None:
        if self.clock.at_s < self.down_until:
            raise ServiceUnavailableError("the node did not answer")

    def account(self, address: str) -> SimulatedAccount:
        self._answer()
        assert address == ALICE
        return SimulatedAccount(1, self.sequence)

    def broadcast(self, raw: bytes, *, check: bool) -> BroadcastAnswer:
        self._answer()
        assert check
        self.offers.append(raw)
        at = min(len(self.offers), len(self.refusals)) - 1
        refusal = self.refusals[at] if self.refusals else None
        if refusal is not None:
            raise refusal
        return BroadcastAnswer(0, b"", "", "", tx_hash(raw))

    def find_tx(self, digest: bytes) -> TxAnswer | None:
        self._answer()
        assert digest == tx_hash(RAW)
        if self.included_after is None or self.clock.at_s < self.included_after:
            return None
        result = TxResult(code=self.code, codespace="register" if self.code else "")
        return TxAnswer(digest, 9, 0, result, RAW)


def after(seconds: float) -> float:
    return SimulatedClock().at_s + seconds


def test_a_transaction_that_a_block_holds_is_not_offered_again() -> None:
    node = Node(included_after=0)

    outcome = settle(RAW, ALICE, node, node.clock, 10)

    assert (outcome.fate, outcome.height, outcome.is_paid) == (Fate.INCLUDED, 9, True)
    assert node.offers == []


def test_it_is_offered_at_once_and_waited_for() -> None:
    node = Node(included_after=after(3))

    assert settle(RAW, ALICE, node, node.clock, 10).fate is Fate.INCLUDED
    assert node.offers == [RAW]


def test_a_node_that_lost_it_is_offered_the_same_bytes_again() -> None:
    node = Node(included_after=after(3 * OFFER_AGAIN_S))

    assert settle(RAW, ALICE, node, node.clock, 60).fate is Fate.INCLUDED
    assert len(node.offers) >= 3
    assert set(node.offers) == {RAW}


def test_one_that_waits_in_the_nodes_queue_is_waited_for() -> None:
    node = Node(refusals=[CACHED], included_after=after(2))

    assert settle(RAW, ALICE, node, node.clock, 10).fate is Fate.INCLUDED


def test_what_a_block_refused_was_paid_for() -> None:
    node = Node(included_after=0, code=3)

    outcome = settle(RAW, ALICE, node, node.clock, 10)

    assert (outcome.fate, outcome.is_paid) == (Fate.REFUSED, True)
    assert outcome.refusal is not None
    assert outcome.refusal.details["code"] == 3


def test_what_a_node_refuses_before_any_block_was_not_paid_for() -> None:
    node = Node(refusals=[NOT_FRESH])

    outcome = settle(RAW, ALICE, node, node.clock, 10)

    assert (outcome.fate, outcome.is_paid, outcome.refusal) == (Fate.REFUSED, False, NOT_FRESH)
    assert node.clock.naps == []


def test_a_number_that_the_transaction_itself_used_up_is_no_refusal() -> None:
    node = Node(refusals=[WRONG_SEQUENCE], sequence=SEQUENCE + 1, included_after=after(2))

    assert settle(RAW, ALICE, node, node.clock, 30).fate is Fate.INCLUDED


def test_a_number_that_another_transaction_used_up_supersedes_it() -> None:
    node = Node(refusals=[WRONG_SEQUENCE], sequence=SEQUENCE + 1)

    outcome = settle(RAW, ALICE, node, node.clock, 30)

    assert (outcome.fate, outcome.is_paid) == (Fate.SUPERSEDED, False)
    assert len(node.offers) == 2


def test_a_number_that_waits_in_the_nodes_queue_is_no_refusal() -> None:
    node = Node(refusals=[WRONG_SEQUENCE], included_after=after(2))

    assert settle(RAW, ALICE, node, node.clock, 30).fate is Fate.INCLUDED


def test_a_node_that_was_away_is_offered_it_when_it_is_back() -> None:
    node = Node(down_until=after(4), included_after=after(6))

    assert settle(RAW, ALICE, node, node.clock, 30).fate is Fate.INCLUDED
    assert node.offers == [RAW]


@pytest.mark.parametrize(("down_for", "state"), [(0, "not-included"), (1000, "unknown")])
def test_the_end_of_the_wait_says_what_is_known(down_for: float, state: str) -> None:
    node = Node(down_until=after(down_for))

    with pytest.raises(WaitTimeoutError) as caught:
        settle(RAW, ALICE, node, node.clock, 12)

    assert caught.value.details["state"] == state
    assert caught.value.details["tx_hash"] == tx_hash(RAW).hex().upper()
    assert node.clock.at_s <= after(12) + 1
