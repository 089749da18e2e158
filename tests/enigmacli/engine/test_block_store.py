"""The block store: whole writes, in order, read back as written."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from enigmacli.engine.block_store import BlockStore, Power, StoredBlock, TxPlace
from enigmacli.errors import ConfigError, StorageError


def stored(height: int, tag: bytes = b"") -> StoredBlock:
    name = b"%d" % height + tag
    return StoredBlock(
        height, hashlib.sha256(name).digest(), 1, b"p" * 32, b"b" + name, b"c" + name
    )


def test_blocks_are_read_back_as_they_were_saved(tmp_path: Path) -> None:
    store = BlockStore(tmp_path / "blocks.db")
    store.save_block(stored(5))
    store.save_block(stored(6))
    store.close()

    again = BlockStore(tmp_path / "blocks.db")
    assert (again.base, again.height) == (5, 6)
    assert again.block(6) == stored(6)
    assert again.block(7) is None
    assert again.height_of(stored(5).hash) == 5
    assert again.height_of(b"?") is None


@pytest.mark.parametrize("height", [4, 5, 7])
def test_a_block_that_does_not_follow_is_refused(height: int) -> None:
    store = BlockStore()
    store.save_block(stored(5))

    with pytest.raises(StorageError):
        store.save_block(stored(height, b"x"))

    assert store.height == 5


def test_validators_hold_until_they_change() -> None:
    store = BlockStore()
    one, two = [Power(b"a" * 32, 1)], [Power(b"a" * 32, 1), Power(b"b" * 32, 2)]
    store.save_genesis(1, b"h", one, b"params")
    store.save_result(1, b"", [], one, b"params")
    store.save_result(2, b"", [], two, b"new params")

    assert [store.validators(height) for height in (1, 2, 3, 4)] == [one, one, one, two]
    assert [store.params(height) for height in (1, 2, 3)] == [b"params", b"params", b"new params"]
    assert store.validators(0) is None


def test_genesis_may_be_saved_again_before_the_first_block() -> None:
    store = BlockStore()
    store.save_genesis(1, b"old", [Power(b"a" * 32, 1)], b"p")
    store.save_genesis(7, b"new", [Power(b"b" * 32, 1)], b"q")

    assert store.genesis_app_hash == b"new"
    assert store.validators(1) is None
    assert store.validators(7) == [Power(b"b" * 32, 1)]


def test_a_later_failed_copy_does_not_hide_a_success() -> None:
    store = BlockStore()
    tx_hash = hashlib.sha256(b"tx").digest()
    store.save_result(1, b"", [(b"tx", False)], [], b"")
    store.save_result(2, b"", [(b"other", True), (b"tx", True)], [], b"")
    store.save_result(3, b"", [(b"tx", False)], [], b"")

    assert store.tx(tx_hash) == TxPlace(2, 1)
    assert store.tx(b"?") is None


def test_a_result_may_be_saved_twice_with_the_same_outcome() -> None:
    store = BlockStore()
    for _ in range(2):
        store.save_result(1, b"", [(b"tx", True)], [Power(b"a" * 32, 1)], b"p")

    assert store.result(1) == b""
    assert store.validators(3) == [Power(b"a" * 32, 1)]


def test_the_file_survives_power_loss_settings(tmp_path: Path) -> None:
    store = BlockStore(tmp_path / "blocks.db")

    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()

    with pytest.raises(ConfigError, match="version 99"):
        BlockStore(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks.db"
    path.write_bytes(b"not a database" * 100)

    with pytest.raises(StorageError):
        BlockStore(path)


def test_a_write_error_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    store = BlockStore(tmp_path / "blocks.db")
    store.save_block(stored(1))
    store._writer.execute("PRAGMA query_only = 1")

    with pytest.raises(StorageError, match="could not write"):
        store.save_block(stored(2))

    assert store.height == 1
