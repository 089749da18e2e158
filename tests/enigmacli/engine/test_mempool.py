"""The mempool: first in, first out, with CometBFT's texts and its cache."""

import pytest

from enigmacli.engine.app_connection import AppConnection
from enigmacli.engine.mempool import Mempool, MempoolError, MempoolLimits
from tests.enigmacli.engine.chain_kit import Kit
from tests.enigmacli.engine.key_value_app import CrashError, KeyValueApp


def make_mempool(limits: MempoolLimits | None = None) -> Mempool:
    return Mempool(AppConnection(KeyValueApp().handle), limits)


def test_transactions_leave_in_the_order_they_came() -> None:
    mempool = make_mempool()
    for tx in (b"b=1", b"a=1", b"c=1"):
        mempool.check_tx(tx)

    assert mempool.reap(-1, -1) == [b"b=1", b"a=1", b"c=1"]
    assert mempool.oldest(2) == [b"b=1", b"a=1"]
    assert (mempool.size, mempool.size_bytes) == (3, 9)
    assert mempool.arrived.is_set()


def test_reaping_stops_at_the_first_that_does_not_fit() -> None:
    mempool = make_mempool()
    for tx in (b"a=1", b"b=" + b"x" * 100, b"c=1"):
        mempool.check_tx(tx)

    assert mempool.reap(50, -1) == [b"a=1"]
    assert mempool.reap(5, -1) == [b"a=1"]
    assert mempool.reap(4, -1) == []
    assert mempool.reap(-1, 20) == [b"a=1", b"b=" + b"x" * 100]


def test_a_transaction_seen_before_is_refused() -> None:
    mempool = make_mempool()
    mempool.check_tx(b"a=1")

    with pytest.raises(MempoolError, match=r"^tx already exists in cache$"):
        mempool.check_tx(b"a=1")


def test_a_transaction_that_fails_its_check_may_come_again() -> None:
    mempool = make_mempool()

    assert [mempool.check_tx(b"nonsense").code for _ in range(2)] == [3, 3]
    assert mempool.size == 0
    assert not mempool.arrived.is_set()


def test_a_transaction_whose_check_broke_down_may_come_again() -> None:
    kit = Kit().start()
    kit.app.crash_before = "check_tx"
    with pytest.raises(CrashError):
        kit.chain.mempool.check_tx(b"a=1")
    kit.app.crash_before = ""

    assert kit.chain.mempool.check_tx(b"a=1").code == 0


def test_a_committed_transaction_stays_refused_and_a_failed_one_does_not() -> None:
    kit = Kit().start()
    kit.make()
    kit.make(b"a=1", b"fail=1")

    with pytest.raises(MempoolError, match="already exists"):
        kit.chain.mempool.check_tx(b"a=1")
    assert kit.chain.mempool.check_tx(b"fail=1").code == 0


def test_what_waits_is_checked_again_after_each_block() -> None:
    kit = Kit().start()
    kit.make()
    kit.send(b"a=1", b"a=2", b"b=1")
    kit.app.prepare_only = 1

    kit.make()

    assert kit.app.values == {"a": "1"}
    assert kit.chain.mempool.reap(-1, -1) == [b"b=1"]
    assert kit.chain.mempool.check_tx(b"a=2").code == 0


def test_the_producer_sleeps_again_when_nothing_waits() -> None:
    kit = Kit().start()
    kit.make()
    kit.make(b"a=1")

    assert not kit.chain.mempool.arrived.is_set()
    assert kit.chain.mempool.size_bytes == 0


def test_a_full_mempool_says_how_full_it_is() -> None:
    mempool = make_mempool(MempoolLimits(size=1, max_txs_bytes=100))
    mempool.check_tx(b"a=1")

    with pytest.raises(MempoolError) as refused:
        mempool.check_tx(b"b=1")

    assert str(refused.value) == (
        "mempool is full: number of txs 1 (max: 1), total txs bytes 3 (max: 100)"
    )


def test_too_many_bytes_in_all_are_refused() -> None:
    mempool = make_mempool(MempoolLimits(max_txs_bytes=5))
    mempool.check_tx(b"a=1")

    with pytest.raises(MempoolError, match="mempool is full"):
        mempool.check_tx(b"b=1")


def test_a_transaction_that_is_too_large_is_refused() -> None:
    mempool = make_mempool(MempoolLimits(max_tx_bytes=4))

    with pytest.raises(MempoolError, match=r"^Tx too large\. Max size is 4, but got 5$"):
        mempool.check_tx(b"a=123")


def test_what_fits_into_no_block_is_refused() -> None:
    kit = Kit().start()
    most = kit.chain.state.max_data_bytes

    with pytest.raises(MempoolError) as refused:
        kit.chain.mempool.check_tx(b"a=" + b"x" * (most - 2))

    assert refused.value.message == (f"tx pre check: tx size is too big: {most + 4}, max: {most}")
    kit.send(b"a=" + b"x" * (most - 6))
    assert len(kit.make().txs) == 1


def test_the_cache_forgets_the_oldest() -> None:
    mempool = make_mempool(MempoolLimits(cache_size=2))
    for tx in (b"a=1", b"b=1", b"c=1"):
        mempool.check_tx(tx)

    assert mempool.check_tx(b"a=1").code == 0
    assert mempool.size == 3
