"""Blocks, headers and commits with CometBFT 0.38's bytes and hashes.

Sources: cometbft v0.38 ``types/block.go``, ``types/canonical.go``, ``types/part_set.go``,
``types/params.go``, ``types/encoding_helper.go``. Its protobuf code writes messages that
are not nullable even when they are empty; each place where that matters sets them here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Self

from enigmacli import protobuf
from enigmacli.chain import merkle
from enigmacli.chain.block_time import ZERO_TIME_NS, from_timestamp, to_timestamp
from enigmacli.chain.results import TxResult, results_hash
from enigmacli.chain.validators import Validator, ValidatorSet, validator_address
from enigmacli.errors import MalformedError

__all__ = [
    "BLOCK_PROTOCOL",
    "EMPTY_HASH",
    "PART_SIZE",
    "ZERO_TIME_NS",
    "Block",
    "BlockFlag",
    "BlockId",
    "Commit",
    "CommitSig",
    "Header",
    "TxResult",
    "Validator",
    "ValidatorSet",
    "commit_hash",
    "consensus_hash",
    "data_hash",
    "encode_block",
    "header_hash",
    "make_block_id",
    "part_set_header",
    "precommit_sign_bytes",
    "results_hash",
    "validator_address",
    "vote_sign_bytes",
]

BLOCK_PROTOCOL: Final = 11
"""CometBFT 0.38's block version."""

PART_SIZE: Final = 65_536
"""Bytes of a part, as blocks are cut for gossip."""

EMPTY_HASH: Final = merkle.root([])
"""The root over nothing: of no transactions, no evidence, no results, no signatures."""

_PRECOMMIT: Final = 2


class BlockFlag(IntEnum):
    """What a validator's place in a commit says."""

    ABSENT = 1
    COMMIT = 2
    NIL = 3


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by its header's hash and the root over its parts; empty before the first."""

    hash: bytes = b""
    parts_total: int = 0
    parts_hash: bytes = b""

    def message(self) -> Any:
        """The id as a protobuf message."""
        return protobuf.new(
            "tendermint.types.BlockID",
            hash=self.hash,
            part_set_header=protobuf.new(
                "tendermint.types.PartSetHeader", total=self.parts_total, hash=self.parts_hash
            ),
        )

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``tendermint.types.BlockID``."""
        parts = message.part_set_header
        return cls(message.hash, parts.total, parts.hash)


@dataclass(frozen=True, slots=True)
class Header:
    """What a block says about itself and the state before it."""

    block_version: int
    app_version: int
    chain_id: str
    height: int
    time_ns: int
    """Nanoseconds since the Unix epoch."""
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    """Of the state after the block before."""
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes
    """20 bytes."""

    def message(self) -> Any:
        """The header as a protobuf message."""
        plain = {name: getattr(self, name) for name in _PLAIN_HEADER_FIELDS}
        return protobuf.new(
            "tendermint.types.Header",
            version=self.version_message(),
            time=to_timestamp(self.time_ns),
            last_block_id=self.last_block_id.message(),
            **plain,
        )

    def version_message(self) -> Any:
        """Block and application version as a protobuf message."""
        return protobuf.new(
            "tendermint.version.Consensus", block=self.block_version, app=self.app_version
        )

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``tendermint.types.Header``.

        Raises:
            MalformedError: its time is out of range.
        """
        plain = {name: getattr(message, name) for name in _PLAIN_HEADER_FIELDS}
        return cls(
            block_version=message.version.block,
            app_version=message.version.app,
            time_ns=from_timestamp(message.time),
            last_block_id=BlockId.of(message.last_block_id),
            **plain,
        )


_PLAIN_HEADER_FIELDS: Final = (
    "chain_id", "height", "last_commit_hash", "data_hash", "validators_hash",
    "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash", "evidence_hash",
    "proposer_address",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CommitSig:
    """One validator's place in a commit."""

    flag: BlockFlag
    validator_address: bytes = b""
    """20 bytes; empty where absent."""
    time_ns: int = ZERO_TIME_NS
    signature: bytes = b""
    """64 bytes, ed25519; empty where absent."""

    def message(self) -> Any:
        """The place as a protobuf message."""
        return protobuf.new(
            "tendermint.types.CommitSig",
            block_id_flag=int(self.flag),
            validator_address=self.validator_address,
            timestamp=to_timestamp(self.time_ns),
            signature=self.signature,
        )

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``tendermint.types.CommitSig``.

        Raises:
            MalformedError: unknown flag, or a time out of range.
        """
        return cls(
            read_flag(message.block_id_flag),
            message.validator_address,
            from_timestamp(message.timestamp),
            message.signature,
        )


@dataclass(frozen=True, slots=True)
class Commit:
    """The precommits that decided a block, in the validator set's order."""

    height: int = 0
    round: int = 0
    block_id: BlockId = BlockId()
    signatures: tuple[CommitSig, ...] = ()

    def message(self) -> Any:
        """The commit as a protobuf message."""
        return protobuf.new(
            "tendermint.types.Commit",
            height=self.height,
            round=self.round,
            block_id=self.block_id.message(),
            signatures=[place.message() for place in self.signatures],
        )

    def encode(self) -> bytes:
        """The commit's bytes."""
        return bytes(self.message().SerializeToString())

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``tendermint.types.Commit``.

        Raises:
            MalformedError: a place in it is malformed.
        """
        places = tuple(CommitSig.of(place) for place in message.signatures)
        return cls(message.height, message.round, BlockId.of(message.block_id), places)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a commit's bytes.

        Raises:
            MalformedError: ``data`` is no commit.
        """
        return cls.of(_parse("tendermint.types.Commit", data))


@dataclass(frozen=True, slots=True)
class Block:
    """A block without evidence of misbehaviour, which this version does not carry."""

    header: Header
    txs: tuple[bytes, ...]
    last_commit: Commit

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a block's bytes.

        Raises:
            MalformedError: ``data`` is no block, or carries evidence.
        """
        message = _parse("tendermint.types.Block", data)
        if message.evidence.evidence:
            raise MalformedError("blocks with evidence of misbehaviour are not supported")
        return cls(
            Header.of(message.header), tuple(message.data.txs), Commit.of(message.last_commit)
        )


def read_flag(number: int) -> BlockFlag:
    """A flag by its number.

    Raises:
        MalformedError: there is no such flag.
    """
    try:
        return BlockFlag(number)
    except ValueError:
        raise MalformedError(f"commit has an unknown block id flag {number}") from None


# --- hashes -------------------------------------------------------------------------------


def header_hash(header: Header) -> bytes:
    """The hash by which a block is known: a root over the header's 14 fields."""
    leaves = [
        _bytes(header.version_message()),
        _wrap("StringValue", header.chain_id),
        _wrap("Int64Value", header.height),
        _bytes(to_timestamp(header.time_ns)),
        _bytes(header.last_block_id.message()),
        *(_wrap("BytesValue", getattr(header, name)) for name in _PLAIN_HEADER_FIELDS[2:]),
    ]
    return merkle.root(leaves)


def commit_hash(commit: Commit) -> bytes:
    """The root over the places of a commit."""
    return merkle.root([_bytes(place.message()) for place in commit.signatures])


def data_hash(txs: Sequence[bytes]) -> bytes:
    """The root over the hashes of a block's transactions."""
    return merkle.root([hashlib.sha256(tx).digest() for tx in txs])


def consensus_hash(max_bytes: int, max_gas: int) -> bytes:
    """The hash over the two consensus parameters that headers commit to."""
    params = protobuf.new(
        "tendermint.types.HashedParams", block_max_bytes=max_bytes, block_max_gas=max_gas
    )
    return hashlib.sha256(_bytes(params)).digest()


def encode_block(block: Block) -> bytes:
    """The block's bytes, as they are gossiped and stored."""
    message = protobuf.new(
        "tendermint.types.Block",
        header=block.header.message(),
        data=protobuf.new("tendermint.types.Data", txs=block.txs),
        evidence=protobuf.new("tendermint.types.EvidenceList"),
        last_commit=block.last_commit.message(),
    )
    return _bytes(message)


def part_set_header(block: bytes) -> tuple[int, bytes]:
    """How many parts a block's bytes are cut into, and the root over them."""
    parts = [block[at : at + PART_SIZE] for at in range(0, len(block), PART_SIZE)]
    return len(parts), merkle.root(parts)


def make_block_id(block: Block) -> BlockId:
    """The id that votes for this block name."""
    return BlockId(header_hash(block.header), *part_set_header(encode_block(block)))


# --- votes --------------------------------------------------------------------------------


def vote_sign_bytes(chain_id: str, commit: Commit, index: int) -> bytes:
    """What the validator at ``index`` of a commit signed."""
    place = commit.signatures[index]
    block_id = commit.block_id if place.flag is BlockFlag.COMMIT else BlockId()
    return precommit_sign_bytes(chain_id, commit.height, commit.round, block_id, place.time_ns)


def precommit_sign_bytes(
    chain_id: str, height: int, round_: int, block_id: BlockId, time_ns: int
) -> bytes:
    """A precommit's canonical bytes, length first; an empty ``block_id`` votes for none."""
    vote = protobuf.new(
        "tendermint.types.CanonicalVote",
        type=_PRECOMMIT,
        height=height,
        round=round_,
        timestamp=to_timestamp(time_ns),
        chain_id=chain_id,
    )
    if block_id != BlockId():
        vote.block_id.hash = block_id.hash
        parts = vote.block_id.part_set_header
        parts.SetInParent()
        parts.total, parts.hash = block_id.parts_total, block_id.parts_hash
    encoded = _bytes(vote)
    return merkle.uvarint(len(encoded)) + encoded


def _wrap(kind: str, value: Any) -> bytes:
    """A single value as CometBFT's ``cdcEncode`` writes it; an empty one is no bytes."""
    return _bytes(protobuf.new(f"google.protobuf.{kind}", value=value))


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _parse(name: str, data: bytes) -> Any:
    try:
        return protobuf.parse(name, data)
    except ValueError as error:
        raise MalformedError(f"bytes are no {name.rpartition('.')[2].lower()}") from error
