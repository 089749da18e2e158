"""The state on disk: SQLite, one transaction per block, and the Merkle trees above it.

Only :meth:`StateStore.commit` writes. Consensus reads through the store itself; everybody
else through :meth:`StateStore.latest`, a connection of its own that sees the last commit and
nothing of the block in progress. Trees are rebuilt from the leaves when the store opens
(some microseconds a leaf) and compared with the stored app hash.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from enigmacli.app.errors import SnapshotError, StateCorruptError
from enigmacli.app.merkle_map import MerkleTree, TreeChange, entry_hash, map_root
from enigmacli.app.overlay import STORES, Key
from enigmacli.chain.merkle import Proof
from enigmacli.errors import StorageError

FORMAT: Final = 1
"""``PRAGMA user_version`` of the tables below."""

_TABLES: Final = """
CREATE TABLE kv (
    store TEXT NOT NULL, idx INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (store, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX kv_by_index ON kv (store, idx);
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 0), height INTEGER NOT NULL, app_hash BLOB NOT NULL,
    at_us INTEGER NOT NULL, chain_id TEXT NOT NULL, initial_height INTEGER NOT NULL,
    answer_height INTEGER NOT NULL
);
"""
_PUT: Final = "INSERT OR REPLACE INTO kv (store, idx, key, value) VALUES (?, ?, ?, ?)"

Row = tuple[str, int, bytes, bytes]
"""Store, index, key, value."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What belongs to a committed state beside its entries."""

    height: int
    """Of the last committed block, 0 before the first."""
    app_hash: bytes
    """Root over the stores; empty before the first block."""
    at_us: int
    """Block time in microseconds since the Unix epoch."""
    chain_id: str
    initial_height: int
    answer_height: int
    """The height that a query's answer names: its proof is in the header after that one."""


@dataclass(frozen=True, slots=True)
class PendingState:
    """A block's effect, computed and not yet kept."""

    app_hash: bytes
    rows: tuple[Row, ...]
    trees: Mapping[str, TreeChange]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A committed state as a list: by store, then by index from 0 without a gap."""

    meta: Meta
    rows: tuple[Row, ...]


class CommittedView:
    """The last committed state at each read, for readers outside of consensus, in any thread.

    No two reads need see the same state, unless both are made within :meth:`pinned`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        trees: Mapping[str, MerkleTree],
        reading: threading.RLock,
        pinning: threading.RLock,
    ) -> None:
        self._connection = connection
        self._trees = trees
        self._reading = reading
        self._pinning = pinning

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Keep the state as it is; a commit waits meanwhile, so be quick."""
        # in this order: a slow read elsewhere is waited for before a commit has to wait
        with self._reading, self._pinning:
            yield

    def meta(self) -> Meta:
        """Height, app hash and times."""
        with self._reading:
            return _read_meta(self._connection)

    def get(self, store: str, key: bytes) -> bytes:
        """The value under ``key``, empty where there is none."""
        with self._reading:
            return _read_value(self._connection, store, key)

    def scan(self, store: str, prefix: bytes) -> dict[bytes, bytes]:
        """All present entries whose key begins with ``prefix``, in ascending order of keys."""
        with self._reading:
            return _read_range(self._connection, store, prefix)

    def page(self, store: str, prefix: bytes, first: bytes, limit: int) -> dict[bytes, bytes]:
        """At most ``limit`` entries of a scan, from the key ``first`` on."""
        with self._reading:
            return _read_range(self._connection, store, prefix, first, limit)

    def prove(self, store: str, key: bytes) -> tuple[Proof, Proof]:
        """Proofs of the entry under ``key`` in its store, and of the store's root in the app hash.

        Raises:
            KeyError: the store never had that key.
        """
        with self.pinned():
            row = _read_row(self._connection, store, key)
            if row is None:
                raise KeyError(key)
            roots = {name: self._trees[name].root for name in STORES}
            return self._trees[store].prove(row[0]), _prove_store(roots, store)


class StateStore:
    """The application's state, durable at block boundaries."""

    def __init__(self, path: Path) -> None:
        """Open or create the database file ``path``; its folder must exist.

        Raises:
            StorageError: the file cannot be opened or written.
            StateCorruptError: another format, or the entries do not have the stored app hash.
        """
        self._open(str(path), f"{path.absolute().as_uri()}?mode=ro")

    @classmethod
    def memory(cls) -> Self:
        """A store that lives as long as this object, with the same behaviour."""
        store = cls.__new__(cls)
        store._open(":memory:", None)  # noqa: SLF001 -- a second constructor
        return store

    def _open(self, name: str, reader_uri: str | None) -> None:
        self._lock = threading.RLock()
        """Held by a commit, and by whoever must not see half of one."""
        # one connection for all, as in memory, has one lock; with a reader's own, a read that
        # takes its time holds up no commit
        self._reading = self._lock if reader_uri is None else threading.RLock()
        try:
            self._connection = _connect(name)
            _prepare_tables(self._connection)
            self._reader = self._connection if reader_uri is None else _connect(reader_uri)
            self._trees = {store: _read_tree(self._connection, store) for store in STORES}
            self._meta = _read_meta(self._connection)
        except sqlite3.Error as error:
            raise StorageError(f"state database {name}: {error}") from error
        if self._meta.height and self._root() != self._meta.app_hash:
            raise StateCorruptError(
                f"state database {name} does not have its app hash",
                hint="restore the home's data folder, or sync again from an empty one",
            )

    @property
    def meta(self) -> Meta:
        """What is committed; only the consensus side reads it here."""
        return self._meta

    def get(self, store: str, key: bytes) -> bytes:
        """The committed value under ``key``, empty where there is none."""
        return _read_value(self._connection, store, key)

    def scan(self, store: str, prefix: bytes) -> dict[bytes, bytes]:
        """All committed entries whose key begins with ``prefix``, in ascending order of keys."""
        return _read_range(self._connection, store, prefix)

    def latest(self) -> CommittedView:
        """The last committed state, for readers in other threads."""
        return CommittedView(self._reader, self._trees, self._reading, self._lock)

    def prepare(self, changes: Mapping[Key, bytes]) -> PendingState:
        """Compute what ``changes`` make of the committed state; nothing is kept.

        New keys get indices in the order of ``changes``. A value that is what it was, and a
        new key without a value, change nothing.
        """
        rows: list[Row] = []
        leaves: dict[str, dict[int, bytes]] = {store: {} for store in STORES}
        sizes = {store: self._trees[store].size for store in STORES}
        for (store, key), value in changes.items():
            row = _read_row(self._connection, store, key)
            index, before = row or (sizes[store], b"")
            if value == before:
                continue
            sizes[store] += row is None
            rows.append((store, index, key, value))
            leaves[store][index] = entry_hash(key, value)
        trees = {store: self._trees[store].change(leaves[store]) for store in STORES}
        app_hash = map_root({store: trees[store].root for store in STORES})
        return PendingState(app_hash, tuple(rows), trees)

    def commit(
        self, pending: PendingState, *, height: int, at_us: int, chain_id: str, initial_height: int
    ) -> None:
        """Keep a block: its entries, height, hash and time, in one transaction.

        Args:
            pending: computed by :meth:`prepare` from what is committed now.
            height: of the block.
            at_us: the block's time, microseconds since the Unix epoch.
            chain_id: the chain's name.
            initial_height: the chain's first height.

        Raises:
            StorageError: it could not be written; the state is as before.
        """
        unchanged = pending.app_hash == self._meta.app_hash and height > initial_height
        answer = height - 1 if unchanged else height
        meta = Meta(height, pending.app_hash, at_us, chain_id, initial_height, answer)
        with self._lock:
            self._write(pending.rows, meta)
            for store in STORES:
                self._trees[store].apply(pending.trees[store])
            self._meta = meta

    def snapshot(self) -> Snapshot:
        """The committed state as a list."""
        with self._reading, self._lock:
            rows = self._reader.execute(
                "SELECT store, idx, key, value FROM kv ORDER BY store, idx"
            ).fetchall()
            return Snapshot(_read_meta(self._reader), tuple(rows))

    def restore(self, snapshot: Snapshot) -> None:
        """Fill an empty store from a snapshot.

        Raises:
            SnapshotError: the store is not empty; an index is missing or out of order; a key
                stands twice; a store is unknown; the root is another.
            StorageError: it could not be written.
        """
        if self._meta.height:
            raise SnapshotError("the state is not empty")
        trees = _check_snapshot(snapshot)
        with self._lock:
            self._write(snapshot.rows, snapshot.meta)
            self._trees.update(trees)
            self._meta = snapshot.meta

    def close(self) -> None:
        """Close the database."""
        with self._reading, self._lock:
            self._reader.close()
            self._connection.close()

    def _root(self) -> bytes:
        return map_root({store: self._trees[store].root for store in STORES})

    def _write(self, rows: Sequence[Row], meta: Meta) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(_PUT, rows)
                self._connection.execute(
                    "INSERT OR REPLACE INTO meta VALUES (0, ?, ?, ?, ?, ?, ?)",
                    (
                        meta.height,
                        meta.app_hash,
                        meta.at_us,
                        meta.chain_id,
                        meta.initial_height,
                        meta.answer_height,
                    ),
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageError(f"the state could not be written: {error}") from error


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, uri=name.startswith("file:"), isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare_tables(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == FORMAT:
        return
    if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StateCorruptError(f"state database has format {version}, not {FORMAT}")
    connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {FORMAT};COMMIT;")


def _read_meta(connection: sqlite3.Connection) -> Meta:
    row = connection.execute(
        "SELECT height, app_hash, at_us, chain_id, initial_height, answer_height FROM meta"
    ).fetchone()
    return Meta(*row) if row else Meta(0, b"", 0, "", 0, 0)


def _read_tree(connection: sqlite3.Connection, store: str) -> MerkleTree:
    rows = connection.execute(
        "SELECT idx, key, value FROM kv WHERE store = ? ORDER BY idx", (store,)
    )
    leaves = []
    for place, (index, key, value) in enumerate(rows):
        if index != place:
            raise StateCorruptError(f"store {store} lacks index {place}")
        leaves.append(entry_hash(key, value))
    return MerkleTree(leaves)


def _read_row(connection: sqlite3.Connection, store: str, key: bytes) -> tuple[int, bytes] | None:
    """Index and value of a key, if it ever had one."""
    row: tuple[int, bytes] | None = connection.execute(
        "SELECT idx, value FROM kv WHERE store = ? AND key = ?", (store, key)
    ).fetchone()
    return row


def _read_value(connection: sqlite3.Connection, store: str, key: bytes) -> bytes:
    row = _read_row(connection, store, key)
    return row[1] if row else b""


def _read_range(
    connection: sqlite3.Connection, store: str, prefix: bytes, first: bytes = b"", limit: int = -1
) -> dict[bytes, bytes]:
    # the carry stops at the first byte of a prefix, which is below 0x20
    end = (int.from_bytes(prefix) + 1).to_bytes(len(prefix))
    rows = connection.execute(
        "SELECT key, value FROM kv WHERE store = ? AND key >= ? AND key < ? AND value != x''"
        " ORDER BY key LIMIT ?",
        (store, max(prefix, first), end, limit),
    )
    return dict(rows.fetchall())


def _prove_store(roots: Mapping[str, bytes], store: str) -> Proof:
    names = sorted(roots)
    tree = MerkleTree(entry_hash(name.encode(), roots[name]) for name in names)
    return tree.prove(names.index(store))


def _check_snapshot(snapshot: Snapshot) -> dict[str, MerkleTree]:
    leaves: dict[str, list[bytes]] = {store: [] for store in STORES}
    seen: set[Key] = set()
    for store, index, key, value in snapshot.rows:
        if store not in leaves or index != len(leaves[store]):
            raise SnapshotError(f"snapshot has a gap at {store}/{index}")
        if (store, key) in seen:
            raise SnapshotError(f"snapshot has a key of {store} twice")
        seen.add((store, key))
        leaves[store].append(entry_hash(key, value))
    trees = {store: MerkleTree(leaves[store]) for store in STORES}
    if map_root({store: trees[store].root for store in STORES}) != snapshot.meta.app_hash:
        raise SnapshotError("snapshot has another root than its app hash")
    return trees
