"""A strict reader for DER (ITU-T X.690 sections 8 and 10), and the frame of an X.509 certificate.

It splits a certificate into its parts without believing or interpreting any of them, so that
the library's full parser only ever sees certificates that a trusted root has signed.
There is no recursion: the caller's code walks the few levels it knows.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

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
        _require_end(self._at, self._end)

    def _next(self, tag: int) -> tuple[int, int, int]:
        start = self._at
        value_at, self._at = _element(self._data, start, self._end, tag)
        return start, value_at, self._at


def _element(data: bytes, at: int, limit: int, tag: int) -> tuple[int, int]:
    """Where the value of the element at ``at`` begins and ends, which is at most ``limit``."""
    value_at = at + _SHORT_HEADER
    if value_at > limit or data[at] != tag:
        raise _unexpected(data, at, limit, tag)
    length = data[at + 1]
    if length >= _LONG_FORM:
        length, value_at = _long_length(data, at + 1, limit)
    end = value_at + length
    if end > limit:
        raise DerError("a DER element is truncated")
    return value_at, end


def _unexpected(data: bytes, at: int, limit: int, tag: int) -> DerError:
    if at >= limit:
        return DerError(f"expected DER tag {tag:#04x}, found nothing")
    if data[at] == tag:
        return DerError("a DER element is truncated")
    return DerError(f"expected DER tag {tag:#04x}, found {data[at]:#04x}")


def _long_length(data: bytes, at: int, limit: int) -> tuple[int, int]:
    size = data[at] - _LONG_FORM
    value_at = at + 1 + size
    if not 0 < size <= _MAX_LENGTH_BYTES or value_at > limit:
        raise DerError("a DER length is indefinite, too long or truncated")
    length = int.from_bytes(data[at + 1 : value_at], "big")
    if data[at + 1] == 0 or length < _LONG_FORM:
        raise DerError("a DER length is not minimal")
    return length, value_at


def _require_end(at: int, end: int) -> None:
    if at != end:
        raise DerError(f"{end - at} bytes too many behind a DER element")


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
        cuts = _cut(data)
        return cls(
            signed=data[cuts.signed_at : cuts.signed_end],
            inner_algorithm=data[cuts.inner_at : cuts.issuer_at],
            outer_algorithm=data[cuts.signed_end : cuts.outer_end],
            signature=data[cuts.signature_at : cuts.signature_end],
            issuer=data[cuts.issuer_at : cuts.dates_at],
            subject=data[cuts.subject_at : cuts.key_at],
            extensions=_extensions(Reader(data, cuts.rest_at, cuts.signed_end)),
        )


def certificate_extensions(data: bytes) -> tuple[Extension, ...]:
    """The extensions of one certificate, of which nothing else is wanted.

    Raises:
        DerError: not the DER of exactly one X.509 v3 certificate.
    """
    cuts = _cut(data)
    return _extensions(Reader(data, cuts.rest_at, cuts.signed_end))


class _Cuts(NamedTuple):
    """Where the parts of a certificate begin and end."""

    signed_at: int
    signed_end: int
    outer_end: int
    signature_at: int
    signature_end: int
    inner_at: int
    issuer_at: int
    dates_at: int
    subject_at: int
    key_at: int
    rest_at: int


def _cut(data: bytes) -> _Cuts:
    signed_at, end = _element(data, 0, len(data), SEQUENCE)
    _require_end(end, len(data))
    at, signed_end = _element(data, signed_at, end, SEQUENCE)
    _, outer_end = _element(data, signed_end, end, SEQUENCE)
    signature_at, signature_end = _element(data, outer_end, end, BIT_STRING)
    _require_end(signature_end, end)
    if data[signature_at : signature_at + 1] != b"\0":
        raise DerError("a signature is not a whole number of bytes")
    version_at, at = _element(data, at, signed_end, _EXPLICIT_0)
    if data[version_at:at] != _VERSION_3:
        raise DerError("a certificate is not of version 3")
    _, inner_at = _element(data, at, signed_end, INTEGER)
    _, issuer_at = _element(data, inner_at, signed_end, SEQUENCE)
    _, dates_at = _element(data, issuer_at, signed_end, SEQUENCE)
    _, subject_at = _element(data, dates_at, signed_end, SEQUENCE)
    _, key_at = _element(data, subject_at, signed_end, SEQUENCE)
    _, rest_at = _element(data, key_at, signed_end, SEQUENCE)
    return _Cuts(
        signed_at, signed_end, outer_end, signature_at + 1, signature_end, inner_at, issuer_at,
        dates_at, subject_at, key_at, rest_at,
    )  # fmt: skip


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
