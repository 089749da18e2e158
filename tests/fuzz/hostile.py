"""Long input of the kinds that cost a careless parser most."""

from collections.abc import Callable
from functools import cache
from types import MappingProxyType
from typing import Final

Maker = Callable[[bytes, int], bytes]
"""Makes so many bytes, from a genuine input that most do not look at."""


def _filled(pattern: bytes) -> Maker:
    return lambda _, size: _repeat(pattern, size)


def _repeat(pattern: bytes, size: int) -> bytes:
    return (pattern * (size // max(len(pattern), 1) + 1))[:size]


def _nested_der(_: bytes, size: int) -> bytes:
    """Sequences in each other, with lengths that are right."""
    data = bytearray(size)
    at, left = 0, size
    while left > 8:
        left -= 6
        data[at : at + 6] = b"\x30\x84" + left.to_bytes(4, "big")
        at += 6
    return bytes(data)


HOSTILE: Final = MappingProxyType[str, Maker](
    {
        "zeros": _filled(b"\0"),
        "ones": _filled(b"\xff"),
        "letters": _filled(b"A"),
        "digits": _filled(b"9"),
        "spaces": _filled(b" "),
        "open lists": _filled(b"["),
        "open objects": _filled(b'{"a":'),
        "one string": lambda _, size: b'"' + b"a" * (size - 2) + b'"',
        "escapes": _filled(b'"\\'),
        "many members": lambda _, size: b"{" + b'"a":1,' * (size // 6) + b'"b":1}',
        "certificates begin": _filled(b"-----BEGIN CERTIFICATE-----"),
        "one long certificate": lambda _, size: (
            b"-----BEGIN CERTIFICATE-----\n"
            + b"QUJD" * (size // 4)
            + b"\n-----END CERTIFICATE-----"
        ),
        "nested DER": _nested_der,
        "protobuf groups": _filled(b"\x0b"),
        "nested protobuf": _filled(b"\x0a\x7f"),
        "empty values": _filled(b"\x02\0\0\0\0"),
        "genuine and more": lambda genuine, size: genuine + bytes(size),
        "genuine repeated": _repeat,
    }
)
"""By name."""


@cache
def _made(kind: str, size: int) -> bytes:
    return HOSTILE[kind](b"", size)


def make_hostile(kind: str, genuine: bytes, size: int) -> bytes:
    """One of them; those that do not depend on ``genuine`` are made once."""
    return HOSTILE[kind](genuine, size) if kind.startswith("genuine") else _made(kind, size)
