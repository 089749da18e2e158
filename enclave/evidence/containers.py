"""The two containers that a transaction may carry (protocol.md section 5).

An X.509 certificate around an IAS report, told by its first byte 0x30, or a list of tagged
values with a quote and its collateral. One form each, and nothing to spare: what the older
tools wrote is read by :mod:`enclave.evidence.foreign`, off chain only.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from enclave import canonical_json
from enclave.errors import (
    ContainerFormatError,
    ContainerNotAllowedError,
    NoEvidenceError,
)
from enclave.evidence import base64_strict, der
from enclave.evidence.ias_report import SignedReport

MAX_BYTES: Final = 64 * 1024
"""The longest container on chain."""

NETSCAPE_COMMENT: Final = bytes.fromhex("6086480186f842010d")
"""DER contents of object identifier 2.16.840.1.113730.1.13."""

TAG_QUOTE: Final = 2
TAG_COLLATERAL: Final = 3

CERTIFICATE_BYTE: Final = 0x30
PIPE: Final = b"|"

_MAX_ENTRIES: Final = 16
_ENTRY: Final = struct.Struct("<BI")
_MEMBERS: Final = ("report", "signature", "signing_cert")
_MEMBER_SET: Final = frozenset(_MEMBERS)


@dataclass(frozen=True, slots=True)
class QuoteWithCollateral:
    """A DCAP quote and what it is verified with; nothing is verified."""

    quote: bytes
    collateral: bytes
    """Empty where there is none, which no container on chain allows."""


Evidence = SignedReport | QuoteWithCollateral


def parse_on_chain(data: bytes) -> Evidence:
    """Read the ``certificate`` field of a register transaction.

    Raises:
        ContainerFormatError: neither container, or not exactly one.
        ContainerNotAllowedError: a form that only off-chain commands read.
        NoEvidenceError: a certificate that carries no report.
    """
    if not 0 < len(data) <= MAX_BYTES:
        raise ContainerFormatError(
            "the container has another length",
            expected=f"1 to {MAX_BYTES} bytes",
            seen=f"{len(data)} bytes",
        )
    if data[0] == CERTIFICATE_BYTE:
        return _parse_comment(certificate_comment(data))
    return _parse_tagged(data)


def certificate_comment(data: bytes) -> bytes:
    """The Netscape comment of one DER certificate.

    The certificate's own names, dates and signature mean nothing: what binds the evidence
    to a key is its report_data.

    Raises:
        ContainerFormatError: not exactly one X.509 v3 certificate in DER.
        NoEvidenceError: it has no such extension.
    """
    try:
        extensions = der.certificate_extensions(data)
    except der.DerError as error:
        raise ContainerFormatError(f"the certificate is not strict DER: {error}") from error
    for extension in extensions:
        if extension.object_id == NETSCAPE_COMMENT:
            return extension.value
    raise NoEvidenceError("the certificate has no Netscape comment, so it carries no evidence")


def load_comment(comment: bytes, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object in a comment.

    Raises:
        NoEvidenceError: the comment is no JSON object, as in a software-mode certificate.
        ContainerFormatError: the JSON is malformed.
    """
    if not comment.startswith(b"{"):
        raise NoEvidenceError(
            "the certificate carries no attestation report (as one made in software mode)",
            expected="a JSON object",
            seen=ascii(comment[:32]),
        )
    try:
        members: dict[str, Any] = canonical_json.loads(comment, max_bytes=max_bytes)
    except ValueError as error:
        raise ContainerFormatError(f"the evidence is not strict JSON: {error}") from error
    return members


def decode_member(name: str, text: str) -> bytes:
    """The bytes of a base64 member.

    Raises:
        ContainerFormatError: ``text`` is not canonical base64.
    """
    try:
        return base64_strict.decode(text)
    except ValueError as error:
        raise ContainerFormatError(
            f"member {name} is not canonical base64", seen=ascii(text[:64])
        ) from error


def _parse_comment(comment: bytes) -> SignedReport:
    if PIPE in comment:
        raise ContainerNotAllowedError("report|signature|certificate is read off chain only")
    members = load_comment(comment)
    if members.keys() != _MEMBER_SET:
        raise ContainerFormatError(
            "the evidence has other members",
            expected=", ".join(_MEMBERS),
            seen=ascii(", ".join(sorted(members)))[:200],
        )
    if list in map(type, members.values()):
        raise ContainerNotAllowedError("lists of integers are read off chain only")
    report, signature, signing_cert = [_required_member(members, name) for name in _MEMBERS]
    return SignedReport(report, signature, signing_cert)


def _required_member(members: dict[str, Any], name: str) -> bytes:
    text = members[name]
    if not isinstance(text, str) or not text:
        raise ContainerFormatError(
            f"member {name} is malformed", expected="base64", seen=ascii(text)[:64]
        )
    return decode_member(name, text)


def split_tagged(data: bytes) -> list[tuple[int, bytes]]:
    """Cut ``{u8 tag, u32le size, value}`` repeated, with nothing left over.

    Raises:
        ContainerFormatError: the sizes do not add up, or more than 16 values.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + _ENTRY.size > len(data) or len(found) == _MAX_ENTRIES:
            raise ContainerFormatError("a tagged value is truncated, or there are too many")
        tag, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        if size > len(data) - at:
            raise ContainerFormatError("a tagged value is truncated")
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _parse_tagged(data: bytes) -> QuoteWithCollateral:
    entries = split_tagged(data)
    tags = [tag for tag, _ in entries]
    if tags != [TAG_QUOTE, TAG_COLLATERAL]:
        raise ContainerFormatError(
            "the container holds other tags",
            expected=f"{TAG_QUOTE} (quote), {TAG_COLLATERAL} (collateral)",
            seen=str(tags[:16]),
        )
    quote, collateral = (value for _, value in entries)
    if not quote or not collateral:
        raise ContainerFormatError("the quote or its collateral is empty")
    return QuoteWithCollateral(quote, collateral)
