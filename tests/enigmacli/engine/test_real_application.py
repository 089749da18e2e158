"""The engine with the real state machine: admission, following, replay, crash."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from enclave.errors import EnclaveUnavailableError
from enigmacli import protobuf
from enigmacli.app.app_state import ValidatorEntry
from enigmacli.app.application import Application
from enigmacli.app.genesis import GenesisDocument, GenesisValidator, validate
from enigmacli.app.reasons import BootstrapNotJudged, Reason
from enigmacli.app.state import StateStore
from enigmacli.chain.address import encode_address
from enigmacli.chain.blocks import Block, encode_block
from enigmacli.chain.event_query import Window, parse_query
from enigmacli.chain.gas import fee_for
from enigmacli.chain.messages import Coin, Message, MsgSend, RaAuthenticate
from enigmacli.chain.signing import build_and_sign, sign
from enigmacli.chain.tx import is_confirm
from enigmacli.engine.app_connection import AppConnection
from enigmacli.engine.block_store import BlockStore
from enigmacli.engine.chain import Chain
from enigmacli.engine.embedded import Producer
from enigmacli.engine.events import Alarm, AppReason, NodeEvent
from enigmacli.engine.parts import describe
from enigmacli.engine.recheck import BackgroundRecheck
from enigmacli.engine.replay import Replayed, replay_store
from enigmacli.engine.validator_key import SignedBlock, Signer
from enigmacli.errors import ChainForkError, NotFoundError
from tests.enigmacli.app.chain import (
    ALICE,
    BOB,
    CHAIN_ID,
    EXCHANGE_PK,
    GENESIS_US,
    Person,
    genesis,
    policy,
)
from tests.enigmacli.app.simulated_enclave import SimulatedEnclave, evidence
from tests.enigmacli.engine.chain_kit import StillClock, make_key
from tests.enigmacli.engine.memory_source import MemorySource, make_follower

KEY = make_key("alice's validator")


def make_document() -> GenesisDocument:
    document = genesis({ALICE: 10})
    entry = ValidatorEntry(KEY.public_key, ALICE.address, EXCHANGE_PK)
    document = replace(
        document,
        validators=(GenesisValidator(KEY.public_key, 10),),
        app_state=replace(document.app_state, validators=(entry,)),
    )
    validate(document)
    return document


@dataclass
class RealKit:
    """A producing node with the real application and an enclave in memory."""

    genesis: GenesisDocument = field(default_factory=make_document)
    state: StateStore = field(default_factory=StateStore.memory)
    store: BlockStore = field(default_factory=BlockStore)
    enclave: SimulatedEnclave = field(default_factory=SimulatedEnclave)
    events: list[NodeEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = StillClock(GENESIS_US * 1_000 + 60_000_000_000)
        self.app = Application(self.state, self.enclave, self.enclave)
        self.chain = Chain(
            self.genesis, self.store, AppConnection(self.app.handle), self.events.append
        )

    def start(self) -> "RealKit":
        self.chain.start()
        signer = Signer(KEY, None)
        signer.resume(SignedBlock(self.chain.state.height, self.chain.state.block_id.hash))
        self.producer = Producer(self.chain, signer, self.clock, self.events.append)
        return self

    def make(self, *txs: bytes) -> Block:
        for tx in txs:
            checked = self.chain.mempool.check_tx(tx)
            assert checked.code == 0, checked.log
        block = self.producer.make_block()
        assert block is not None, self.app.take_reasons()
        return block

    def restart(self) -> "RealKit":
        return RealKit(self.genesis, self.state, self.store, self.enclave, self.events)

    def response(self) -> Any:
        """What executing the last block gave."""
        raw = self.store.result(self.chain.state.height)
        assert raw is not None
        return protobuf.parse("tendermint.abci.ResponseFinalizeBlock", raw)

    def codes(self) -> list[int]:
        return [result.code for result in self.response().tx_results]


def signed(kit: RealKit, person: Person, message: Message, sequence: int) -> bytes:
    gas = 400_000
    return build_and_sign(
        message,
        sign=lambda document: sign(person.key, document),
        public_key=person.public_key,
        chain_id=CHAIN_ID,
        account_number=kit.genesis.app_state.accounts.index(person.address),
        sequence=sequence,
        gas_limit=gas,
        fee=(fee_for(gas, policy().gas_price()),),
    )


def register(kit: RealKit, person: Person, sequence: int = 0) -> bytes:
    certificate = evidence(person.node_id, person.address)
    return signed(kit, person, RaAuthenticate(person.address, certificate), sequence)


def send(kit: RealKit, person: Person, sequence: int) -> bytes:
    to = encode_address("enigma", ALICE.address)
    return signed(kit, person, MsgSend(person.bech32, to, (Coin("uscrt", 5),)), sequence)


def grown() -> RealKit:
    kit = RealKit().start()
    kit.make()
    kit.make(register(kit, BOB), send(kit, ALICE, 0))
    kit.make(send(kit, BOB, 1))
    kit.make()
    return kit


def test_a_registration_gets_its_confirm_in_the_same_block() -> None:
    kit = RealKit().start()
    kit.make()

    block = kit.make(register(kit, BOB), send(kit, ALICE, 0))

    assert [is_confirm(tx) for tx in block.txs] == [False, True, False]
    assert kit.codes() == [0, 0, 0]
    assert kit.chain.mempool.size == 0


def test_a_registration_is_found_by_its_events() -> None:
    kit = grown()
    query = parse_query(f"message.module='register' AND message.node_id='0x{BOB.node_id.hex()}'")

    found = kit.store.events.find_txs(query, kit.chain.state.height, Window(0, 10))

    assert found == [(2, 0)]


def test_a_follower_with_its_own_state_reaches_the_same_app_hash() -> None:
    kit = grown()
    follower_kit = RealKit()
    follower_kit.chain.start()
    source = MemorySource(kit, chain_id=CHAIN_ID)  # type: ignore[arg-type]

    _, follower = make_follower(source, follower_kit)  # type: ignore[arg-type]
    follower.step()

    assert follower_kit.chain.state == kit.chain.state
    assert follower_kit.state.meta == kit.state.meta


def test_replaying_the_store_without_an_enclave_gives_the_same_app_hashes() -> None:
    kit = grown()
    notes: list[Reason] = []

    replayed = list(replay_store(kit.store, kit.genesis, notes.append))

    assert [run.height for run in replayed] == [1, 2, 3, 4]
    assert replayed[-1] == Replayed(4, kit.chain.state.app_hash)
    assert notes == [BootstrapNotJudged()]


def test_replay_finds_an_altered_block() -> None:
    kit = grown()
    row = kit.store.block(2)
    assert row is not None
    kit.store._writer.execute(
        "UPDATE blocks SET block = ? WHERE height = 2", (_without_txs(row.block),)
    )

    with pytest.raises(ChainForkError) as fork:
        list(replay_store(kit.store, kit.genesis, lambda _: None))

    assert fork.value.details["expected"] != fork.value.details["seen"]


def _without_txs(data: bytes) -> bytes:
    return encode_block(replace(Block.parse(data), txs=()))


def test_an_empty_store_has_nothing_to_replay() -> None:
    with pytest.raises(NotFoundError):
        list(replay_store(BlockStore(), make_document(), lambda _: None))


def test_a_crash_before_commit_is_survived_with_the_real_state() -> None:
    kit = RealKit().start()
    kit.make()
    tx = register(kit, BOB)
    assert kit.chain.mempool.check_tx(tx).code == 0
    handle = kit.chain.app._handle

    def crash(request: bytes) -> bytes:
        if request == b"\x5a\x00":  # Request.commit = 11
            raise InterruptedError
        return handle(request)

    kit.chain.app._handle = crash
    with pytest.raises(InterruptedError):
        kit.producer.make_block()
    kit = kit.restart().start()

    assert kit.chain.state.height == 2
    assert kit.codes() == [0, 0]
    after = kit.response().app_hash
    assert kit.make(send(kit, BOB, 1)).header.app_hash == after


def test_blocks_go_on_while_the_own_enclave_is_away() -> None:
    kit = RealKit().start()
    kit.make()
    tx = register(kit, BOB)
    assert kit.chain.mempool.check_tx(tx).code == 0
    kit.enclave.available = False

    assert kit.make().txs == ()

    kit.enclave.available = True
    assert len(kit.make().txs) == 2


def test_reasons_become_one_line_each() -> None:
    kit = RealKit().start()
    kit.make()
    assert kit.chain.mempool.check_tx(register(kit, BOB)).code == 0
    kit.enclave.available = False
    kit.make()

    lines = [describe(reason) for reason in kit.app.take_reasons()]

    assert any(line.startswith("enclave-unavailable ") for line in lines)
    assert all("\n" not in line for line in lines)


# --- background re-check ---------------------------------------------------------------------


class RecheckingEnclave:
    """Says whether a confirm is its own, or fails."""

    def __init__(self, *, answer: bool | Exception) -> None:
        self.answer = answer

    def recheck(self, *_: object) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(True, []), (False, [Alarm]), (EnclaveUnavailableError("dead"), [AppReason])],
    ids=["equal", "another", "no answer"],
)
def test_a_committed_confirm_is_compared_with_the_own_enclaves(
    *, answer: bool | Exception, expected: list[type]
) -> None:
    kit = RealKit().start()
    kit.make()
    kit.make(register(kit, BOB))
    (confirm,) = kit.app.committed_confirms(2)
    events: list[NodeEvent] = []
    recheck = BackgroundRecheck(RecheckingEnclave(answer=answer), events.append)

    recheck.add(2, confirm)
    recheck.start()
    recheck._queue.join()
    recheck.close()

    assert [type(event) for event in events] == expected
    if expected == [Alarm]:
        assert BOB.node_id.hex() in str(events[0])


def test_too_many_admissions_are_not_kept() -> None:
    kit = RealKit().start()
    kit.make()
    kit.make(register(kit, BOB))
    (confirm,) = kit.app.committed_confirms(2)
    events: list[NodeEvent] = []
    recheck = BackgroundRecheck(RecheckingEnclave(answer=True), events.append)

    for _ in range(1_001):
        recheck.add(2, confirm)
    recheck.close()

    assert [type(event) for event in events] == [AppReason]
