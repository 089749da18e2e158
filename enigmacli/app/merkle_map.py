"""The tree of a Merkle map: O(log n) updates and proofs (protocol.md section 9).

Levels are kept from the leaves up; the last node of a level of odd length is promoted. That
gives the shape of RFC 6962 (split at the largest power of two), which CometBFT uses. Leaves
are only ever added or replaced, so the tree only grows.

Changes are computed as a :class:`TreeChange` beside the tree, which is not touched until
:meth:`MerkleTree.apply`: a block that is decided otherwise is simply forgotten.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from enigmacli.chain.merkle import (
    HASH_SIZE,
    Proof,
    inner_hash,
    leaf_hash,
    map_leaf,
    root_of_hashes,
)

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""


def entry_hash(key: bytes, value: bytes) -> bytes:
    """The leaf hash of a map's entry."""
    return leaf_hash(map_leaf(key, value))


@dataclass(frozen=True, slots=True)
class TreeChange:
    """A tree's next version: its changed nodes by level and place, and its new root."""

    size: int
    """Number of leaves."""
    levels: tuple[Mapping[int, bytes], ...]
    root: bytes


class MerkleTree:
    """Leaf hashes and all inner nodes, 64 bytes of memory for each leaf."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Build a tree over leaf hashes, in their order; O(n)."""
        self._levels = [bytearray(b"".join(leaves))]
        while len(self._levels[-1]) > HASH_SIZE:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_SIZE

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return bytes(self._levels[-1]) or EMPTY_ROOT

    def change(self, leaves: Mapping[int, bytes]) -> TreeChange:
        """What the tree becomes with the leaf hashes of ``leaves``, by index.

        Indices from :attr:`size` on are new leaves; there must be no gap.
        """
        size = width = max(self.size, max(leaves, default=-1) + 1)
        if sum(index >= self.size for index in leaves) != size - self.size:
            raise ValueError("a new leaf leaves a gap")
        levels: list[Mapping[int, bytes]] = [leaves]
        while width > 1:
            levels.append(self._parents_of(len(levels) - 1, levels[-1], width))
            width = (width + 1) // 2
        return TreeChange(size, tuple(levels), levels[-1].get(0, self.root))

    def apply(self, change: TreeChange) -> None:
        """Become what ``change``, computed from this very state, says."""
        for number, nodes in enumerate(change.levels):
            if number == len(self._levels):
                self._levels.append(bytearray())
            level = self._levels[number]
            for place in sorted(nodes):
                level[place * HASH_SIZE : (place + 1) * HASH_SIZE] = nodes[place]

    def prove(self, index: int) -> Proof:
        """The proof of the leaf at ``index``; O(log n)."""
        own, place, aunts = self._node(0, index), index, []
        for number in range(len(self._levels) - 1):
            if (place ^ 1) * HASH_SIZE < len(self._levels[number]):
                aunts.append(self._node(number, place ^ 1))
            place //= 2
        return Proof(self.size, index, own, tuple(aunts))

    def _node(self, number: int, place: int) -> bytes:
        return bytes(self._levels[number][place * HASH_SIZE : (place + 1) * HASH_SIZE])

    def _parents_of(
        self, number: int, changed: Mapping[int, bytes], width: int
    ) -> Mapping[int, bytes]:
        """The nodes above ``changed``, which are some of level ``number``, ``width`` nodes wide."""

        def node(place: int) -> bytes:
            return changed[place] if place in changed else self._node(number, place)

        return {
            parent: inner_hash(node(2 * parent), node(2 * parent + 1))
            if 2 * parent + 1 < width
            else node(2 * parent)
            for parent in sorted({place // 2 for place in changed})
        }


def map_root(entries: Mapping[str, bytes]) -> bytes:
    """The root of the map from name to value, entries in ascending order of their names."""
    return root_of_hashes([entry_hash(name.encode(), entries[name]) for name in sorted(entries)])


def _parents(level: bytearray) -> bytearray:
    nodes = [bytes(level[at : at + HASH_SIZE]) for at in range(0, len(level), HASH_SIZE)]
    above = [inner_hash(*nodes[at : at + 2]) for at in range(0, len(nodes) - 1, 2)]
    return bytearray(b"".join(above + nodes[len(nodes) & ~1 :]))
