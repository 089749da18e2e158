"""The producer: real headers and commits, in the right order, never two for one height."""

import hashlib
import threading
from itertools import pairwise

import pytest

from enigmacli.chain.block_time import from_timestamp
from enigmacli.chain.blocks import (
    EMPTY_HASH,
    Block,
    BlockFlag,
    Commit,
    commit_hash,
    make_block_id,
)
from enigmacli.chain.light import verify_adjacent, verify_commit, verify_initial
from enigmacli.engine.events import BlockCommitted, ProducerStopped
from enigmacli.engine.stopping import StoppedError
from tests.enigmacli.engine.chain_kit import GENESIS_US, Kit, make_genesis, make_key


def headers_and_commits(kit: Kit) -> list[tuple[Block, Commit]]:
    rows = [kit.store.block(height) for height in range(1, kit.store.height + 1)]
    return [(Block.parse(row.block), Commit.parse(row.seen_commit)) for row in rows if row]


def test_the_first_block_carries_genesis_time_and_an_empty_last_commit() -> None:
    kit = Kit().start()

    block = kit.make()

    assert block.header.time_ns == GENESIS_US * 1_000
    assert block.last_commit == Commit()
    assert block.header.last_commit_hash == EMPTY_HASH
    assert block.header.app_hash == kit.app.app_hash({})
    assert block.header.last_results_hash == EMPTY_HASH
    assert block.header.evidence_hash == EMPTY_HASH
    assert (block.header.block_version, block.header.app_version) == (11, 0)
    assert block.header.proposer_address == kit.key.address


def test_a_light_client_follows_the_chain_from_genesis() -> None:
    kit = Kit().start()
    kit.make()
    kit.clock.move(1)
    kit.make(b"x=1")
    kit.clock.move(1)
    kit.make()
    validators = kit.chain.state.validators
    now_ns = kit.clock.ns

    pairs = headers_and_commits(kit)

    first, commit = pairs[0]
    verify_initial(
        "kit-1", validators, first.header, commit,
        initial_height=1, genesis_time_ns=GENESIS_US * 1_000, now_ns=now_ns,
    )  # fmt: skip
    trusted = first.header
    for block, seen in pairs[1:]:
        verify_adjacent(trusted, validators, block.header, seen, now_ns=now_ns)
        trusted = block.header


def test_a_blocks_time_is_the_time_of_its_last_commit() -> None:
    kit = Kit().start()
    kit.make()
    kit.clock.move(3)

    block = kit.make()

    votes = block.last_commit.signatures
    assert [vote.time_ns for vote in votes] == [kit.clock.ns] == [block.header.time_ns]
    verify_commit(
        "kit-1", kit.chain.state.validators, block.header.last_block_id, 1, block.last_commit
    )


def test_block_time_rises_by_a_millisecond_when_the_clock_stands_or_goes_back() -> None:
    kit = Kit().start()
    kit.make()
    times = [kit.make().header.time_ns]
    kit.clock.move(-3600)
    times += [kit.make().header.time_ns, kit.make().header.time_ns]

    assert [after - before for before, after in pairwise(times)] == [
        1_000_000,
        1_000_000,
    ]


def test_the_results_of_a_block_stand_in_the_next_header() -> None:
    kit = Kit().start()
    kit.make()
    made = kit.make(b"x=1", b"fail=")
    following = kit.make()

    assert made.txs == (b"x=1", b"fail=")
    assert following.header.app_hash == kit.app.app_hash({"x": "1"})
    assert following.header.last_block_id == make_block_id(made)
    assert following.header.last_commit_hash == commit_hash(following.last_commit)


def test_the_application_sees_the_requests_of_cometbft_in_order() -> None:
    kit = Kit().start()
    kit.make(b"x=1")

    assert kit.app.seen == [
        "info", "init_chain", "check_tx", "prepare_proposal", "process_proposal",
        "finalize_block", "commit",
    ]  # fmt: skip


def test_finalize_carries_the_votes_of_the_block_before() -> None:
    kit = Kit(genesis=make_genesis({"a": 10, "b": 1})).start()
    kit.make()
    kit.make()

    first, second = kit.app.finalized
    assert list(first.decided_last_commit.votes) == []
    flags = [
        (vote.validator.power, vote.block_id_flag) for vote in second.decided_last_commit.votes
    ]
    assert flags == [(10, BlockFlag.COMMIT), (1, BlockFlag.ABSENT)]
    assert from_timestamp(second.time) == kit.chain.state.time_ns
    assert second.hash == kit.chain.state.block_id.hash


def test_a_refused_proposal_is_neither_signed_nor_saved() -> None:
    kit = Kit().start()
    kit.make()
    kit.app.refuse_proposals = 1

    assert kit.producer.make_block() is None

    assert kit.store.height == 1
    assert kit.make().header.height == 2


def test_initial_height_is_respected() -> None:
    kit = Kit(genesis=make_genesis({"a": 1}, initial_height=100)).start()

    assert kit.make().header.height == 100
    assert kit.make().header.height == 101
    assert kit.make().header.last_block_id.hash == kit.store.block(101).hash  # type: ignore[union-attr]


def test_validator_changes_take_effect_two_blocks_later() -> None:
    kit = Kit().start()
    kit.make()
    newcomer = make_key("b").public_key.hex()
    kit.make(f"power:{newcomer}=2".encode())
    kit.make()
    kit.make()

    sizes = [len(kit.store.validators(height) or []) for height in (2, 3, 4)]
    assert sizes == [1, 1, 2]
    headers = [block.header for block, _ in headers_and_commits(kit)]
    assert headers[2].validators_hash != headers[2].next_validators_hash
    assert headers[3].validators_hash == headers[2].next_validators_hash
    last = headers_and_commits(kit)[3][1]
    assert [vote.flag for vote in last.signatures] == [BlockFlag.COMMIT, BlockFlag.ABSENT]


def test_the_producer_stops_when_it_holds_no_more_than_two_thirds() -> None:
    kit = Kit().start()
    kit.make()
    kit.make(f"power:{make_key('b').public_key.hex()}=5".encode())
    kit.clock.tick_s = 10

    kit.producer.run(threading.Event())

    assert kit.chain.state.height == 3
    stopped = kit.events[-1]
    assert stopped == ProducerStopped(height=4, own_power=10, total_power=15)


def test_one_more_block_is_made_at_once_after_the_first_and_after_each_change() -> None:
    kit = Kit().start()
    stop = threading.Event()
    heights: list[int] = []

    def hear(event: object) -> None:
        if isinstance(event, BlockCommitted):
            heights.append(event.height)
            if event.height == 2:
                kit.send(b"x=1")
                kit.clock.move(10)
            if event.height == 4:
                stop.set()

    kit.chain._report = hear
    kit.clock.move(10)

    with pytest.raises(StoppedError):
        kit.producer.run(stop)

    assert heights == [1, 2, 3, 4]
    rest = kit.producer._rest_s()
    assert rest == pytest.approx(5.0)


def test_no_block_is_made_before_its_time() -> None:
    kit = Kit().start()
    kit.make()
    kit.make()

    assert kit.producer._rest_s() == pytest.approx(5.0)
    kit.send(b"x=1")
    assert kit.producer._rest_s() == pytest.approx(1.0)
    kit.clock.move(1)
    assert kit.producer._rest_s() <= 0


def test_a_transaction_that_arrives_wakes_the_producer() -> None:
    kit = Kit().start()
    kit.make()
    kit.make()
    kit.clock.move(2)
    stop = threading.Event()
    reported = threading.Event()

    def hear(event: object) -> None:
        if isinstance(event, BlockCommitted):
            reported.set()

    kit.chain._report = hear
    thread = threading.Thread(target=_run_until_stopped, args=(kit, stop))
    thread.start()
    kit.send(b"x=1")

    assert reported.wait(10)
    stop.set()
    thread.join(10)
    assert kit.app.values == {"x": "1"}


def _run_until_stopped(kit: Kit, stop: threading.Event) -> None:
    with pytest.raises(StoppedError):
        kit.producer.run(stop)


def test_the_proposal_is_given_the_bytes_that_fit() -> None:
    kit = Kit().start()
    kit.make()

    request = kit.app.prepared[0]
    assert request.max_tx_bytes == 1_048_576 - 11 - 626 - 94 - 111
    assert request.proposer_address == kit.key.address


def test_the_committed_transaction_is_found_by_its_hash() -> None:
    kit = Kit().start()
    kit.make()
    kit.make(b"x=1", b"y=2")

    place = kit.chain.committed_tx(hashlib.sha256(b"y=2").digest())
    assert place is not None
    assert (place.height, place.index) == (2, 1)
    assert kit.chain.wait_for_tx(hashlib.sha256(b"x=1").digest(), 0) == 2
    assert kit.chain.wait_for_tx(hashlib.sha256(b"z").digest(), 0) is None
