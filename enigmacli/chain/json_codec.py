"""CometBFT's JSON, value by value: how each kind is written, and read from hostile input.

Source: cometbft v0.38 ``libs/json`` and ``libs/bytes``: 64-bit numbers are strings, 32-bit
ones numbers; hashes upper-case hex, other bytes base64; an empty slice may be ``null``.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from enigmacli.chain.block_time import format_time, parse_time
from enigmacli.errors import MalformedError

_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_INT64: Final = range(-(2**63), 2**63)
_UINT64: Final = range(2**64)
_UINT32: Final = range(2**32)
_INT32: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions of one kind of value; ``read`` gets the value's name for its errors."""

    write: Callable[[Any], Any]
    read: Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an object.

    ``path`` may lead through inner objects (``parts.total``); ``attribute`` is the value's
    name in the dataclass, or ``None`` for what is written but not kept.
    """

    path: str
    attribute: str | None
    codec: Codec
    missing: Any = ...
    """What an absent value means; absence is refused by default."""
    omit: bool = False
    """Whether a value equal to ``missing`` is left out."""


def record(make: Callable[..., Any], *members: Field) -> Codec:
    """A dataclass as an object, made by ``make`` from its members.

    Unknown members are passed over, as CometBFT's own clients do.
    """

    def write(value: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for member in members:
            item = getattr(value, member.attribute) if member.attribute else None
            if member.omit and item == member.missing:
                continue
            *parents, last = member.path.split(".")
            place = result
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = member.codec.write(item)
        return result

    def read(value: Any, name: str) -> Any:
        found = ((one.attribute, _read_member(one, value, name)) for one in members)
        return make(**{attribute: item for attribute, item in found if attribute})

    return Codec(write, read)


def _read_member(member: Field, value: Any, name: str) -> Any:
    for part in member.path.split("."):
        if not isinstance(value, dict):
            raise MalformedError(f"{name} is not an object")
        if value.get(part) is None and member.missing is not ...:
            return member.missing
        if part not in value:
            raise MalformedError(f"{name} has no {member.path}")
        value = value[part]
    return member.codec.read(value, f"{name}.{member.path}")


def listing(item: Codec, *, nil: bool = False) -> Codec:
    """A tuple as a list; with ``nil`` an empty one is written as null."""

    def write(values: tuple[Any, ...]) -> list[Any] | None:
        return [item.write(value) for value in values] or ([] if not nil else None)

    def read(value: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            if value is None:
                return ()
            raise MalformedError(f"{name} is not a list")
        return tuple(item.read(one, f"{name}[{at}]") for at, one in enumerate(value))

    return Codec(write, read)


def constant(value: Any, *, allowed: tuple[Any, ...] | None = None) -> Codec:
    """Something always written alike; read with no effect, or refused unless ``allowed``."""

    def read(seen: Any, name: str) -> None:
        if allowed is not None and seen not in allowed:
            raise MalformedError(f"{name} is not supported")

    return Codec(lambda _: value, read)


def _read_decimal(bounds: range) -> Callable[[Any, str], int]:
    def read(value: Any, name: str) -> int:
        if isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) in bounds:
            return int(value)
        raise MalformedError(f"{name} is not an integer in a string, or out of range")

    return read


def _read_number(bounds: range) -> Callable[[Any, str], int]:
    def read(value: Any, name: str) -> int:
        if type(value) is int and value in bounds:
            return value
        raise MalformedError(f"{name} is not a number, or out of range")

    return read


def _read_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"{name} is not a string")
    return value


def _read_bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedError(f"{name} is neither true nor false")
    return value


def _read_hex(value: Any, name: str) -> bytes:
    try:
        return binascii.unhexlify(_read_text(value, name))
    except ValueError as error:
        raise MalformedError(f"{name} is not hex") from error


def _read_base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(_read_text(value, name), validate=True)
    except ValueError as error:
        raise MalformedError(f"{name} is not base64") from error


def _read_optional_base64(value: Any, name: str) -> bytes:
    return b"" if value is None else _read_base64(value, name)


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write_optional_base64(value: bytes) -> str | None:
    return _write_base64(value) if value else None


INT64: Final = Codec(str, _read_decimal(_INT64))
UINT64: Final = Codec(str, _read_decimal(_UINT64))
UINT32: Final = Codec(int, _read_number(_UINT32))
INT32: Final = Codec(int, _read_number(_INT32))
TEXT: Final = Codec(str, _read_text)
BOOL: Final = Codec(bool, _read_bool)
HEX: Final = Codec(lambda value: value.hex().upper(), _read_hex)
BASE64: Final = Codec(_write_base64, _read_base64)
OPTIONAL_BASE64: Final = Codec(_write_optional_base64, _read_optional_base64)
TIME: Final = Codec(format_time, lambda value, name: parse_time(_read_text(value, name)))
