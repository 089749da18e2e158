"""How messages stand on an ABCI socket: an unsigned varint with their length, then their bytes.

Source: CometBFT v0.38, ``libs/protoio/{reader,writer}.go`` and ``abci/types/messages.go``.
"""

from collections.abc import Iterator
from typing import Final

MAX_MESSAGE_BYTES: Final = 100 * 1024 * 1024
"""CometBFT's own limit (``maxMsgSize``)."""

_MAX_PREFIX_BYTES: Final = 4  # enough for the limit; a longer prefix is refused unread
_MORE: Final = 0x80


class FrameError(ValueError):
    """The other side does not speak this protocol; nothing more can be read from it."""


class FrameReader:
    """Cuts a stream into messages.

    Args:
        max_message_bytes: a longer message is refused when its prefix arrives.
    """

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max_message_bytes = max_message_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take up the next bytes of the stream; the messages that are complete now, in order.

        Raises:
            FrameError: a message longer than the limit, or an overlong prefix.
        """
        self._rest += data
        while (found := self._prefix()) is not None:
            start, size = found
            if len(self._rest) < start + size:
                return
            message = bytes(self._rest[start : start + size])
            del self._rest[: start + size]
            yield message

    def _prefix(self) -> tuple[int, int] | None:
        """Where the next message starts and its size; ``None`` while the prefix is incomplete."""
        size = 0
        for place, byte in enumerate(self._rest[:_MAX_PREFIX_BYTES]):
            size |= (byte & ~_MORE) << 7 * place
            if byte & _MORE:
                continue
            if size > self._max_message_bytes:
                raise FrameError(f"a message of {size} bytes, over {self._max_message_bytes}")
            return place + 1, size
        if len(self._rest) >= _MAX_PREFIX_BYTES:
            raise FrameError("a length that no message has")
        return None


def encode_frame(message: bytes) -> bytes:
    """The message with its length before it."""
    prefix = bytearray()
    size = len(message)
    while size >= _MORE:
        prefix.append(size & ~_MORE & 0xFF | _MORE)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + message
