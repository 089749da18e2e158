"""RIPEMD-160, also where the system's OpenSSL was built without it.

Source: H. Dobbertin, A. Bosselaers, B. Preneel, "RIPEMD-160: a strengthened version of
RIPEMD" (1996), appendix A. Both ways give the same digest; a node's state depends on it.
"""

import hashlib
import struct
from typing import Final

_ORDER_LEFT: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8),
    (3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12),
    (1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2),
    (4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13),
)
_ORDER_RIGHT: Final = (
    (5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12),
    (6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2),
    (15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13),
    (8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14),
    (12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11),
)
_SHIFT_LEFT: Final = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12),
    (11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5),
    (11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12),
    (9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6),
)
_SHIFT_RIGHT: Final = (
    (8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6),
    (9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11),
    (9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5),
    (15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8),
    (8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11),
)
_CONSTANT_LEFT: Final = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_CONSTANT_RIGHT: Final = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_BLOCK: Final = 64
_MASK: Final = 0xFFFFFFFF

_State = tuple[int, int, int, int, int]


def ripemd160(data: bytes) -> bytes:
    """The 20-byte digest of ``data``."""
    try:
        return hashlib.new("ripemd160", data, usedforsecurity=False).digest()
    except ValueError:  # OpenSSL 3 without its legacy provider
        return ripemd160_portable(data)


def ripemd160_portable(data: bytes) -> bytes:
    """The same digest with no help of the system's libraries."""
    padding = b"\x80" + bytes(-(len(data) + 9) % _BLOCK) + struct.pack("<Q", 8 * len(data))
    padded = data + padding
    state: _State = _START
    for at in range(0, len(padded), _BLOCK):
        state = _compress(state, struct.unpack_from("<16I", padded, at))
    return struct.pack("<5I", *state)


def _compress(state: _State, words: tuple[int, ...]) -> _State:
    left = right = state
    for turn in range(5):
        left = _line(
            left, words, turn, (_ORDER_LEFT[turn], _SHIFT_LEFT[turn], _CONSTANT_LEFT[turn])
        )
        right = _line(
            right, words, 4 - turn, (_ORDER_RIGHT[turn], _SHIFT_RIGHT[turn], _CONSTANT_RIGHT[turn])
        )
    a, b, c, d, e = state
    return (
        b + left[2] + right[3] & _MASK,
        c + left[3] + right[4] & _MASK,
        d + left[4] + right[0] & _MASK,
        e + left[0] + right[1] & _MASK,
        a + left[1] + right[2] & _MASK,
    )


def _line(
    state: _State,
    words: tuple[int, ...],
    function: int,
    plan: tuple[tuple[int, ...], tuple[int, ...], int],
) -> _State:
    """Sixteen steps of one line with one of the five functions."""
    a, b, c, d, e = state
    for word, shift in zip(plan[0], plan[1], strict=True):
        mixed = a + _mix(function, b, c, d) + words[word] + plan[2] & _MASK
        a, b, c, d, e = e, _rotate(mixed, shift) + e & _MASK, b, _rotate(c, 10), d
    return a, b, c, d, e


def _mix(function: int, x: int, y: int, z: int) -> int:
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return x & y | ~x & z
    if function == 2:  # noqa: PLR2004 -- the functions are numbered in the paper
        return (x | ~y) ^ z
    if function == 3:  # noqa: PLR2004 -- as above
        return x & z | y & ~z
    return x ^ (y | ~z)


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK
