"""The state of a large network: one key among a million, a block's changes, opening it again.

Everything is measured against SHA-256 over as many 65-byte inputs as an update must hash, the
least that any implementation of the same tree could do.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from bench.ratio import Ratio, measure
from enigmacli.app.merkle_map import MerkleTree, entry_hash
from enigmacli.app.overlay import Key
from enigmacli.app.state import StateStore

KEYS: Final = 1_000_000
NODES: Final = 100_000
CHANGES: Final = 100
_RECORD: Final = bytes(250)
"""About as long as the record of a registered node."""
_STORE: Final = "register"


def ratios() -> Iterator[Ratio]:
    tree = MerkleTree(hashlib.sha256(b"%d" % number).digest() for number in range(KEYS))
    numbers = count()
    depth = KEYS.bit_length()
    yield measure(
        "update of 1 key in 1,000,000 / its hashes alone",
        lambda: _update(tree, next(numbers)),
        _hashes(depth),
        runs=300,
        promised=15.0,
    )
    yield measure(
        "proof of 1 key in 1,000,000 / its hashes alone",
        lambda: tree.prove(next(numbers) * 7919 % KEYS),
        _hashes(depth),
        runs=300,
        promised=5.0,
    )
    with tempfile.TemporaryDirectory(prefix="enigma-bench-") as folder:
        yield from _store_ratios(Path(folder) / "state.db")


def _store_ratios(path: Path) -> Iterator[Ratio]:
    store = StateStore(path)
    _commit(store, {(_STORE, _key(number)): _RECORD for number in range(NODES)}, 1)
    rounds = count(1)
    yield measure(
        f"app hash of {CHANGES} changes, {NODES:,} nodes / hashes",
        lambda: store.prepare(_changes(next(rounds))),
        _hashes(CHANGES * NODES.bit_length()),
        runs=30,
        promised=15.0,
    )
    yield measure(
        f"commit of {CHANGES} changes, {NODES:,} nodes / hashes",
        lambda: _commit(store, _changes(next(rounds)), next(rounds)),
        _hashes(CHANGES * NODES.bit_length()),
        runs=10,
    )
    store.close()
    yield measure(
        f"opening a state of {NODES:,} nodes / its hashes",
        lambda: StateStore(path).close(),
        _hashes(2 * NODES),
        runs=3,
        promised=15.0,
    )


def _update(tree: MerkleTree, number: int) -> None:
    place = number * 7919 % KEYS
    tree.apply(tree.change({place: entry_hash(b"%d" % place, b"%d" % number)}))


def _hashes(times: int) -> Callable[[], None]:
    def work() -> None:
        node = bytes(65)
        for _ in range(times):
            hashlib.sha256(node).digest()

    return work


def _key(number: int) -> bytes:
    return b"node/" + number.to_bytes(32, "big")


def _changes(number: int) -> dict[Key, bytes]:
    return {
        (_STORE, _key((number * CHANGES + place) * 7919 % NODES)): b"%d" % number + _RECORD
        for place in range(CHANGES)
    }


def _commit(store: StateStore, changes: dict[Key, bytes], height: int) -> None:
    pending = store.prepare(changes)
    store.commit(pending, height=height, at_us=height, chain_id="bench-1", initial_height=1)
