"""The index of events on disk: made for older stores, and never in the way of a block."""

import sqlite3
import threading
from pathlib import Path

import pytest

from enigmacli.chain.event_query import SearchTooLongError, Window, parse_query
from enigmacli.engine.block_store import BlockStore
from enigmacli.engine.event_index import EventIndex
from tests.enigmacli.engine.chain_kit import Kit

PATIENCE_S = 30.0
EVERYTHING = Window(0, 100)
A = parse_query("set.key='a'")


def test_a_store_of_the_first_version_gets_its_index(tmp_path: Path) -> None:
    path = tmp_path / "blocks.db"
    kit = Kit(store=BlockStore(path)).start()
    kit.make(b"a=1")
    kit.make(b"b=1", b"a=2")
    kit.store.close()
    with sqlite3.connect(path) as older:
        older.execute("DROP TABLE events")
        older.execute("DROP INDEX txs_by_height")
        older.execute("PRAGMA user_version = 1")
    older.close()

    store = BlockStore(path)

    assert store.events.find_txs(A, 2, EVERYTHING) == [(1, 0), (2, 1)]
    store.close()
    BlockStore(path).close()


def test_a_slow_search_delays_no_block(tmp_path: Path) -> None:
    kit = Kit(store=BlockStore(tmp_path / "blocks.db")).start()
    kit.make(b"a=1")
    searching, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> int:
        searching.set()
        return int(go_on.wait(PATIENCE_S))

    kit.store.events._database.create_function("instr", 2, lambda _, text: wait(text))
    counted: list[int] = []
    slow = threading.Thread(
        target=lambda: counted.append(
            kit.store.events.count_txs(parse_query("set.key CONTAINS 'a'"), 1)
        )
    )
    slow.start()
    assert searching.wait(PATIENCE_S)

    block = kit.make(b"a=2")
    alive = slow.is_alive()
    go_on.set()
    slow.join()

    assert block.header.height == 2
    assert alive
    assert counted == [1]


def test_a_search_that_reads_too_much_is_given_up() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE txs (height INTEGER, position INTEGER)")
    database.executemany("INSERT INTO txs VALUES (?, 0)", ((n,) for n in range(20_000)))

    with pytest.raises(SearchTooLongError, match="given up after 0 s"):
        EventIndex(database, threading.RLock(), most_s=0).count_txs(parse_query("tx.height>0"), 9)
    found = EventIndex(database, threading.RLock()).count_txs(parse_query("tx.height>0"), 9)
    database.close()

    assert found == 9
