"""CometBFT's Merkle trees and the ``simple:v`` store proofs (protocol.md section 9).

Tree: RFC 6962 section 2.1 (leaf prefix 0x00, inner prefix 0x01, split at the largest power
of two below the count), as in CometBFT ``crypto/merkle``. A map's leaf is
``uvarint(len(key)) ‖ key ‖ uvarint(32) ‖ SHA-256(value)`` (``proof_value.go``).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from enigmacli import protobuf
from enigmacli.errors import MalformedError, UntrustedAnswerError

VALUE_OP: Final = "simple:v"
"""The type of the operator that proves one key of a map."""

HASH_SIZE: Final = 32
_MAX_AUNTS: Final = 100  # CometBFT crypto/merkle, MaxAunts
_EMPTY: Final = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves' bytes; SHA-256 of nothing where there are none."""
    return root_of_hashes([leaf_hash(leaf) for leaf in leaves])


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    if not hashes:
        return _EMPTY
    level = list(hashes)
    while len(level) > 1:  # pairing from the left gives the same shape as splitting
        pairs = [inner_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def map_leaf(key: bytes, value: bytes) -> bytes:
    """The bytes of a map's leaf."""
    return uvarint(len(key)) + key + uvarint(HASH_SIZE) + hashlib.sha256(value).digest()


def prove(leaves: Sequence[bytes], index: int) -> "Proof":
    """The proof of one leaf among ``leaves``; needs all of them."""
    level = [leaf_hash(leaf) for leaf in leaves]
    own, at, aunts = level[index], index, []
    while len(level) > 1:
        if at ^ 1 < len(level):
            aunts.append(level[at ^ 1])
        pairs = [inner_hash(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level, at = pairs + level[len(level) & ~1 :], at // 2
    return Proof(len(leaves), index, own, tuple(aunts))


@dataclass(frozen=True, slots=True)
class Proof:
    """That a leaf stands at an index of a tree (CometBFT ``crypto/merkle/proof.go``)."""

    total: int
    index: int
    leaf_hash: bytes
    aunts: tuple[bytes, ...]
    """Sibling hashes from the leaf upwards."""

    def root(self) -> bytes:
        """The root that leaf hash and aunts lead to.

        Raises:
            UntrustedAnswerError: the number of aunts does not fit index and total.
        """
        if not 0 <= self.index < self.total or len(self.aunts) > _MAX_AUNTS:
            raise UntrustedAnswerError("merkle proof has an index outside of its tree")
        node, at, width = self.leaf_hash, self.index, self.total
        aunts = iter(self.aunts)
        while width > 1:
            if at ^ 1 < width:
                aunt = next(aunts, b"")
                if not aunt:
                    raise UntrustedAnswerError("merkle proof has too few aunts")
                node = inner_hash(aunt, node) if at & 1 else inner_hash(node, aunt)
            at, width = at // 2, (width + 1) // 2
        if next(aunts, None) is not None:
            raise UntrustedAnswerError("merkle proof has too many aunts")
        return node

    def verify(self, root: bytes, leaf: bytes) -> None:
        """Check that ``leaf`` stands under ``root``.

        Raises:
            UntrustedAnswerError: it does not.
        """
        if leaf_hash(leaf) != self.leaf_hash:
            raise UntrustedAnswerError("merkle proof is that of another leaf")
        if self.root() != root:
            raise UntrustedAnswerError("merkle proof leads to another root")

    def message(self) -> Any:
        """The proof as a protobuf message."""
        return protobuf.new(
            "tendermint.crypto.Proof",
            total=self.total,
            index=self.index,
            leaf_hash=self.leaf_hash,
            aunts=self.aunts,
        )

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``tendermint.crypto.Proof``.

        Raises:
            MalformedError: a hash has another length, or there are too many.
        """
        hashes = [message.leaf_hash, *message.aunts]
        if any(len(node) != HASH_SIZE for node in hashes) or len(message.aunts) > _MAX_AUNTS:
            raise MalformedError("merkle proof has a hash of another length, or too many")
        if message.total < 0 or message.index < 0:
            raise MalformedError("merkle proof has a negative number")
        return cls(message.total, message.index, message.leaf_hash, tuple(message.aunts))


@dataclass(frozen=True, slots=True)
class ProofOp:
    """One operator of a proof, as ``abci_query`` returns it."""

    type: str
    key: bytes
    data: bytes


def value_op(key: bytes, proof: Proof) -> ProofOp:
    """The ``simple:v`` operator that proves ``key`` by ``proof``."""
    message = protobuf.new("tendermint.crypto.ValueOp", key=key, proof=proof.message())
    return ProofOp(VALUE_OP, key, bytes(message.SerializeToString()))


def verify_store_proof(
    app_hash: bytes, store: str, key: bytes, value: bytes, ops: Sequence[ProofOp]
) -> None:
    """Check that a store of the state holds ``value`` under ``key``.

    As CometBFT's ``ProofOperators.Verify`` over the key path ``/store/key``: each operator
    must prove its own key of the path, and its root is the next one's value.

    Args:
        app_hash: the trusted root, of the header that follows the queried height.
        store: name of the store.
        key: raw key in the store.
        value: as answered; empty is refused, since it stands for absence.
        ops: the key's operator, then the store's.

    Raises:
        UntrustedAnswerError: the proof does not lead from the value to ``app_hash``.
        MalformedError: an operator cannot be read.
    """
    path = (key, store.encode())
    if not value:
        raise UntrustedAnswerError("an absent value cannot be proven")
    if len(ops) != len(path):
        raise UntrustedAnswerError(f"store proof needs {len(path)} operators, got {len(ops)}")
    argument = value
    for op, name in zip(ops, path, strict=True):
        argument = _run_value_op(op, name, argument)
    if argument != app_hash:
        raise UntrustedAnswerError(
            "store proof leads to another app hash",
            details={"expected": app_hash.hex(), "seen": argument.hex()},
        )


def _run_value_op(op: ProofOp, key: bytes, value: bytes) -> bytes:
    """The root that the operator computes from ``value``."""
    if op.type != VALUE_OP:
        raise UntrustedAnswerError(f"store proof has an operator {op.type[:40]!r}")
    try:
        message = protobuf.parse("tendermint.crypto.ValueOp", op.data)
    except ValueError as error:
        raise MalformedError("store proof has an operator that cannot be read") from error
    if op.key != key or message.key not in (b"", key):
        raise UntrustedAnswerError("store proof is that of another key")
    proof = Proof.of(message.proof)
    if leaf_hash(map_leaf(key, value)) != proof.leaf_hash:
        raise UntrustedAnswerError("store proof is that of another value")
    return proof.root()


def uvarint(number: int) -> bytes:
    """A number as protobuf's unsigned varint."""
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
