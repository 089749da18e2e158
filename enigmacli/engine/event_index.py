"""Which transactions had which events: written with each block's results, searched by clients.

One row for each indexed attribute, in the block store's database. A search runs on a connection
of its own and is given up after a time: it can cost a client its answer, never the node a block.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from enigmacli import protobuf
from enigmacli.chain.event_query import Condition, SearchTooLongError, Window
from enigmacli.errors import MalformedError

_SCHEMA: Final = (
    """CREATE TABLE events (
    tag TEXT NOT NULL, value TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, event INTEGER NOT NULL,
    PRIMARY KEY (tag, value, height, position, event)
) WITHOUT ROWID""",
    "CREATE INDEX txs_by_height ON txs (height, position)",
)
_PUT: Final = "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)"
_MOST_S: Final = 1.0
_LOOK_EVERY: Final = 10_000
"""Steps of SQLite's machine between two looks at the clock, well below a millisecond."""
_HASH_BYTES: Final = 32

Sql = tuple[str, tuple[str | int | bytes, ...]]
"""A statement and its values."""


def create(database: sqlite3.Connection) -> None:
    """Make the index of a block store that has none, within the caller's transaction."""
    for statement in _SCHEMA:
        database.execute(statement)
    for height, response in database.execute("SELECT height, response FROM results"):
        index_events(database, height, response)


def index_events(database: sqlite3.Connection, height: int, response: bytes) -> None:
    """Write the events of a block's results, within the caller's transaction.

    Args:
        database: the block store's.
        height: of the block.
        response: its ``ResponseFinalizeBlock``.
    """
    results = protobuf.parse("tendermint.abci.ResponseFinalizeBlock", response).tx_results
    rows = (
        (f"{event.type}.{one.key}", one.value, height, position, place)
        for position, result in enumerate(results)
        for place, event in enumerate(result.events)
        for one in event.attributes
        if one.index
    )
    database.executemany(_PUT, rows)


class EventIndex:
    """Searches what :func:`index_events` wrote; one search at a time, in any thread.

    Args:
        database: a connection to the block store's database.
        lock: guards the connection.
        most_s: seconds after which a search is given up.
    """

    def __init__(
        self, database: sqlite3.Connection, lock: threading.RLock, most_s: float = _MOST_S
    ) -> None:
        self._database = database
        self._lock = lock
        self._most_s = most_s

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._database.close()

    def count_txs(self, conditions: Sequence[Condition], latest: int) -> int:
        """How many transactions up to the height ``latest`` meet all conditions.

        Raises:
            MalformedError: a condition that no transaction can have.
            SearchTooLongError: given up.
        """
        return self._count(_txs(conditions, latest))

    def find_txs(
        self, conditions: Sequence[Condition], latest: int, window: Window
    ) -> list[tuple[int, int]]:
        """Height and position of those within ``window``.

        Raises:
            MalformedError, SearchTooLongError: as above.
        """
        rows = self._page(_txs(conditions, latest), ("height", "position"), window)
        return [(height, position) for height, position in rows]

    def count_blocks(self, conditions: Sequence[Condition], latest: int) -> int:
        """How many blocks up to the height ``latest`` meet all conditions.

        Raises:
            SearchTooLongError: given up.
        """
        return self._count(_blocks(conditions, latest))

    def find_blocks(
        self, conditions: Sequence[Condition], latest: int, window: Window
    ) -> list[int]:
        """The heights of those within ``window``.

        Raises:
            SearchTooLongError: given up.
        """
        return [row[0] for row in self._page(_blocks(conditions, latest), ("height",), window)]

    def _count(self, found: Sql) -> int:
        sql, values = found
        return int(self._ask(f"SELECT COUNT(*) FROM ({sql})", values)[0][0])  # noqa: S608 -- ours

    def _page(self, found: Sql, columns: Iterable[str], window: Window) -> list[tuple[int, ...]]:
        sql, values = found
        way = "DESC" if window.descending else "ASC"
        order = ", ".join(f"{name} {way}" for name in columns)
        return self._ask(
            f"SELECT * FROM ({sql}) ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 -- ours
            (*values, window.count, window.first),
        )

    def _ask(self, sql: str, values: tuple[str | int | bytes, ...]) -> list[tuple[int, ...]]:
        with self._lock:
            deadline = time.monotonic() + self._most_s
            self._database.set_progress_handler(
                lambda: int(time.monotonic() > deadline), _LOOK_EVERY
            )
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if time.monotonic() <= deadline:
                    raise
                raise SearchTooLongError(
                    f"the search was given up after {self._most_s:g} s; add a condition"
                ) from error
            finally:
                self._database.set_progress_handler(None, 0)


def _txs(conditions: Sequence[Condition], latest: int) -> Sql:
    """Height and position of the transactions that meet all conditions.

    Conditions on one type of event must be met by one event of it, as CometBFT has it.
    """
    parts: list[Sql] = [("SELECT height, position FROM txs WHERE height <= ?", (latest,))]
    by_type = sorted(conditions, key=_event_type)
    for kind, members in groupby(by_type, key=_event_type):
        if kind == "tx":
            parts += [_tx_part(one) for one in members]
        else:
            sql, values = _intersect([_event_part(one) for one in members])
            parts.append((f"SELECT height, position FROM ({sql})", values))  # noqa: S608 -- ours
    return _intersect(parts)


def _blocks(conditions: Sequence[Condition], latest: int) -> Sql:
    """The heights of blocks; this application gives blocks no events of their own."""
    parts: list[Sql] = [("SELECT height FROM blocks WHERE height <= ?", (latest,))]
    for one in conditions:
        if one.tag == "block.height":
            test, values = _test("height", one)
            parts.append((f"SELECT height FROM blocks WHERE {test}", values))  # noqa: S608 -- ours
        else:
            parts.append(("SELECT height FROM blocks WHERE 0", ()))
    return _intersect(parts)


def _event_type(condition: Condition) -> str:
    return condition.tag.rpartition(".")[0]


def _tx_part(condition: Condition) -> Sql:
    if condition.tag == "tx.height":
        test, values = _test("height", condition)
        return f"SELECT height, position FROM txs WHERE {test}", values  # noqa: S608 -- ours
    if condition.tag != "tx.hash" or condition.operator != "=":
        raise MalformedError(
            f"{condition.tag} {condition.operator} is no condition of transactions"
        )
    try:
        digest = bytes.fromhex(str(condition.operand))
    except ValueError as error:
        raise MalformedError("tx.hash must be hex") from error
    if len(digest) != _HASH_BYTES:
        raise MalformedError(f"tx.hash must have {_HASH_BYTES} bytes")
    return "SELECT height, position FROM txs WHERE hash = ?", (digest,)


def _event_part(condition: Condition) -> Sql:
    test, values = _test("value", condition)
    return (
        f"SELECT height, position, event FROM events WHERE tag = ? AND {test}",  # noqa: S608 -- ours
        (condition.tag, *values),
    )


def _test(column: str, condition: Condition) -> Sql:
    """One comparison; a text that begins with digits compares as their number, as in CometBFT."""
    operator, operand = condition.operator, condition.operand
    if operand is None:
        return "1", ()
    if operator == "CONTAINS":
        return f"instr({column}, ?) > 0", (operand,)
    if isinstance(operand, str):
        return f"{column} = ?", (operand,)
    return f"{column} GLOB '[0-9]*' AND CAST({column} AS INTEGER) {operator} ?", (operand,)


def _intersect(parts: Sequence[Sql]) -> Sql:
    return (
        " INTERSECT ".join(sql for sql, _ in parts),
        tuple(value for _, values in parts for value in values),
    )
