"""Protobuf as ADR-027 wants it: one encoding for each value, and nothing unknown.

Parsers of protobuf accept much that encoders never write (fields out of order, repeated
scalars, long varints, explicit defaults, unknown fields). Here a message is read, written
again, and refused unless the bytes are the same. Source: cosmos-sdk ADR-027.
"""

from typing import Any

from enigmacli import protobuf
from enigmacli.chain.sdk_codes import TxInvalidError


def parse_canonical(name: str, data: bytes) -> Any:
    """Read ``data`` as the message with the full name ``name``.

    Raises:
        TxInvalidError: not such a message, or not in its one encoding.
    """
    short = name.rpartition(".")[2]
    try:
        message = protobuf.parse(name, data)
    except ValueError as error:
        raise TxInvalidError("protobuf", f"bytes are no {short}") from error
    message.DiscardUnknownFields()
    if message.SerializeToString() != data:
        raise TxInvalidError(
            "canonical-encoding", f"{short} has unknown fields or is not in canonical encoding"
        )
    return message
