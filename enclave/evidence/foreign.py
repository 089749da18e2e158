"""The forms in which evidence lies around outside a chain (cli.md, ``attest verify``).

Recognised by their beginning, in a fixed order, each by one rule, so that no file can be
read in two ways. The reading is generous about what carries the evidence (PEM, percent
encoding, older containers) and strict about the evidence itself.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from enclave import canonical_json
from enclave.errors import ContainerFormatError, NoEvidenceError
from enclave.evidence.containers import (
    CERTIFICATE_BYTE,
    PIPE,
    TAG_COLLATERAL,
    TAG_QUOTE,
    Evidence,
    QuoteWithCollateral,
    certificate_comment,
    decode_member,
    load_comment,
    split_tagged,
)
from enclave.evidence.der import DerError, Reader
from enclave.evidence.ias_report import SignedReport

MAX_BYTES: Final = 1024 * 1024
"""The longest file that is looked at."""

MAX_CHAIN: Final = 8
"""How many certificates a PEM chain may have before it is not read on."""

_TAG_TOKEN: Final = 4
_OPTIONAL_TAGS: Final = frozenset({TAG_COLLATERAL, _TAG_TOKEN})
_PEM_START: Final = b"-----"
_PERCENT_PEM_START: Final = "-----BEGIN%20"
_IA5_STRING: Final = 0x16
_SIZES: Final = struct.Struct("<III")
_PIPE_PARTS: Final = 3
_MAX_OCTET: Final = 0xFF
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----\s*"
)


@dataclass(frozen=True, slots=True)
class Found:
    """Evidence, and the form of the file it was in."""

    form: str
    evidence: Evidence


def parse_any(data: bytes) -> Found:
    """Read evidence in any form that is known.

    The order: ``{`` JSON, ``-----`` PEM, 0x30 DER, three sizes that add up exactly, tagged
    values that use up the file exactly, else a raw quote. Sizes are looked at first all the
    same, since their first byte may be any: read as a size, the beginning of no JSON, PEM or
    DER certificate fits its own file, so no file is of two forms.

    Raises:
        ContainerFormatError: too long, or of the form it begins like, but malformed.
        NoEvidenceError: well-formed and without evidence.
    """
    if not 0 < len(data) <= MAX_BYTES:
        raise ContainerFormatError(
            "the file has another length",
            expected=f"1 to {MAX_BYTES} bytes",
            seen=f"{len(data)} bytes",
        )
    return _parse_sizes(data) or _parse_by_beginning(data)


def _parse_by_beginning(data: bytes) -> Found:
    if data.startswith(b"{"):
        return Found("json", _report_of_members(_load_object(data)))
    if data.startswith(_PEM_START):
        return _parse_pem_file(data)
    if data[0] == CERTIFICATE_BYTE:
        return _parse_certificate(data)
    return _parse_tagged(data) or Found("quote", QuoteWithCollateral(data, b""))


def decode_pem_chain(text: bytes) -> tuple[bytes, ...]:
    """DER of one or more PEM certificates, with nothing but white space between and behind.

    Raises:
        ContainerFormatError: not such a text, more than :data:`MAX_CHAIN` certificates, or
            longer than :data:`MAX_BYTES`.
    """
    if len(text) > MAX_BYTES:
        raise ContainerFormatError(
            "a chain of PEM certificates is too long",
            expected=f"at most {MAX_BYTES} bytes",
            seen=f"{len(text)} bytes",
        )
    chain: list[bytes] = []
    at = 0
    while at < len(text):
        match = _PEM.match(text, at)
        if match is None or len(chain) == MAX_CHAIN:
            raise ContainerFormatError("not a chain of PEM certificates", seen=f"at byte {at}")
        at = match.end()
        chain.append(decode_member("PEM", b"".join(match[1].split()).decode("ascii")))
    return tuple(chain)


def _parse_pem_file(data: bytes) -> Found:
    chain = decode_pem_chain(data)
    if len(chain) != 1:
        raise ContainerFormatError(
            "a PEM file holds another number of certificates", expected="1", seen=str(len(chain))
        )
    found = _parse_certificate(chain[0])
    return Found(f"pem {found.form}", found.evidence)


def _parse_certificate(data: bytes) -> Found:
    comment = _unwrap(certificate_comment(data))
    if comment.startswith(b"{") and PIPE in comment:
        return Found("certificate report|signature|certificate", _split_pipe(comment))
    members = load_comment(comment, MAX_BYTES)
    arrays = any(isinstance(value, list) for value in members.values())
    form = "certificate json of integers" if arrays else "certificate json"
    return Found(form, _report_of_members(members))


def _unwrap(comment: bytes) -> bytes:
    """Netscape's own definition makes the comment an IA5String; most tools put the bytes bare."""
    if comment[:1] != bytes((_IA5_STRING,)):
        return comment
    reader = Reader(comment)
    try:
        text = reader.value(_IA5_STRING)
        reader.finish()
    except DerError as error:
        raise ContainerFormatError(f"the Netscape comment is not strict DER: {error}") from error
    return text


def _split_pipe(comment: bytes) -> SignedReport:
    parts = comment.split(PIPE, _PIPE_PARTS)
    if len(parts) != _PIPE_PARTS:
        raise ContainerFormatError(
            "the evidence has another number of parts",
            expected="report|signature|certificate",
            seen=f"{comment.count(PIPE) + 1} parts",
        )
    report, signature, signing_cert = parts
    leaf, *further = _decode_chain(_ascii("certificate", signing_cert))
    return SignedReport(
        report, decode_member("signature", _ascii("signature", signature)), leaf, tuple(further)
    )


def _ascii(name: str, data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise ContainerFormatError(f"member {name} is not ASCII") from error


def _load_object(data: bytes) -> dict[str, Any]:
    try:
        members: dict[str, Any] = canonical_json.loads(data, max_bytes=MAX_BYTES, floats=True)
    except ValueError as error:
        raise ContainerFormatError(f"the file is not strict JSON: {error}") from error
    return members


def _report_of_members(members: Mapping[str, Any]) -> SignedReport:
    report = _member(members, "report")
    if not report:
        raise NoEvidenceError("the JSON object has no member report")
    chain = _signing_chain(members)
    return SignedReport(report, _member(members, "signature"), chain[0], chain[1:])


def _member(members: Mapping[str, Any], name: str) -> bytes:
    """Base64, or a list of octets; empty where the member is absent, null or empty."""
    value = members.get(name) or ""
    if isinstance(value, str):
        return decode_member(name, value)
    if not isinstance(value, list) or not all(map(_is_octet, value)):
        raise ContainerFormatError(
            f"member {name} is malformed",
            expected="base64, or a list of octets",
            seen=ascii(value)[:64],
        )
    return bytes(value)


def _is_octet(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_OCTET


def _signing_chain(members: Mapping[str, Any]) -> tuple[bytes, ...]:
    value = members.get("signing_cert")
    if isinstance(value, str) and value:
        return _decode_chain(value)
    return _pem_or_der(_member(members, "signing_cert"))


def _decode_chain(text: str) -> tuple[bytes, ...]:
    """Base64 of DER or PEM, or PEM itself, or PEM percent-encoded as in the HTTP header."""
    if text.startswith(_PERCENT_PEM_START):
        return decode_pem_chain(unquote_to_bytes(text))
    if text.startswith(_PEM_START.decode()):
        return decode_pem_chain(text.encode())
    return _pem_or_der(decode_member("signing_cert", text))


def _pem_or_der(data: bytes) -> tuple[bytes, ...]:
    return decode_pem_chain(data) if data.startswith(_PEM_START) else (data,)


def _parse_sizes(data: bytes) -> Found | None:
    """The form before tags: u32le sizes of certificate, quote and collateral, then these."""
    if len(data) < _SIZES.size:
        return None
    sizes = _SIZES.unpack_from(data)
    if sum(sizes) + _SIZES.size != len(data):
        return None
    certificate_end = _SIZES.size + sizes[0]
    certificate = data[_SIZES.size : certificate_end]
    quote = data[certificate_end : certificate_end + sizes[1]]
    collateral = data[certificate_end + sizes[1] :]
    if certificate and (quote or collateral):
        raise ContainerFormatError("the container holds a certificate and a quote: which to judge?")
    if certificate:
        found = _parse_certificate(certificate)
        return Found(f"three sizes, {found.form}", found.evidence)
    if not quote:
        raise NoEvidenceError("the container holds neither certificate nor quote")
    return Found("three sizes", QuoteWithCollateral(quote, collateral))


def _parse_tagged(data: bytes) -> Found | None:
    try:
        entries = split_tagged(data)
    except ContainerFormatError:
        return None
    values = dict(entries)
    tags = [tag for tag, _ in entries]
    if tags != sorted(values) or not {TAG_QUOTE} <= set(tags) <= {TAG_QUOTE, *_OPTIONAL_TAGS}:
        raise ContainerFormatError(
            "the container holds other tags",
            expected="2 (quote), 3 (collateral), each once and ascending",
            seen=str(tags[:16]),
        )
    return Found("tags", QuoteWithCollateral(values[TAG_QUOTE], values.get(TAG_COLLATERAL, b"")))
