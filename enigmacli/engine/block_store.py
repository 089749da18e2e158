"""Blocks, commits, results and validator sets in SQLite (``data/blocks.db``).

WAL with synchronous=FULL survives power loss. The order of writing is CometBFT's: the block
with the commit for it, then the application's FinalizeBlock, its response, its Commit; so on
restart the application is at the height of the last block or one below, and the missing
block is executed again. One connection writes; another reads, so that readers never wait
for a write.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from enigmacli.engine import event_index
from enigmacli.engine.event_index import EventIndex
from enigmacli.errors import ConfigError, StorageError

SCHEMA_VERSION: Final = 2
"""Version 1 had no index of events; it gets one when it is opened."""
BLOCKS_FILE: Final = "blocks.db"
"""The block store in a node's data folder."""

_SCHEMA: Final = """
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,
    parts_total INTEGER NOT NULL, parts_hash BLOB NOT NULL,
    block BLOB NOT NULL, seen_commit BLOB NOT NULL
);
CREATE TABLE results (height INTEGER PRIMARY KEY, response BLOB NOT NULL);
CREATE TABLE validators (height INTEGER PRIMARY KEY, validators TEXT NOT NULL);
CREATE TABLE params (height INTEGER PRIMARY KEY, params BLOB NOT NULL);
CREATE TABLE txs (
    hash BLOB PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL, ok INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_INDEX_TX: Final = """
INSERT INTO txs VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE
SET height = excluded.height, position = excluded.position, ok = excluded.ok
WHERE excluded.ok OR NOT txs.ok
"""
"""As CometBFT's kv indexer: a copy that failed does not hide an earlier success."""


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as it was saved."""

    height: int
    hash: bytes
    parts_total: int
    parts_hash: bytes
    block: bytes
    """The protobuf encoding of ``tendermint.types.Block``."""
    seen_commit: bytes
    """``tendermint.types.Commit``: the votes that decided this block, as first seen."""


@dataclass(frozen=True, slots=True)
class Power:
    """One member of a validator set."""

    public_key: bytes
    """32 bytes, Ed25519."""
    power: int


@dataclass(frozen=True, slots=True)
class TxPlace:
    """Where a transaction stands."""

    height: int
    index: int


class BlockStore:
    """The chain as this node has it; writes by one thread, reads by any.

    Args:
        path: the database file; ``None`` keeps everything in memory.

    Raises:
        StorageError: the file cannot be opened or made.
        ConfigError: it is of another version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._write_lock = threading.RLock()
        try:
            self._writer = _connect(path)
            self._prepare(path)
            self._reader = self._writer if path is None else _connect_read_only(path)
            searcher = self._writer if path is None else _connect_read_only(path)
        except sqlite3.Error as error:
            raise StorageError(f"could not open {path}: {error}") from error
        self._read_lock = self._write_lock if path is None else threading.RLock()
        self.events = EventIndex(searcher, self._write_lock if path is None else threading.RLock())
        """Transactions and blocks by their events."""

    def close(self) -> None:
        """Close the database; the store is not used afterwards."""
        with self._write_lock, self._read_lock:
            self.events.close()
            self._reader.close()
            self._writer.close()

    # --- writing: block, then result -------------------------------------------------------

    def save_block(self, stored: StoredBlock) -> None:
        """Save the block that follows the last one, whole, before it is executed.

        Raises:
            StorageError: it does not follow, or the disk refuses.
        """
        last = self.height
        if last not in (0, stored.height - 1):
            raise StorageError(f"block {stored.height} does not follow block {last}")
        row = (
            stored.height, stored.hash, stored.parts_total, stored.parts_hash, stored.block,
            stored.seen_commit,
        )  # fmt: skip
        with self._transaction() as database:
            database.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)", row)

    def save_result(
        self,
        height: int,
        response: bytes,
        txs: Sequence[tuple[bytes, bool]],
        validators: Sequence[Power],
        params: bytes,
    ) -> None:
        """Save what executing block ``height`` gave, before the application commits it.

        Args:
            height: of the executed block.
            response: ``ResponseFinalizeBlock``.
            txs: the block's transactions and whether each succeeded, for the index.
            validators: the set of height + 2.
            params: the consensus parameters of height + 1.
        """
        index = [(hashlib.sha256(tx).digest(), height, at, ok) for at, (tx, ok) in enumerate(txs)]
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO results VALUES (?, ?)", (height, response))
            database.executemany(_INDEX_TX, index)
            event_index.index_events(database, height, response)
            _set_validators(database, height + 2, validators)
            _set_params(database, height + 1, params)

    def save_genesis(
        self, initial_height: int, app_hash: bytes, validators: Sequence[Power], params: bytes
    ) -> None:
        """Save what InitChain gave; may come again until the first block is there."""
        with self._transaction() as database:
            for table in ("validators", "params", "facts"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608 -- fixed names
            _set_fact(database, "initial_height", str(initial_height).encode())
            _set_fact(database, "app_hash", app_hash)
            _set_validators(database, initial_height, validators)
            _set_params(database, initial_height, params)

    # --- reading ---------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """Of the last block, 0 before the first."""
        return int(self._one("SELECT COALESCE(MAX(height), 0) FROM blocks", ())[0])

    @property
    def base(self) -> int:
        """Of the first block, 0 before it."""
        return int(self._one("SELECT COALESCE(MIN(height), 0) FROM blocks", ())[0])

    def block(self, height: int) -> StoredBlock | None:
        """The block of ``height``."""
        row = self._row("SELECT * FROM blocks WHERE height = ?", (height,))
        return StoredBlock(*row) if row else None

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of the block with that hash."""
        row = self._row("SELECT height FROM blocks WHERE hash = ?", (block_hash,))
        return int(row[0]) if row else None

    def result(self, height: int) -> bytes | None:
        """``ResponseFinalizeBlock`` of ``height``."""
        row = self._row("SELECT response FROM results WHERE height = ?", (height,))
        return bytes(row[0]) if row else None

    def validators(self, height: int) -> list[Power] | None:
        """The validator set of ``height``; ``None`` where it is not known yet."""
        row = self._row(
            "SELECT validators FROM validators WHERE height <= ? ORDER BY height DESC LIMIT 1",
            (height,),
        )
        return _parse_validators(row[0]) if row else None

    def params(self, height: int) -> bytes | None:
        """``ConsensusParams`` of ``height``; ``None`` where they are not known yet."""
        row = self._row(
            "SELECT params FROM params WHERE height <= ? ORDER BY height DESC LIMIT 1", (height,)
        )
        return bytes(row[0]) if row else None

    def tx(self, tx_hash: bytes) -> TxPlace | None:
        """Where the transaction with that hash stands."""
        row = self._row("SELECT height, position FROM txs WHERE hash = ?", (tx_hash,))
        return TxPlace(*row) if row else None

    @property
    def genesis_app_hash(self) -> bytes | None:
        """What InitChain answered, ``None`` before it."""
        row = self._row("SELECT value FROM facts WHERE name = 'app_hash'", ())
        return bytes(row[0]) if row else None

    # --- SQLite ----------------------------------------------------------------------------

    def _row(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with self._read_lock:
            row: tuple[Any, ...] | None = self._reader.execute(sql, values).fetchone()
            return row

    def _one(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        row = self._row(sql, values)
        if row is None:
            raise StorageError("the block store answered an aggregate with no row")
        return row

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                except BaseException:
                    self._writer.execute("ROLLBACK")
                    raise
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                raise StorageError(f"could not write the block store: {error}") from error

    def _prepare(self, path: Path | None) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"{path} is of version {version}, this program reads up to {SCHEMA_VERSION}"
            )
        with self._transaction() as database:
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    database.execute(statement)
            event_index.create(database)
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _connect(path: Path | None) -> sqlite3.Connection:
    database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def _connect_read_only(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _set_fact(database: sqlite3.Connection, name: str, value: bytes) -> None:
    database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def _set_validators(database: sqlite3.Connection, height: int, validators: Sequence[Power]) -> None:
    """Kept where it changed; a height reads the newest entry at or below it."""
    text = json.dumps([[member.public_key.hex(), member.power] for member in validators])
    database.execute("DELETE FROM validators WHERE height >= ?", (height,))
    before = database.execute(
        "SELECT validators FROM validators ORDER BY height DESC LIMIT 1"
    ).fetchone()
    if before is None or before[0] != text:
        database.execute("INSERT INTO validators VALUES (?, ?)", (height, text))


def _set_params(database: sqlite3.Connection, height: int, params: bytes) -> None:
    database.execute("DELETE FROM params WHERE height >= ?", (height,))
    before = database.execute("SELECT params FROM params ORDER BY height DESC LIMIT 1").fetchone()
    if before is None or before[0] != params:
        database.execute("INSERT INTO params VALUES (?, ?)", (height, params))


def _parse_validators(text: str) -> list[Power]:
    return [Power(bytes.fromhex(key), power) for key, power in json.loads(text)]
