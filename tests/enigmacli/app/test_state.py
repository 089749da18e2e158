import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from enigmacli.app.errors import SnapshotError, StateCorruptError
from enigmacli.app.overlay import STORES, Key
from enigmacli.app.state import FORMAT, StateStore
from enigmacli.chain import merkle
from enigmacli.errors import StorageError

PATIENCE_S = 30.0

A, B, C = ("bank", b"\x01a"), ("bank", b"\x01b"), ("register", b"\x01c")


def keep(store: StateStore, changes: dict[Key, bytes], height: int) -> bytes:
    """Commit a block of just these changes; its app hash."""
    pending = store.prepare(changes)
    store.commit(pending, height=height, at_us=height * 10, chain_id="chain", initial_height=1)
    return pending.app_hash


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_commit_survives_closing(path: Path) -> None:
    store = StateStore(path)
    app_hash = keep(store, {A: b"1", C: b"2"}, 1)
    store.close()

    again = StateStore(path)

    assert again.get(*A) == b"1"
    assert again.get(*C) == b"2"
    assert (again.meta.height, again.meta.app_hash) == (1, app_hash)
    assert (again.meta.at_us, again.meta.chain_id) == (10, "chain")


def test_what_was_prepared_and_not_committed_is_gone_after_a_crash(path: Path) -> None:
    store = StateStore(path)
    app_hash = keep(store, {A: b"1"}, 1)
    store.prepare({A: b"2", B: b"3"})

    again = StateStore(path)

    assert again.get(*A) == b"1"
    assert again.get(*B) == b""
    assert (again.meta.height, again.meta.app_hash) == (1, app_hash)


def test_a_write_that_fails_in_the_middle_leaves_the_old_state(path: Path) -> None:
    store = StateStore(path)
    app_hash = keep(store, {A: b"1"}, 1)
    pending = store.prepare({A: b"2", B: b"3"})
    clash = replace(pending, rows=(*pending.rows, ("bank", 0, b"\x01z", None)))  # type: ignore[arg-type]

    with pytest.raises(StorageError, match="could not be written"):
        store.commit(clash, height=2, at_us=20, chain_id="chain", initial_height=1)

    assert store.meta.height == 1
    assert store.get(*A) == b"1"
    assert keep(store, {}, 2) == app_hash
    store.close()
    assert StateStore(path).get(*B) == b""


def test_the_same_changes_give_the_same_hash_on_disk_and_in_memory(path: Path) -> None:
    on_disk, in_memory = StateStore(path), StateStore.memory()

    for height, changes in enumerate([{A: b"1", C: b"2"}, {B: b"3", A: b""}, {A: b"4"}], 1):
        assert keep(on_disk, changes, height) == keep(in_memory, changes, height)


def test_new_keys_get_indices_in_the_order_of_the_changes() -> None:
    store = StateStore.memory()
    keep(store, {B: b"1"}, 1)
    keep(store, {("bank", b"\x01z"): b"1", A: b"1"}, 2)

    assert [(row[1], row[2]) for row in store.snapshot().rows] == [
        (0, b"\x01b"),
        (1, b"\x01z"),
        (2, b"\x01a"),
    ]


def test_a_deleted_key_reads_as_absent_and_comes_back_at_its_index() -> None:
    store = StateStore.memory()
    first = keep(store, {A: b"1", B: b"2"}, 1)
    keep(store, {A: b""}, 2)

    assert store.get(*A) == b""
    assert store.scan("bank", b"\x01") == {b"\x01b": b"2"}
    assert store.latest().page("bank", b"\x01", b"", 10) == {b"\x01b": b"2"}
    assert keep(store, {A: b"1"}, 3) == first
    assert [row[1] for row in store.snapshot().rows] == [0, 1]


def test_an_unchanged_value_and_an_empty_new_one_are_no_change() -> None:
    store = StateStore.memory()
    app_hash = keep(store, {A: b"1"}, 1)

    pending = store.prepare({A: b"1", B: b""})

    assert pending.app_hash == app_hash
    assert not pending.rows


def test_the_app_hash_is_never_empty() -> None:
    assert len(StateStore.memory().prepare({}).app_hash) == 32


def test_the_answer_height_is_one_less_after_a_block_that_changed_nothing() -> None:
    store = StateStore.memory()
    seen = []
    for height, changes in enumerate([{A: b"1"}, {}, {}, {A: b"2"}, {}], 1):
        keep(store, changes, height)
        seen.append(store.meta.answer_height)

    assert seen == [1, 1, 2, 4, 4]


def test_the_initial_block_answers_for_itself_even_if_it_changes_nothing() -> None:
    store = StateStore.memory()

    store.commit(store.prepare({}), height=5, at_us=1, chain_id="c", initial_height=5)

    assert store.meta.answer_height == 5


def test_readers_see_the_last_commit_and_nothing_of_the_next_block(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"1"}, 1)
    view = store.latest()
    pending = store.prepare({A: b"2"})

    assert view.get(*A) == b"1"
    store.commit(pending, height=2, at_us=20, chain_id="chain", initial_height=1)

    assert view.get(*A) == b"2"
    assert view.meta().height == 2


def test_a_proof_leads_from_the_value_to_the_app_hash(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"1", B: b"2", C: b"3"}, 1)
    app_hash = keep(store, {("bank", b"\x01d"): b"4"}, 2)

    entry, root = store.latest().prove(*B)

    ops = [merkle.value_op(B[1], entry), merkle.value_op(b"bank", root)]
    merkle.verify_store_proof(app_hash, "bank", B[1], b"2", ops)


def test_a_read_that_takes_its_time_delays_no_commit(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"1"}, 1)
    reading, go_on = threading.Event(), threading.Event()
    seen: list[dict[bytes, bytes]] = []

    def wait_once() -> int:
        reading.set()
        return int(not go_on.wait(PATIENCE_S))

    store._reader.set_progress_handler(wait_once, 1)
    slow = threading.Thread(target=lambda: seen.append(store.latest().scan("bank", b"\x01")))
    slow.start()
    assert reading.wait(PATIENCE_S)
    block = threading.Thread(target=keep, args=(store, {A: b"2"}, 2))
    block.start()
    block.join(PATIENCE_S / 3)
    delayed = block.is_alive()
    go_on.set()
    slow.join()
    block.join()

    assert not delayed
    assert seen == [{A[1]: b"1"}]
    assert store.latest().get(*A) == b"2"


def test_another_thread_reads_while_a_block_is_committed(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"0"}, 1)
    seen: list[bytes] = []
    started, stop = threading.Event(), threading.Event()

    def read() -> None:
        view = store.latest()
        while not stop.is_set():
            with view.pinned():
                value, height = view.get(*A), view.meta().height
                entry, root = view.prove(*A)
                ops = [merkle.value_op(A[1], entry), merkle.value_op(b"bank", root)]
                merkle.verify_store_proof(view.meta().app_hash, "bank", A[1], value, ops)
            assert value == str(height - 1).encode()
            seen.append(value)
            started.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert started.wait(10)
    for height in range(2, 40):
        keep(store, {A: str(height - 1).encode(), ("bank", bytes([1, height])): b"x"}, height)
    stop.set()
    thread.join()

    assert seen == sorted(seen, key=int)


def test_a_changed_file_is_refused(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"1", B: b"2"}, 1)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE kv SET value = x'33' WHERE key = x'0161'")
    connection.close()

    with pytest.raises(StateCorruptError, match="app hash"):
        StateStore(path)


def test_a_lost_row_is_refused(path: Path) -> None:
    store = StateStore(path)
    keep(store, {A: b"1", B: b"2"}, 1)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM kv WHERE key = x'0161'")
    connection.close()

    with pytest.raises(StateCorruptError, match="lacks index 0"):
        StateStore(path)


def test_another_format_is_refused(path: Path) -> None:
    StateStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()

    with pytest.raises(StateCorruptError, match="format"):
        StateStore(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 20)

    with pytest.raises(StorageError, match="state database"):
        StateStore(path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        StateStore(tmp_path / "nowhere" / "state.db")


def test_the_journal_is_wal_and_every_commit_is_synced(path: Path) -> None:
    store = StateStore(path)

    pragmas = [
        store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "user_version")
    ]

    assert pragmas == ["wal", 2, FORMAT]


# --- snapshots ---------------------------------------------------------------------------------


def filled() -> StateStore:
    store = StateStore.memory()
    keep(store, {A: b"1", B: b"2", C: b"3"}, 1)
    keep(store, {A: b"", ("bank", b"\x01d"): b"4"}, 2)
    return store


def test_a_snapshot_restores_the_same_state() -> None:
    source, target = filled(), StateStore.memory()

    target.restore(source.snapshot())

    assert target.meta == source.meta
    assert target.snapshot() == source.snapshot()
    assert keep(target, {A: b"9"}, 3) == keep(source, {A: b"9"}, 3)


def test_a_snapshot_with_a_gap_is_refused() -> None:
    snapshot = filled().snapshot()
    rows = tuple(row for row in snapshot.rows if row[2] != b"\x01b")

    with pytest.raises(SnapshotError, match="gap at bank/2"):
        StateStore.memory().restore(replace(snapshot, rows=rows))


def test_a_snapshot_of_another_root_is_refused() -> None:
    snapshot = filled().snapshot()
    rows = (*snapshot.rows[:-1], (*snapshot.rows[-1][:3], b"other"))

    with pytest.raises(SnapshotError, match="another root"):
        StateStore.memory().restore(replace(snapshot, rows=rows))


def test_a_snapshot_with_a_key_twice_is_refused() -> None:
    snapshot = filled().snapshot()
    rows = (*snapshot.rows, ("register", 1, b"\x01c", b"3"))

    with pytest.raises(SnapshotError, match="twice"):
        StateStore.memory().restore(replace(snapshot, rows=rows))


def test_a_snapshot_with_an_unknown_store_is_refused() -> None:
    snapshot = filled().snapshot()

    with pytest.raises(SnapshotError, match="gap at other/0"):
        StateStore.memory().restore(
            replace(snapshot, rows=(*snapshot.rows, ("other", 0, b"\x01", b"1")))
        )


def test_a_snapshot_does_not_replace_a_state() -> None:
    store = filled()

    with pytest.raises(SnapshotError, match="not empty"):
        store.restore(store.snapshot())


def test_the_stores_stand_in_the_order_of_their_names() -> None:
    assert list(STORES) == sorted(STORES)
