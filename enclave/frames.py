"""Frames on a pipe: ``u32be length ‖ u8 call number ‖ body``, length counting what follows it."""

import struct
from typing import Final

from enclave import codec
from enclave.calls import MAX_FRAME_BYTES
from enclave.errors import CallError

HEADER_BYTES: Final = 4

_LENGTH: Final = struct.Struct(">I")


def encode(number: int, message: object) -> bytes:
    """A message as a whole frame.

    Args:
        number: the request's call number, also in its reply; 0 for an error.
        message: a dataclass of :mod:`enclave.calls`.

    Raises:
        CallError: a field, or the frame, is out of its bounds.
    """
    body = codec.encode(message)
    size = 1 + len(body)
    if size > MAX_FRAME_BYTES:
        raise CallError("the frame is too long", expected=f"at most {MAX_FRAME_BYTES}")
    return b"".join((_LENGTH.pack(size), bytes((number,)), body))


def parse_length(header: bytes) -> int:
    """How many bytes follow a frame's first four.

    Raises:
        CallError: no frame has that length; whoever sent it is out of step.
    """
    (size,) = _LENGTH.unpack(header)
    if not 1 <= size <= MAX_FRAME_BYTES:
        raise CallError(
            "the frame's length is out of bounds",
            expected=f"1 to {MAX_FRAME_BYTES}",
            seen=str(size),
        )
    return int(size)
