"""A strict reader for DER (ITU-T X.690 sections 8 and 10), and the frame of an X.509 certificate.

It splits a certificate into its parts without believing or interpreting any of them, so that
the library's full parser only ever sees certificates that a trusted root has signed.
There is no recursion: the caller's code walks the few levels it knows.
"""

from dataclasses import dataclass
from typing import Final, Self

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30

_ISSUER_UNIQUE_ID: Final = 0x81
_SUBJECT_UNIQUE_ID: Final = 0x82
_EXPLICIT_0: Final = 0xA0
_EXPLICIT_3: Final = 0xA3
_SHORT_HEADER: Final = 2
_LONG_FORM: Final = 0x80
_MAX_LENGTH_BYTES: Final = 4
_VERSION_3: Final = bytes((INTEGER, 1, 2))


class DerError(ValueError):
    """The bytes are not the DER that was expected."""


class Reader:
    """Takes elements off the front of ``data[at:end]``; every method says the tag it wants.

    Each raises :class:`DerError` for another tag, no element, a length that is not minimal,
    or one that reaches too far.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = at
        self._end = len(data) if end is None else end

    def peek(self) -> int | None:
        """The next tag, or None at the end."""
        return self._data[self._at] if self._at < self._end else None

    def skip(self, tag: int) -> None:
        """Pass over the next element."""
        self._next(tag)

    def skip_if(self, tag: int) -> None:
        """Pass over the next element if it has ``tag``."""
        if self.peek() == tag:
            self._next(tag)

    def enter(self, tag: int) -> "Reader":
        """What is inside the next element."""
        _, value_at, end = self._next(tag)
        return Reader(self._data, value_at, end)

    def value(self, tag: int) -> bytes:
        """The next element's value."""
        _, value_at, end = self._next(tag)
        return self._data[value_at:end]

    def encoded(self, tag: int) -> bytes:
        """The next element, tag and length included."""
        start, _, end = self._next(tag)
        return self._data[start:end]

    def finish(self) -> None:
        """Require that nothing is left.

        Raises:
            DerError: something is.
        """
        if self._at != self._end:
            raise DerError(f"{self._end - self._at} bytes too many behind a DER element")

    def _next(self, tag: int) -> tuple[int, int, int]:
        start = self._at
        value_at = start + _SHORT_HEADER
        if value_at > self._end or self._data[start] != tag:
            raise self._unexpected(tag)
        length = self._data[start + 1]
        if length >= _LONG_FORM:
            length, value_at = self._long_length(start + 1)
        end = self._at = value_at + length
        if end > self._end:
            raise DerError("a DER element is truncated")
        return start, value_at, end

    def _unexpected(self, tag: int) -> DerError:
        found = self.peek()
        if found == tag:
            return DerError("a DER element is truncated")
        seen = "nothing" if found is None else f"{found:#04x}"
        return DerError(f"expected DER tag {tag:#04x}, found {seen}")

    def _long_length(self, at: int) -> tuple[int, int]:
        size = self._data[at] - _LONG_FORM
        value_at = at + 1 + size
        if not 0 < size <= _MAX_LENGTH_BYTES or value_at > self._end:
            raise DerError("a DER length is indefinite, too long or truncated")
        length = int.from_bytes(self._data[at + 1 : value_at], "big")
        if self._data[at + 1] == 0 or length < _LONG_FORM:
            raise DerError("a DER length is not minimal")
        return length, value_at


@dataclass(frozen=True, slots=True)
class Extension:
    """An X.509 extension."""

    object_id: bytes
    """DER contents of the object identifier."""
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class CertificateFrame:
    """An X.509 v3 certificate cut along its frame (RFC 5280 section 4.1)."""

    signed: bytes
    """tbsCertificate as encoded: the bytes under the signature."""
    inner_algorithm: bytes
    """AlgorithmIdentifier within the signed part, as encoded."""
    outer_algorithm: bytes
    signature: bytes
    issuer: bytes
    """Name, as encoded."""
    subject: bytes
    """Name, as encoded."""
    extensions: tuple[Extension, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Cut one certificate; nothing may follow it.

        Raises:
            DerError: not the DER of exactly one X.509 v3 certificate.
        """
        outer = Reader(data)
        certificate = outer.enter(SEQUENCE)
        outer.finish()
        signed = certificate.encoded(SEQUENCE)
        outer_algorithm = certificate.encoded(SEQUENCE)
        signature = certificate.value(BIT_STRING)
        certificate.finish()
        if signature[:1] != b"\0":
            raise DerError("a signature is not a whole number of bytes")
        parts = Reader(signed).enter(SEQUENCE)
        if parts.value(_EXPLICIT_0) != _VERSION_3:
            raise DerError("a certificate is not of version 3")
        parts.skip(INTEGER)
        inner_algorithm = parts.encoded(SEQUENCE)
        issuer = parts.encoded(SEQUENCE)
        parts.skip(SEQUENCE)
        subject = parts.encoded(SEQUENCE)
        parts.skip(SEQUENCE)
        return cls(
            signed=signed,
            inner_algorithm=inner_algorithm,
            outer_algorithm=outer_algorithm,
            signature=signature[1:],
            issuer=issuer,
            subject=subject,
            extensions=_extensions(parts),
        )


def _extensions(parts: Reader) -> tuple[Extension, ...]:
    parts.skip_if(_ISSUER_UNIQUE_ID)
    parts.skip_if(_SUBJECT_UNIQUE_ID)
    if parts.peek() is None:
        return ()
    wrapped = parts.enter(_EXPLICIT_3)
    parts.finish()
    items = wrapped.enter(SEQUENCE)
    wrapped.finish()
    found = []
    while items.peek() is not None:
        found.append(_extension(items.enter(SEQUENCE)))
    if len({extension.object_id for extension in found}) != len(found):
        raise DerError("a certificate has an extension twice")
    return tuple(found)


def _extension(item: Reader) -> Extension:
    object_id = item.value(OBJECT_IDENTIFIER)
    critical = item.peek() == BOOLEAN
    if critical and item.value(BOOLEAN) != b"\xff":
        raise DerError("a DER boolean is not TRUE where it may only be TRUE")
    value = item.value(OCTET_STRING)
    item.finish()
    return Extension(object_id, critical, value)
