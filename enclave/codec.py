"""How a message of :mod:`enclave.calls` becomes bytes, and back, with bounds on every field.

A body is its fields in order: ``bytes`` and ``str`` as ``u32be length ‖ data`` (UTF-8),
``int`` as ``u64be``, ``bool`` as one byte, a tuple as ``u32be count`` and its items, a
nested dataclass as its fields. There is one encoding of each value; whatever is longer,
shorter or out of bounds is refused.
"""

import struct
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

from enclave.errors import CallError

_U32: Final = struct.Struct(">I")
_U64: Final = struct.Struct(">Q")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bound:
    """From ``least`` to ``most``: bytes of text and bytes, value of integers, items of tuples."""

    least: int
    most: int

    def check(self, name: str, number: int) -> None:
        """Refuse a number out of bounds, and what is no integer at all.

        Raises:
            CallError: field ``name`` is out of bounds.
        """
        if type(number) is not int or not self.least <= number <= self.most:
            raise CallError(
                f"field {name} is out of bounds",
                expected=f"{self.least} to {self.most}",
                seen=str(number),
            )


def at_most(most: int) -> Bound:
    """Nothing up to ``most``."""
    return Bound(0, most)


def exactly(size: int) -> Bound:
    """``size`` and nothing else."""
    return Bound(size, size)


Key = Annotated[bytes, exactly(32)]
"""32 bytes: a public key, a digest, a measurement."""
Int = Annotated[int, at_most(2**63 - 1)]
"""Any integer that is not negative and fits 63 bits."""


def encode(message: object) -> bytes:
    """A message's body.

    Raises:
        CallError: a field is out of its bounds.
    """
    kind: Any = type(message)
    return b"".join(
        _encode_value(hint, getattr(message, name), name) for name, hint in _layout(kind)
    )


def decode(cls: type[T], body: bytes) -> T:
    """Read a body as ``cls``.

    Raises:
        CallError: too short, too long, a field out of bounds, or text that is not UTF-8.
    """
    reader = _Reader(body)
    message: T = _decode_message(cls, reader)
    if reader.at != len(body):
        raise CallError(f"{cls.__name__} has {len(body) - reader.at} bytes too many")
    return message


@cache
def _layout(cls: Any) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple((f.name, hints[f.name]) for f in fields(cls))


def _bounded(hint: Any) -> tuple[Any, Bound]:
    kind, bound = get_args(hint)
    return kind, bound


def _encode_value(hint: Any, value: Any, name: str) -> bytes:
    if hint is bool:
        return b"\x01" if value else b"\x00"
    if get_origin(hint) is not Annotated:
        return encode(value)
    kind, bound = _bounded(hint)
    if kind is int:
        bound.check(name, value)
        return _U64.pack(value)
    data = _encode_text(value, name) if kind is str else value
    bound.check(name, len(data))
    if get_origin(kind) is tuple:
        data = b"".join(_encode_value(get_args(kind)[0], item, name) for item in value)
    return b"".join((_U32.pack(len(value if get_origin(kind) is tuple else data)), data))


def _encode_text(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CallError(f"field {name} is not Unicode text") from error


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def take(self, size: int) -> bytes:
        chunk = self.body[self.at : self.at + size]
        if len(chunk) != size:
            raise CallError("the message is truncated")
        self.at += size
        return chunk

    def number(self, layout: struct.Struct) -> int:
        return int(layout.unpack(self.take(layout.size))[0])


def _decode_message(cls: Any, reader: _Reader) -> Any:
    return cls(**{name: _decode_value(hint, reader, name) for name, hint in _layout(cls)})


def _decode_bool(reader: _Reader) -> bool:
    byte = reader.take(1)
    if byte not in (b"\x00", b"\x01"):
        raise CallError("a boolean is neither 0 nor 1", seen=byte.hex())
    return byte == b"\x01"


def _decode_text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CallError(f"field {name} is not UTF-8") from error


def _decode_value(hint: Any, reader: _Reader, name: str) -> Any:
    if hint is bool:
        return _decode_bool(reader)
    if get_origin(hint) is not Annotated:
        return _decode_message(hint, reader)
    kind, bound = _bounded(hint)
    number = reader.number(_U64 if kind is int else _U32)
    bound.check(name, number)
    if kind is int:
        return number
    if get_origin(kind) is tuple:
        return tuple(_decode_value(get_args(kind)[0], reader, name) for _ in range(number))
    data = reader.take(number)
    return _decode_text(data, name) if kind is str else data
