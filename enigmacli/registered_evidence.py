"""The evidence that registered a node, out of block history.

The state keeps SHA-256 of a node's evidence and the height of its block; the evidence itself
is in the register transaction there. Record and header are proven where this home can
verify anything, so a server can withhold evidence, and not put other evidence in its place.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from enigmacli.chain.answers import BlockAnswer
from enigmacli.chain.blocks import Header, data_hash, header_hash
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.records import NodeRecord
from enigmacli.chain.tx import TxInvalidError, decode_tx, parse_confirm
from enigmacli.errors import NotFoundError, UntrustedAnswerError


class Blocks(Protocol):
    """A node's blocks, which it may lie about."""

    def block(self, height: int | None = None) -> BlockAnswer:
        """The block of a height."""
        ...


class Headers(Protocol):
    """Headers whose commits were verified."""

    def header(self, height: int) -> Header | None:
        """The verified header of a height; None where nothing leads to it.

        Raises:
            UntrustedAnswerError: what the node gives is not the chain's.
        """
        ...


@dataclass(frozen=True, slots=True)
class RegisteredEvidence:
    """What a node was admitted with."""

    certificate: bytes
    """The field of the register transaction."""
    sender: bytes
    """20 bytes of account."""
    at_us: int
    """The block's time, at which the network judged: microseconds since the Unix epoch."""
    proven: bool
    """Whether the block is the one that a verified header names."""


def find_evidence(record: NodeRecord, blocks: Blocks, headers: Headers) -> RegisteredEvidence:
    """Find what a record was written from.

    Args:
        record: of the node; believed.
        blocks: of the node that is asked.
        headers: what can be verified of them.

    Raises:
        NotFoundError: the node no longer holds the block, or the evidence is not in it.
        UntrustedAnswerError: the block is not the chain's.
    """
    block = blocks.block(record.height).block
    if data_hash(block.txs) != block.header.data_hash:
        raise UntrustedAnswerError(
            f"the node's block {record.height} holds other transactions than its header says"
        )
    verified = headers.header(record.height)
    if verified is not None and header_hash(verified) != header_hash(block.header):
        raise UntrustedAnswerError(
            f"the node's block {record.height} has another header than the chain's",
            details={
                "expected": header_hash(verified).hex(),
                "seen": header_hash(block.header).hex(),
            },
        )
    for register, confirm in pairwise(block.txs):
        message = registration_of(record, register, confirm)
        if message is not None:
            return RegisteredEvidence(
                message.certificate,
                message.sender,
                block.header.time_ns // 1000,
                proven=verified is not None,
            )
    raise NotFoundError(f"block {record.height} does not hold the evidence")


def registration_of(record: NodeRecord, register: bytes, confirm: bytes) -> RaAuthenticate | None:
    """The message of the transaction ``register``, if it and ``confirm`` wrote the record."""
    try:
        message = decode_tx(register).register
        confirmed = parse_confirm(confirm)
    except TxInvalidError:
        return None
    if message is None or confirmed.node_id != record.node_id:
        return None
    digest = hashlib.sha256(message.certificate).digest()
    return message if digest == record.evidence_sha256 else None
