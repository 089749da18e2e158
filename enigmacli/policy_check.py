"""Every problem of form that a policy has, each by the member it is in.

The trusted side stops at the first problem, and its reader is the only one that decides:
here each member is put into a policy that is well-formed otherwise, and read by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from enclave import canonical_json
from enclave.appraise.policy import STRICT_PRODUCTION, Policy
from enclave.errors import PolicyFormatError

_WELL_FORMED: Final[Mapping[str, Any]] = STRICT_PRODUCTION.to_value()
_ROOTS: Final = "trust_roots"
_FLAGS: Final = frozenset({"simulation", "allow_debug"})
_RELATED: Final = _FLAGS | {_ROOTS}
"""Members that must fit each other, besides having the right form."""

_MAX_PROBLEMS: Final = 100
_PREFIX: Final = "policy member "


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file is no policy."""

    member: str
    """Where: ``measurements``, ``measurements[2]``; empty for the file as a whole."""
    message: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy, or all that keeps a file from being one."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    """Empty if and only if there is a policy; at most 100."""


def read_policy(data: bytes) -> Reading:
    """Read a policy as people write it, with any white space and order of members."""
    try:
        return Reading(Policy.parse_any_layout(data), ())
    except PolicyFormatError as error:
        whole = _problem("", error)
    try:
        value = canonical_json.loads(data)
    except ValueError:
        return Reading(None, (whole,))
    if not isinstance(value, dict):
        return Reading(None, (whole,))
    found = tuple(islice(_problems(value), _MAX_PROBLEMS))
    return Reading(None, found or (whole,))


def _problems(value: dict[str, Any]) -> Iterator[Problem]:
    for member in sorted(_WELL_FORMED.keys() - value.keys()):
        yield Problem(member, f"{member} is missing", "a value", "nothing")
    spoiled = set(_WELL_FORMED.keys() - value.keys())
    for member in sorted(value):
        found = list(_problems_of_member(member, value[member]))
        spoiled |= {member} if found else set()
        yield from found
    if not spoiled & _RELATED:
        yield from _contradictions({member: value[member] for member in _RELATED})


def _problems_of_member(member: str, item: Any) -> Iterator[Problem]:
    items = enumerate(item) if isinstance(item, list) else ()
    in_items = [
        _problem(f"{member}[{place}]", error)
        for place, one in items
        if (error := _refusal(member, [one])) is not None
    ]
    error = _refusal(member, item) if not in_items else None
    yield from in_items
    if error is not None:
        yield _problem(member, error)


def _refusal(member: str, item: Any) -> PolicyFormatError | None:
    """What the trusted side says of the form of one member, whatever the others are."""
    if member in _FLAGS and isinstance(item, bool):
        return None
    error = _read(dict(_WELL_FORMED) | {member: item})
    if member == _ROOTS and error is not None and f" {_ROOTS} " not in error.message:
        return None  # the roots are good, and contradict the other policy
    return error


def _contradictions(related: dict[str, Any]) -> Iterator[Problem]:
    """What is well-formed member by member, and impossible together."""
    value = dict(_WELL_FORMED) | related
    error = _read(value)
    if error is not None and " simulation " in error.message:
        yield _problem("simulation", error)
        error = _read(value | {"simulation": not value["simulation"]})
    if error is not None:
        yield _problem("allow_debug", error)


def _read(value: dict[str, Any]) -> PolicyFormatError | None:
    try:
        Policy.from_value(value)
    except PolicyFormatError as error:
        return error
    return None


def _problem(member: str, error: PolicyFormatError) -> Problem:
    return Problem(member, error.message.removeprefix(_PREFIX), error.expected, error.seen)
