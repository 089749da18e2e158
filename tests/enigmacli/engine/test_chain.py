"""Restart after a crash at every step, and what does not belong together."""

from pathlib import Path

import pytest

from enigmacli import protobuf
from enigmacli.engine.app_connection import AppCallError
from enigmacli.engine.block_store import BlockStore
from enigmacli.engine.chain import HandshakeError
from enigmacli.engine.events import ChainReady
from tests.enigmacli.engine.chain_kit import Kit, make_genesis
from tests.enigmacli.engine.key_value_app import CrashError, KeyValueApp


def replayed(kit: Kit) -> list[int]:
    return [event.replayed for event in kit.events if isinstance(event, ChainReady)]


@pytest.mark.parametrize(
    ("crash", "where", "stored", "executed_again"),
    [
        ("crash_before", "prepare_proposal", 1, 0),
        ("crash_after", "process_proposal", 1, 0),
        ("crash_before", "finalize_block", 2, 1),
        ("crash_after", "finalize_block", 2, 1),
        ("crash_before", "commit", 2, 1),
        ("crash_after", "commit", 2, 0),
    ],
)
def test_a_crash_at_any_step_leaves_a_chain_that_goes_on(
    crash: str, where: str, stored: int, executed_again: int
) -> None:
    kit = Kit().start()
    kit.make()
    kit.send(b"x=1")
    setattr(kit.app, crash, where)
    with pytest.raises(CrashError):
        kit.producer.make_block()

    kit.restart().start()

    assert kit.store.height == stored
    assert replayed(kit)[-1] == executed_again
    assert kit.chain.state.height == stored
    assert kit.app.values == ({"x": "1"} if stored == 2 else {})
    following = kit.make()
    assert following.header.height == stored + 1
    assert following.header.app_hash == kit.app.app_hash(kit.app.values)


def test_a_crash_in_the_first_block_is_survived_too() -> None:
    kit = Kit().start()
    kit.app.crash_before = "finalize_block"
    with pytest.raises(CrashError):
        kit.make()

    kit.restart().start()

    assert kit.app.seen == ["info", "init_chain", "finalize_block", "commit"]
    assert kit.chain.state.height == 1
    assert kit.make().header.height == 2


def test_init_chain_comes_again_until_a_block_is_committed() -> None:
    kit = Kit().start()
    kit.restart().start()

    assert kit.app.seen == ["info", "init_chain"]
    assert kit.make().header.height == 1


def test_an_application_that_lost_its_state_executes_every_block_again() -> None:
    kit = Kit().start()
    kit.make()
    kit.make(b"x=1")
    kit.make(b"y=2")
    before = kit.app
    kit.app = KeyValueApp()

    kit.restart().start()

    assert replayed(kit)[-1] == 3
    assert kit.app.values == before.values
    assert kit.make().header.height == 4


def test_an_application_above_the_store_is_refused() -> None:
    kit = Kit().start()
    kit.make()
    kit.make()
    kit.store = BlockStore()

    with pytest.raises(HandshakeError, match="application is at height 2, the block store at 0"):
        kit.restart().start()


def test_an_application_with_another_state_is_refused() -> None:
    kit = Kit().start()
    kit.make()
    kit.app.values = {"x": "altered"}

    with pytest.raises(HandshakeError) as refused:
        kit.restart().start()

    assert refused.value.details["expected"] == kit.app.app_hash({}).hex()
    assert refused.value.details["seen"] == kit.app.app_hash(kit.app.values).hex()


def test_an_application_that_executes_otherwise_than_before_is_refused() -> None:
    kit = Kit().start()
    kit.make()
    kit.send(b"x=1")
    kit.app.crash_before = "commit"
    with pytest.raises(CrashError):
        kit.producer.make_block()
    kit.app.drift = "differently"

    with pytest.raises(HandshakeError, match="height 2"):
        kit.restart().start()


def test_another_genesis_under_the_same_store_is_refused() -> None:
    kit = Kit().start()
    kit.make()
    kit.app = KeyValueApp()
    kit.app.salt = "another program"

    with pytest.raises(HandshakeError, match="height 0"):
        kit.restart().start()


def test_a_stopped_chain_resumes_from_its_files(tmp_path: Path) -> None:
    path = tmp_path / "blocks.db"
    kit = Kit(store=BlockStore(path)).start()
    kit.make()
    made = kit.make(b"x=1")
    kit.store.close()

    kit.store = BlockStore(path)
    kit.restart().start()

    assert kit.chain.state.height == 2
    assert kit.chain.state.time_ns == made.header.time_ns
    assert kit.make().header.app_hash == kit.app.app_hash({"x": "1"})


def test_validators_of_the_future_survive_a_restart() -> None:
    kit = Kit(genesis=make_genesis({"a": 10})).start()
    kit.make()
    newcomer = "aa" * 32
    kit.make(f"power:{newcomer}=1".encode())
    before = kit.chain.state

    kit.restart().start()

    assert kit.chain.state == before
    assert len(kit.chain.state.next_validators.validators) == 2


@pytest.mark.parametrize(
    "tx", [b"power:" + b"aa" * 32 + b"=-1", b"power:" + b"aa" * 32 + b"=0"], ids=str
)
def test_an_impossible_validator_update_ends_the_process(tx: bytes) -> None:
    kit = Kit().start()
    kit.make()
    kit.send(tx)

    with pytest.raises(AppCallError):
        kit.producer.make_block()


def test_an_answer_of_another_kind_ends_the_process() -> None:
    kit = Kit()
    echo = protobuf.new("tendermint.abci.Response", echo={"message": "?"})
    kit.chain.app._handle = lambda _: bytes(echo.SerializeToString())

    with pytest.raises(AppCallError, match="answered info with echo"):
        kit.chain.start()


def test_a_chain_that_was_not_started_has_no_state() -> None:
    with pytest.raises(HandshakeError, match="not been started"):
        _ = Kit().chain.state
