"""The language in which clients ask for transactions by their events, as CometBFT has it.

``tag OP operand AND …`` with ``=``, ``<``, ``<=``, ``>``, ``>=``, ``CONTAINS`` and ``EXISTS``; a
tag is ``type.attribute`` of an event, ``tx.height``, ``tx.hash`` or ``block.height``; an operand
is a text in single quotes or a whole number (``libs/pubsub/query``, v0.38). Dates, times and
fractions are refused: no event of this application has any.
"""

import re
from dataclasses import dataclass
from typing import Final

from enigmacli.errors import MalformedError

MAX_CHARACTERS: Final = 512
MAX_CONDITIONS: Final = 16
_MAX_INT64: Final = 2**63 - 1
_AND: Final = re.compile(r"\s+AND\s+")
_CONDITION: Final = re.compile(
    r"(?P<tag>[^\s'<>=]+)\s*"
    r"(?:(?P<exists>(?<=\s)EXISTS)"
    r"|(?P<operator>[<>]=?|=|(?<=\s)CONTAINS(?=[\s']))\s*(?:'(?P<text>[^']*)'|(?P<number>-?[0-9]{1,19})))",
    re.ASCII,
)


class SearchTooLongError(Exception):
    """A search was given up; it would have had to read too much. For the client who asked."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of one tag."""

    tag: str
    operator: str
    """``=``, ``<``, ``<=``, ``>``, ``>=``, ``CONTAINS`` or ``EXISTS``."""
    operand: str | int | None = None
    """``None`` for ``EXISTS`` alone."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what was found is wanted."""

    first: int
    """How many are passed over."""
    count: int
    descending: bool = False
    """The newest first."""


def parse_query(text: str) -> tuple[Condition, ...]:
    """Read a query; all of its conditions must hold.

    Raises:
        MalformedError: another language, or more than a client may ask.
    """
    if len(text) > MAX_CHARACTERS:
        raise MalformedError("maximum query length exceeded")
    conditions = []
    rest = text.strip()
    while found := _CONDITION.match(rest):
        conditions.append(_condition(found))
        rest = rest[found.end() :]
        if not rest:
            break
        following = _AND.match(rest)
        if following is None:
            break
        rest = rest[following.end() :] or "AND"
    if rest or not conditions:
        raise MalformedError(f"failed to parse query: unexpected {rest[:40]!r}")
    if len(conditions) > MAX_CONDITIONS:
        raise MalformedError(f"at most {MAX_CONDITIONS} conditions may be asked")
    return tuple(conditions)


def _condition(found: re.Match[str]) -> Condition:
    tag, operator = found["tag"], found["exists"] or found["operator"]
    if operator == "EXISTS":
        return Condition(tag, operator)
    if found["text"] is not None:
        if operator not in ("=", "CONTAINS"):
            raise MalformedError(f"{operator} compares whole numbers")
        return Condition(tag, operator, found["text"])
    number = int(found["number"])
    if operator == "CONTAINS" or abs(number) > _MAX_INT64:
        raise MalformedError(f"{found['number']} cannot be compared with {operator}")
    return Condition(tag, operator, number)
