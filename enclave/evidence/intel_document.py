"""Reading the JSON documents that Intel signs for DCAP: TCB Info and enclave identities.

Form: Intel SGX and TDX Provisioning Certification Service, API version 4. Every member has
exactly one type and form, and a member that the API does not define is refused: Intel signed
it, so it may change what the others mean.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from enclave import canonical_json
from enclave.dcap_errors import (
    DcapDocumentError,
    DocumentDatesError,
    TcbLevelOrderError,
    TcbStatusError,
    UnknownMemberError,
)
from enclave.error_base import EvidenceFormatError
from enclave.times import parse_rfc3339

MAX_BYTES: Final = 64 * 1024
"""A genuine TCB Info has 4 to 16 KB."""

MAX_U16: Final = 2**16 - 1
MAX_U32: Final = 2**32 - 1

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]*", re.ASCII)
_ADVISORY: Final = re.compile(r"[!-~]{1,64}", re.ASCII)


class Members:
    """One JSON object of a document, taken member by member; what is left over is unknown.

    Args:
        value: what the JSON has in this place.
        error: raised where a member is missing or of another form.
        where: the object's name, for messages.
    """

    def __init__(self, value: object, error: type[EvidenceFormatError], where: str) -> None:
        self._error = error
        self._where = where
        if not isinstance(value, dict):
            raise self.malformed("", "an object", type(value).__name__)
        self._members: dict[str, Any] = value
        self._left = dict.fromkeys(value)

    @classmethod
    def load(cls, text: bytes, error: type[EvidenceFormatError], where: str) -> "Members":
        """The object that a document is.

        Raises:
            EvidenceFormatError: ``error``: not strict JSON, a key twice, or no object.
        """
        try:
            value = canonical_json.loads(text, max_bytes=MAX_BYTES)
        except ValueError as problem:
            raise error(f"{where} is not strict JSON: {problem}") from problem
        return cls(value, error, where)

    def malformed(self, name: str, expected: str, seen: object) -> EvidenceFormatError:
        """The error of a member; the caller raises it."""
        what = f"member {name}" if name else "an object"
        return self._error(
            f"{self._where}: {what} is malformed", expected=expected, seen=ascii(seen)[:80]
        )

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._members

    def text(self, name: str) -> str:
        """A string."""
        value = self._take(name)
        if not isinstance(value, str):
            raise self.malformed(name, "string", value)
        return value

    def integer(self, name: str, most: int) -> int:
        """An integer from 0 to ``most``."""
        value = self._take(name)
        if type(value) is not int or not 0 <= value <= most:
            raise self.malformed(name, f"integer from 0 to {most}", value)
        return value

    def hexadecimal(self, name: str, size: int) -> bytes:
        """Exactly ``size`` bytes as hexadecimal, in either case."""
        value = self.text(name)
        if len(value) != 2 * size or not _HEX.fullmatch(value):
            raise self.malformed(name, f"{2 * size} hex characters", value)
        return bytes.fromhex(value)

    def time_us(self, name: str) -> int:
        """Microseconds since the Unix epoch of ``YYYY-MM-DDTHH:MM:SSZ``, 1970 or later."""
        value = self.text(name)
        try:
            at_us = parse_rfc3339(value) if _TIME.fullmatch(value) else -1
        except ValueError:
            at_us = -1
        if at_us < 0:
            raise self.malformed(name, "YYYY-MM-DDTHH:MM:SSZ", value)
        return at_us

    def validity_us(self) -> tuple[int, int]:
        """``issueDate`` and ``nextUpdate``.

        Raises:
            DocumentDatesError: the second is not after the first.
        """
        issue_us, next_update_us = self.time_us("issueDate"), self.time_us("nextUpdate")
        if next_update_us <= issue_us:
            raise DocumentDatesError(
                f"{self._where}: nextUpdate is not after issueDate",
                expected=f"after {self._members['issueDate']}",
                seen=self._members["nextUpdate"],
            )
        return issue_us, next_update_us

    def status(self, allowed: Iterable[str]) -> str:
        """``tcbStatus``.

        Raises:
            TcbStatusError: a word that Intel does not use in this place.
        """
        value = self.text("tcbStatus")
        if value not in allowed:
            raise TcbStatusError(
                f"{self._where}: unknown TCB status",
                expected=", ".join(sorted(allowed)),
                seen=ascii(value)[:80],
            )
        return value

    def advisory_ids(self) -> tuple[str, ...]:
        """``advisoryIDs``; the member is absent where there are none."""
        if not self.has("advisoryIDs"):
            return ()
        value = self._take("advisoryIDs")
        if not isinstance(value, list) or not all(map(_is_advisory, value)):
            raise self.malformed("advisoryIDs", "list of advisory ids", value)
        return tuple(value)

    def object(self, name: str) -> "Members":
        """An object."""
        return Members(self._take(name), self._error, f"{self._where}.{name}")

    def items(self, name: str) -> list[Any]:
        """A list, of whatever it holds."""
        value = self._take(name)
        if not isinstance(value, list):
            raise self.malformed(name, "list", value)
        return value

    def objects(self, name: str) -> list["Members"]:
        """A list of objects."""
        where = f"{self._where}.{name}"
        return [Members(item, self._error, where) for item in self.items(name)]

    def finish(self) -> None:
        """Require that every member was taken.

        Raises:
            UnknownMemberError: one was not.
        """
        if self._left:
            raise UnknownMemberError(
                f"{self._where} has members that Intel's API does not define",
                seen=ascii(", ".join(self._left))[:80],
            )

    def _take(self, name: str) -> Any:
        if name not in self._members:
            raise self.malformed(name, "present", "nothing")
        self._left.pop(name, None)
        return self._members[name]


def require_value(
    error: type[DcapDocumentError], name: str, expected: object, seen: object
) -> None:
    """Require that a member has the one value that is judged.

    Raises:
        DcapDocumentError: ``error``: it has another.
    """
    if seen != expected:
        raise error(f"{name} has another value", expected=str(expected), seen=ascii(seen)[:80])


def require_falling(where: str, keys: Sequence[Any]) -> None:
    """Require that there are levels, and that each is strictly below the one before.

    Raises:
        TcbLevelOrderError: none, two alike, or one above another.
    """
    falling = all(later < earlier for earlier, later in pairwise(keys))
    if not keys or not falling:
        raise TcbLevelOrderError(
            f"{where}: the TCB levels are not in order",
            expected="one or more, each below the one before",
            seen=f"{len(keys)} levels" if not falling else "none",
        )


def _is_advisory(value: object) -> bool:
    return isinstance(value, str) and _ADVISORY.fullmatch(value) is not None
