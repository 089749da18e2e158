"""Random damage to genuine bytes, repeatable from a seed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

INTERESTING: Final = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 2**63, 2**64, 10**18, 1.5, "", "0", "-1", "ä", "\x00", "A" * 5000,
    "9" * 5000, [], {}, [[]], {"": None}, "null", "enigma1", "2026-02-30T00:00:00Z",
)  # fmt: skip
"""JSON values that a member may have wrongly."""


@dataclass
class Outcome:
    """What a target did in one run."""

    target: str
    inputs: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    """How often each sort of answer came: what shows that the inputs reach their mark."""
    failures: list[str] = field(default_factory=list)

    def count(self, kind: str) -> None:
        """One more input, and the sort of answer it got."""
        self.inputs += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def fail(self, what: str, data: bytes = b"") -> None:
        """Something that must not be, with the input that showed it."""
        self.failures.append(f"{what} [{data[:2000].hex()}]")


def damage(rng: Random, data: bytes) -> bytes:
    """``data`` with one to four changes of different sorts."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_CHANGES)(rng, changed)
    return bytes(changed)


def noise(rng: Random, most: int = 300) -> bytes:
    """Any bytes."""
    return rng.randbytes(rng.randint(0, most))


def pick(rng: Random, genuine: Sequence[bytes]) -> bytes:
    """One of the genuine inputs, damaged; now and then two of them spliced, or noise."""
    kind = rng.random()
    if kind < 0.1:
        return noise(rng)
    if kind < 0.2:
        one, other = rng.choice(genuine), rng.choice(genuine)
        return one[: rng.randint(0, len(one))] + other[rng.randint(0, len(other)) :]
    return damage(rng, rng.choice(genuine))


def change_member(rng: Random, value: Any) -> Any:
    """A JSON value of which one member, somewhere, is another one, missing, or doubled."""
    if isinstance(value, dict) and value:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {key: kept for key, kept in value.items() if key != name}
        if rng.random() < 0.1:
            return value | {f"{name}_": value[name]}
        return value | {name: change_member(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], change_member(rng, value[at]), *value[at + rng.randint(0, 1) :]]
    return rng.choice(ODD)


def make_input(rng: Random, genuine: Sequence[bytes]) -> bytes:
    """Damaged bytes, or well-formed JSON with a damaged value where the genuine is JSON."""
    document = rng.choice(genuine)
    if document[:1] == b"{" and rng.random() < 0.7:
        return json.dumps(change_member(rng, json.loads(document))).encode()
    return pick(rng, genuine)


def _flip(rng: Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(rng: Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice(INTERESTING)


def _cut(rng: Random, data: bytearray) -> None:
    del data[rng.randint(0, len(data)) :]


def _remove(rng: Random, data: bytearray) -> None:
    start = rng.randint(0, len(data))
    del data[start : start + rng.randint(1, 16)]


def _insert(rng: Random, data: bytearray) -> None:
    at = rng.randint(0, len(data))
    data[at:at] = rng.randbytes(rng.randint(1, 16))


def _repeat(rng: Random, data: bytearray) -> None:
    start = rng.randint(0, len(data))
    piece = bytes(data[start : start + rng.randint(1, 64)])
    data[start:start] = piece * rng.randint(1, 8)


def _number(rng: Random, data: bytearray) -> None:
    """A length or a count that is far too large."""
    at = rng.randint(0, len(data))
    data[at : at + 4] = rng.choice(
        (b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\x00\x10\x00\x00")
    )


_CHANGES: Final[Sequence[Callable[[Random, bytearray], None]]] = (
    _flip, _flip, _set, _cut, _remove, _insert, _repeat, _number,
)  # fmt: skip
