"""Following: everything is verified before anything is executed; nothing false is kept."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from enigmacli.chain.blocks import (
    Block,
    BlockFlag,
    Commit,
    CommitSig,
    commit_hash,
    data_hash,
    make_block_id,
)
from enigmacli.engine.events import CaughtUp, NodeEvent, SourceBack, SourceLost
from enigmacli.engine.follower import SourceSilentError
from enigmacli.engine.stopping import StoppedError
from enigmacli.errors import (
    ChainForkError,
    MalformedError,
    NotFoundError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)
from tests.enigmacli.engine.chain_kit import Kit, make_genesis, make_key
from tests.enigmacli.engine.key_value_app import KeyValueApp
from tests.enigmacli.engine.memory_source import MemorySource, make_follower, make_source, resign


def test_a_follower_comes_to_the_same_state() -> None:
    source = make_source()
    kit, follower = make_follower(source)

    assert follower.step()

    assert kit.chain.state == source.kit.chain.state
    assert kit.app.values == {"x": "1"}
    assert not follower.catching_up
    assert kit.events[-1] == CaughtUp(3, source.kit.chain.state.app_hash)
    assert not follower.step()


def test_a_follower_keeps_up_and_resumes_after_a_restart() -> None:
    source = make_source()
    kit, follower = make_follower(source)
    follower.step()
    source.kit.make(b"y=2")

    kit, follower = make_follower(source, kit.restart())
    follower.step()

    assert kit.chain.state.height == 4
    assert kit.app.values == {"x": "1", "y": "2"}


def test_validator_changes_are_followed() -> None:
    source = make_source()
    newcomer = make_key("b").public_key.hex()
    source.kit.make(f"power:{newcomer}=4".encode())
    for _ in range(3):
        source.kit.make()
    kit, follower = make_follower(source)

    follower.step()

    assert kit.chain.state == source.kit.chain.state
    assert len(kit.chain.state.validators.validators) == 2


def test_stored_blocks_can_be_served_on() -> None:
    source = make_source()
    kit, follower = make_follower(source)
    follower.step()

    third, second_follower = make_follower(MemorySource(kit))
    second_follower.step()

    assert third.chain.state == source.kit.chain.state


def altered_tx(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return (replace(block, txs=(b"x=666",)) if block.txs else block), commit


def altered_tx_and_hash(block: Block, commit: Commit) -> tuple[Block, Commit]:
    txs = (b"x=666",)
    return Block(replace(block.header, data_hash=data_hash(txs)), txs, block.last_commit), commit


def forged_signature(block: Block, commit: Commit) -> tuple[Block, Commit]:
    place = replace(commit.signatures[0], signature=bytes(64))
    return block, replace(commit, signatures=(place,))


def signed_by_another(block: Block, _commit: Commit) -> tuple[Block, Commit]:
    return resign(block, "stranger")


def own_validator_set(block: Block, _commit: Commit) -> tuple[Block, Commit]:
    stranger = Kit(genesis=make_genesis({"stranger": 10}), key=make_key("stranger")).start()
    made = stranger.make()
    return resign(
        replace(block, header=replace(made.header, height=block.header.height)), "stranger"
    )


def absent_votes(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return block, replace(commit, signatures=(CommitSig(BlockFlag.ABSENT),))


def no_votes(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return block, replace(commit, signatures=())


def another_height(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return replace(block, header=replace(block.header, height=9)), commit


def another_chain(block: Block, _commit: Commit) -> tuple[Block, Commit]:
    return resign(replace(block, header=replace(block.header, chain_id="other")))


def commit_of_another_height(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return block, replace(commit, height=commit.height + 1)


def another_version(block: Block, _commit: Commit) -> tuple[Block, Commit]:
    return resign(replace(block, header=replace(block.header, block_version=10)))


def last_commit_without_hash(block: Block, commit: Commit) -> tuple[Block, Commit]:
    return replace(block, last_commit=Commit(7)), commit


def evidence_hash(block: Block, _commit: Commit) -> tuple[Block, Commit]:
    return resign(replace(block, header=replace(block.header, evidence_hash=bytes(32))))


@pytest.mark.parametrize(
    "lie",
    [
        altered_tx, altered_tx_and_hash, forged_signature, signed_by_another, own_validator_set,
        absent_votes, no_votes, another_height, another_chain, commit_of_another_height,
        another_version, last_commit_without_hash, evidence_hash,
    ],
    ids=lambda lie: lie.__name__,
)  # fmt: skip
def test_a_lying_server_changes_nothing(
    lie: Callable[[Block, Commit], tuple[Block, Commit]],
) -> None:
    source = make_source()
    kit, follower = make_follower(source)
    follower._follow_one(1)
    source.lie = lie
    kit.app.seen.clear()

    with pytest.raises(UntrustedAnswerError) as refused:
        follower.step()

    assert not isinstance(refused.value, ChainForkError)
    assert (kit.store.height, kit.chain.state.height, kit.app.seen) == (1, 1, [])
    source.lie = MemorySource.lie
    follower.step()
    assert kit.chain.state == source.kit.chain.state


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app_hash", b"h" * 32),
        ("last_results_hash", b"h" * 32),
        ("next_validators_hash", b"h" * 32),
        ("consensus_hash", b"h" * 32),
        ("time_ns", 1_790_000_123_000_000_000),
        ("proposer_address", b"p" * 20),
        ("app_version", 9),
        ("last_block_id", make_block_id(Kit().start().make())),
    ],
)
def test_a_good_commit_for_another_outcome_is_a_fork(name: str, value: Any) -> None:
    source = make_source()
    kit, follower = make_follower(source)
    follower._follow_one(1)
    follower._follow_one(2)
    source.lie = lambda block, _: resign(
        replace(block, header=replace(block.header, **{name: value}))
    )
    kit.app.seen.clear()

    with pytest.raises(ChainForkError) as fork:
        follower.step()

    assert (kit.store.height, kit.app.seen) == (2, [])
    if name == "app_hash":
        assert fork.value.details["expected"] == kit.app.app_hash({"x": "1"}).hex()
        assert fork.value.details["seen"] == value.hex()


def test_a_program_that_executes_otherwise_sees_the_fork_in_the_next_header() -> None:
    source = make_source()
    kit, follower = make_follower(source)
    kit.app.drift = "differently"

    with pytest.raises(ChainForkError, match="block 3 carries another app_hash"):
        follower.step()

    assert kit.store.height == 2


def test_a_last_commit_of_strangers_is_refused() -> None:
    source = make_source()
    kit, follower = make_follower(source)
    follower._follow_one(1)

    def lie(block: Block, _commit: Commit) -> tuple[Block, Commit]:
        place = replace(block.last_commit.signatures[0], signature=bytes(64))
        last = replace(block.last_commit, signatures=(place,))
        header = replace(block.header, last_commit_hash=commit_hash(last))
        return resign(Block(header, block.txs, last))

    source.lie = lie

    with pytest.raises(UntrustedAnswerError, match="wrong signature"):
        follower.step()
    assert kit.store.height == 1


def test_an_initial_block_with_a_last_commit_is_refused() -> None:
    source = make_source()

    def lie(block: Block, _commit: Commit) -> tuple[Block, Commit]:
        last = Commit(5)
        return resign(replace(block, last_commit=last))

    source.lie = lie
    kit, follower = make_follower(source)

    with pytest.raises(UntrustedAnswerError, match="initial block"):
        follower.step()
    assert kit.store.height == 0


def test_another_chain_id_is_refused() -> None:
    _, follower = make_follower(make_source(chain_id="other-1"))

    with pytest.raises(UntrustedAnswerError) as refused:
        follower.step()

    assert refused.value.details == {"expected": "kit-1", "seen": "other-1"}


def test_another_genesis_is_refused() -> None:
    source = make_source()
    source.kit.genesis = make_genesis({"a": 11})
    kit, follower = make_follower(source)

    with pytest.raises(UntrustedAnswerError, match="another genesis"):
        follower.step()
    assert kit.store.height == 0


@pytest.mark.parametrize(
    "failure",
    [
        ServiceUnavailableError("gone"),
        MalformedError("cut off"),
        NotFoundError("not there any more"),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
def test_an_answer_that_fails_is_asked_for_again(failure: Exception, after: int) -> None:
    source = make_source()
    kit, follower = make_follower(source)
    good = source._called
    count = iter(range(100))

    def called(name: str) -> None:
        if next(count) == after:
            raise failure
        good(name)

    source._called = called  # type: ignore[method-assign]

    with pytest.raises(SourceSilentError):
        follower.step()
    follower.step()

    assert kit.chain.state == source.kit.chain.state


def test_the_loss_of_the_server_is_reported_and_survived() -> None:
    source = make_source()
    source.failures = [ServiceUnavailableError("gone"), ServiceUnavailableError("gone")]
    kit, follower = make_follower(source)
    stop = FastStop()
    events: list[NodeEvent] = []

    def hear(event: NodeEvent) -> None:
        events.append(event)
        if isinstance(event, CaughtUp):
            stop.set()

    follower._report = hear
    with pytest.raises(StoppedError):
        follower.run(stop)

    assert [type(event) for event in events] == [SourceLost, SourceLost, SourceBack, CaughtUp]
    waits = [event.retry_s for event in events if isinstance(event, SourceLost)]
    assert waits == [0.5, 1.0]
    assert stop.waited[:2] == [0.0, 0.5]
    assert kit.chain.state.height == 3


def test_the_pause_between_tries_has_an_end() -> None:
    _, follower = make_follower(make_source())

    waits = [follower._lost("gone") for _ in range(10)]

    assert waits[-1] == waits[-2] == 10.0
    assert follower.catching_up


class FastStop(threading.Event):
    """A stop whose waits take no time, and are written down."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        return self.is_set()


def test_a_bug_of_the_application_is_no_silent_source() -> None:
    source = make_source()
    kit, follower = make_follower(source)
    kit.app = KeyValueApp()

    def broken(_request: bytes) -> bytes:
        raise MalformedError("the application failed")

    kit.chain.app._handle = broken

    with pytest.raises(MalformedError, match="the application failed"):
        follower.step()
