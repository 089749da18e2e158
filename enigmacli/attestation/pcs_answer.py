"""What a PCS or PCCS answers: read, told apart from another document, and trusted with nothing.

Whether a document is authentic is the business of :mod:`enclave.verify`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from enclave import canonical_json
from enclave.evidence import base64_strict
from enclave.times import parse_rfc3339, to_us
from enigmacli.attestation import issuer_chain
from enigmacli.attestation.pcs_request import MAX_CRL_BYTES, Form, PcsRequest
from enigmacli.errors import MalformedError, UntrustedAnswerError

_MAX_DOCUMENT_BYTES: Final = 64 * 1024
_MEMBERS: Final = {
    Form.TCB_INFO: "tcbInfo",
    Form.IDENTITY: "enclaveIdentity",
    Form.NUMBERS: "tcbEvaluationDataNumbers",
}
"""What each document calls the object that its signature covers."""
_DATED: Final = (Form.TCB_INFO, Form.IDENTITY)
_DER_SEQUENCE: Final = 0x30
_HEX: Final = re.compile(rb"\s*((?:[0-9A-Fa-f]{2})+)\s*")
_PEM_CRL: Final = re.compile(
    rb"\s*-----BEGIN X509 CRL-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END X509 CRL-----\s*"
)


@dataclass(frozen=True, slots=True)
class PcsAnswer:
    """One document as it was served."""

    body: bytes
    """A CRL in DER, everything else byte for byte as it came: signatures cover it."""
    chain: tuple[bytes, ...]
    """DER, the issuer first; empty where the service sends none."""

    @property
    def chain_pem(self) -> bytes:
        """The chain as collateral carries it."""
        return issuer_chain.encode_pem(self.chain)


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when something holds, microseconds since the Unix epoch, both inclusive."""

    start_us: int
    end_us: int | None


def read_answer(request: PcsRequest, headers: Mapping[str, str], body: bytes) -> PcsAnswer:
    """Put body and issuer chain together.

    Args:
        request: what was asked.
        headers: with names in lower case.
        body: as received.

    Raises:
        MalformedError: a header is missing, or either is malformed.
        UntrustedAnswerError: the document is not the one that was asked for.
    """
    answer = PcsAnswer(
        decode_crl(body) if request.form is Form.CRL else body, _chain(request, headers)
    )
    if request.form in _DATED:
        _check_asked_for(request, signed_part(request, body))
    return answer


def decode_crl(body: bytes) -> bytes:
    """A CRL's DER, from DER, PEM, or the hexadecimal that a PCCS may serve.

    Raises:
        MalformedError: none of the three, or too long; base64 without its armour is none, too.
    """
    if len(body) > MAX_CRL_BYTES:
        raise MalformedError(f"a CRL has {len(body)} bytes, more than {MAX_CRL_BYTES}")
    if body[:1] == bytes([_DER_SEQUENCE]) and not _HEX.fullmatch(body):
        return body
    armoured = _PEM_CRL.fullmatch(body)
    if armoured:
        try:
            return base64_strict.decode(b"".join(armoured[1].split()).decode("ascii"))
        except ValueError as error:
            raise MalformedError("the CRL's PEM is not canonical base64") from error
    written = _HEX.fullmatch(body)
    if written is None:
        raise MalformedError("a CRL is neither DER, nor PEM, nor hexadecimal")
    decoded = bytes.fromhex(written[1].decode("ascii"))
    if decoded[:1] != bytes([_DER_SEQUENCE]):
        raise MalformedError("the hexadecimal of a CRL holds no DER")
    return decoded


def signed_part(request: PcsRequest, body: bytes) -> dict[str, Any]:
    """The object in a document that its signature covers, unverified.

    Raises:
        MalformedError: not JSON with such an object.
    """
    try:
        document = canonical_json.loads(body, max_bytes=_MAX_DOCUMENT_BYTES)
    except ValueError as error:
        raise MalformedError(f"the {request.what} is not strict JSON: {error}") from error
    inner = document.get(_MEMBERS[request.form]) if isinstance(document, dict) else None
    if not isinstance(inner, dict):
        raise MalformedError(f"the {request.what} has no member {_MEMBERS[request.form]}")
    return inner


def evaluation_number(request: PcsRequest, answer: PcsAnswer) -> int:
    """The tcbEvaluationDataNumber that a document claims.

    Raises:
        MalformedError: there is none.
    """
    number = signed_part(request, answer.body).get("tcbEvaluationDataNumber")
    if not isinstance(number, int) or isinstance(number, bool):
        raise MalformedError(f"the {request.what} has no TCB evaluation number")
    return number


def served_numbers(request: PcsRequest, answer: PcsAnswer) -> tuple[int, ...]:
    """The TCB evaluation numbers that a server says it serves, newest first.

    Raises:
        MalformedError: the answer is no list of them.
    """
    entries = signed_part(request, answer.body).get("tcbEvalNumbers")
    numbers = [
        entry.get("tcbEvaluationDataNumber") if isinstance(entry, dict) else None
        for entry in (entries if isinstance(entries, list) else [None])
    ]
    if not all(isinstance(number, int) for number in numbers):
        raise MalformedError(f"the {request.what} have another form")
    return tuple(sorted((number for number in numbers if number is not None), reverse=True))


def window(request: PcsRequest, answer: PcsAnswer) -> Window | None:
    """When a document holds by its own dates, and no longer than its issuer chain.

    Returns:
        ``None`` for what carries no such dates.

    Raises:
        MalformedError: the dates, or a certificate, are malformed.
    """
    if request.form in _DATED:
        inner = signed_part(request, answer.body)
        own = Window(_instant(request, inner, "issueDate"), _instant(request, inner, "nextUpdate"))
    elif request.form is Form.CRL:
        own = crl_window(answer.body)
    else:
        return None
    ends = [own.end_us, *(certificate_window(one).end_us for one in answer.chain)]
    return Window(own.start_us, min((end for end in ends if end is not None), default=None))


def crl_window(crl: bytes) -> Window:
    """When a CRL in DER holds: its thisUpdate and nextUpdate.

    Raises:
        MalformedError: not a CRL.
    """
    try:
        parsed = x509.load_der_x509_crl(crl)
        start, end = parsed.last_update_utc, parsed.next_update_utc
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("a CRL is malformed") from error
    return Window(to_us(start), None if end is None else to_us(end))


def certificate_window(certificate: bytes) -> Window:
    """When a certificate in DER holds: its notBefore and notAfter.

    Raises:
        MalformedError: not a certificate.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        return Window(to_us(parsed.not_valid_before_utc), to_us(parsed.not_valid_after_utc))
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise MalformedError("a certificate is malformed") from error


def _chain(request: PcsRequest, headers: Mapping[str, str]) -> tuple[bytes, ...]:
    if not request.chain_headers:
        return ()
    name = next((name for name in request.chain_headers if headers.get(name)), None)
    if name is None:
        raise MalformedError(
            f"the {request.what} came without its issuer chain",
            details={"expected": " or ".join(request.chain_headers)},
        )
    return issuer_chain.parse_header(headers[name], name)


def _check_asked_for(request: PcsRequest, inner: dict[str, Any]) -> None:
    """Refuse another platform's or another TEE's document, for example out of a mixed-up cache."""
    seen = inner.get("id", request.expected_id), inner.get("fmspc", request.fmspc)
    fmspc = seen[1].upper() if isinstance(seen[1], str) else seen[1]
    if (seen[0], fmspc) != (request.expected_id, request.fmspc):
        raise UntrustedAnswerError(
            f"the answer is not the {request.what}",
            details={
                "expected": f"{request.expected_id} {request.fmspc}".strip(),
                "seen": ascii(f"{seen[0]} {seen[1]}".strip())[:80],
            },
        )


def _instant(request: PcsRequest, inner: dict[str, Any], name: str) -> int:
    text = inner.get(name)
    try:
        return parse_rfc3339(text) if isinstance(text, str) else _no_instant(name)
    except ValueError as error:
        raise MalformedError(f"the {request.what} has no {name}") from error


def _no_instant(name: str) -> int:
    raise ValueError(name)
