"""What the registration module keeps of a node (protocol.md section 9), as a value."""

from dataclasses import dataclass
from typing import Any, Final, Self

from enigmacli import protobuf
from enigmacli.errors import MalformedError

NODE_PREFIX: Final = b"\x01"
"""Raw key of a record in store ``register``: this, then the node_id."""

NODE_ID_SIZE: Final = 32
"""Bytes of a node_id."""

_NAME: Final = "enigma.registration.v1.NodeRecord"


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A registered node, as the state says it."""

    node_id: bytes
    """32 bytes; the record's key, not part of its value."""
    evidence_sha256: bytes
    """SHA-256 of the certificate field; the evidence itself is in block history."""
    encrypted_seed: bytes
    """48 bytes for each epoch, epoch 0 first."""
    owner: bytes
    """20 bytes of account, zero where the policy requires no owner."""
    height: int
    """Of the block that wrote the record last."""
    evidence_kind: str
    measurement: bytes
    tcb_status: str
    epoch: int

    @classmethod
    def parse(cls, node_id: bytes, value: bytes) -> Self:
        """Read the value stored under ``node_id``.

        Raises:
            MalformedError: it is no record, or ``node_id`` is not 32 bytes.
        """
        try:
            message = protobuf.parse(_NAME, value)
        except ValueError as error:
            raise MalformedError("node record cannot be read") from error
        return cls.of(node_id, message)

    @classmethod
    def of(cls, node_id: bytes, message: Any) -> Self:
        """Read an ``enigma.registration.v1.NodeRecord``.

        Raises:
            MalformedError: ``node_id`` is not 32 bytes.
        """
        if len(node_id) != NODE_ID_SIZE:
            raise MalformedError(f"a node_id is {NODE_ID_SIZE} bytes, got {len(node_id)}")
        return cls(
            node_id=node_id,
            evidence_sha256=message.evidence_sha256,
            encrypted_seed=message.encrypted_seed,
            owner=message.owner,
            height=message.height,
            evidence_kind=message.evidence_kind,
            measurement=message.measurement,
            tcb_status=message.tcb_status,
            epoch=message.epoch,
        )


def node_key(node_id: bytes) -> bytes:
    """The raw key of a record in store ``register``."""
    return NODE_PREFIX + node_id
