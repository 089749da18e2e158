"""Reading the members of a policy: each function checks one form and names the key it refuses."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, Final

from enclave import canonical_json
from enclave.checks import printable
from enclave.errors import PolicyFormatError

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer of canonical JSON (protocol.md section 2)."""

_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def refuse(key: str, problem: str, *, expected: str = "", seen: object = "") -> PolicyFormatError:
    """The error for member ``key``, with what was seen cut to a readable length."""
    return PolicyFormatError(
        f"policy member {printable(key)[:64]} {problem}",
        expected=expected,
        seen=printable(str(seen))[:200],
    )


def check_keys(
    value: Any, required: AbstractSet[str], optional: AbstractSet[str], name: str
) -> dict[str, Any]:
    """Take ``value`` as an object with exactly these members.

    Raises:
        PolicyFormatError: not an object, a member missing, or an unknown member.
    """
    if not isinstance(value, dict):
        raise PolicyFormatError(f"{name} is not an object", seen=type(value).__name__)
    for key in sorted(required - value.keys()):
        raise refuse(key, "is missing")
    for key in sorted(value.keys() - required - optional, key=str):
        raise refuse(str(key), "is unknown")
    return value


def read_bool(members: Mapping[str, Any], key: str) -> bool:
    """A JSON boolean.

    Raises:
        PolicyFormatError: another type.
    """
    value = members[key]
    if not isinstance(value, bool):
        raise refuse(key, "has another form", expected="true or false", seen=repr(value))
    return value


def read_int(members: Mapping[str, Any], key: str, most: int = MAX_INTEGER) -> int:
    """A JSON integer from 0 to ``most``; a boolean or ``4.0`` is none.

    Raises:
        PolicyFormatError: another type or out of bounds.
    """
    value = members[key]
    if type(value) is not int or not 0 <= value <= most:
        raise refuse(key, "has another form", expected=f"integer 0 to {most}", seen=repr(value))
    return value


def read_text(members: Mapping[str, Any], key: str) -> str:
    """A JSON string.

    Raises:
        PolicyFormatError: another type.
    """
    value = members[key]
    if not isinstance(value, str):
        raise refuse(key, "has another form", expected="string", seen=repr(value))
    return value


def read_hex(members: Mapping[str, Any], key: str, size_bytes: int) -> bytes:
    """Lower-case hex of ``size_bytes`` bytes.

    Raises:
        PolicyFormatError: another type, length or alphabet.
    """
    text = read_text(members, key)
    if len(text) != 2 * size_bytes or not _HEX.fullmatch(text):
        expected = f"{2 * size_bytes} lower-case hex characters"
        raise refuse(key, "has another form", expected=expected, seen=text)
    return bytes.fromhex(text)


def read_list(members: Mapping[str, Any], key: str) -> list[Any]:
    """A list without duplicates, sorted: strings by code point, objects by canonical JSON.

    Raises:
        PolicyFormatError: another type, an item of mixed type, unsorted, or a duplicate.
    """
    value = members[key]
    if not isinstance(value, list):
        raise refuse(key, "has another form", expected="list", seen=repr(value))
    if len({type(item) for item in value}) > 1:
        raise refuse(key, "mixes items of several types")
    for left, right in pairwise(map(_sort_key, value)):
        if not left < right:
            raise refuse(key, "is not sorted, or has a duplicate", seen=right)
    return value


def read_words(members: Mapping[str, Any], key: str, allowed: AbstractSet[str]) -> tuple[str, ...]:
    """A sorted list of words out of ``allowed``.

    Raises:
        PolicyFormatError: not such a list.
    """
    words = read_list(members, key)
    for word in words:
        if not isinstance(word, str) or word not in allowed:
            raise refuse(key, "has an item that may not stand there", seen=repr(word))
    return tuple(words)


def _sort_key(item: object) -> str:
    return item if isinstance(item, str) else canonical_json.encode(item).decode("ascii")
