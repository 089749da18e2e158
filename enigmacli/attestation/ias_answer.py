"""What the Intel Attestation Service answers, read strictly and trusted with nothing.

Source: Attestation Service for Intel SGX, API documentation, "Verify Attestation Evidence".
Whether a report is authentic is the business of :mod:`enclave.verify`; here it is only
told apart from an answer to another request.
"""

from collections.abc import Mapping
from typing import Any, Final

from enclave import canonical_json
from enclave.evidence import base64_strict, sgx_quote
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation import issuer_chain
from enigmacli.errors import MalformedError, UntrustedAnswerError

SIGNATURE_HEADER: Final = "X-IASReport-Signature"
CERTIFICATE_HEADER: Final = "X-IASReport-Signing-Certificate"


def parse_signed_report(headers: Mapping[str, str], body: bytes) -> SignedReport:
    """Put body, signature and certificates together.

    Args:
        headers: with names in lower case.
        body: kept exactly as received, since every byte is signed.

    Raises:
        MalformedError: a header is missing or malformed.
    """
    signature = decode_base64(_header(headers, SIGNATURE_HEADER), SIGNATURE_HEADER)
    chain = parse_chain(_header(headers, CERTIFICATE_HEADER))
    return SignedReport(body, signature, chain[0], chain[1:])


def parse_chain(header: str) -> tuple[bytes, ...]:
    """The DER certificates of ``X-IASReport-Signing-Certificate``, the leaf first.

    The value is percent-encoded PEM. It is not a form value: ``+`` belongs to the base64.

    Raises:
        MalformedError: no certificate, too many, or something between them.
    """
    return issuer_chain.parse_header(header, CERTIFICATE_HEADER)


def check_answers(report: bytes, *, quote: bytes, nonce: str | None) -> None:
    """Refuse a report that answers another request, for example a replayed one.

    Raises:
        MalformedError: the report is not a JSON object, or names no quote.
        UntrustedAnswerError: another nonce, or another quote.
    """
    members = _members(report)
    if members.get("nonce") != nonce:
        raise UntrustedAnswerError(
            "the attestation report answers another request: its nonce differs",
            details={"expected": nonce, "seen": members.get("nonce")},
        )
    if quote_body(report) != quote[: sgx_quote.SIZE]:
        raise UntrustedAnswerError("the attestation report is about another quote")


def quote_body(report: bytes) -> bytes:
    """The quote, without its signature, that a report says it is about.

    Raises:
        MalformedError: the report is not a JSON object, or names no quote.
    """
    text = _members(report).get("isvEnclaveQuoteBody")
    if not isinstance(text, str):
        raise MalformedError("the attestation report names no quote")
    return decode_base64(text, "isvEnclaveQuoteBody")


def decode_base64(text: str, what: str) -> bytes:
    """Standard base64 in its one canonical spelling.

    Raises:
        MalformedError: ``text``, named ``what``, is anything else, or empty.
    """
    try:
        data = base64_strict.decode(text)
    except ValueError as error:
        raise MalformedError(f"{what} is not canonical base64") from error
    if not data:
        raise MalformedError(f"{what} is empty")
    return data


def _members(report: bytes) -> dict[str, Any]:
    try:
        values = canonical_json.loads(report, floats=True)
    except ValueError as error:
        raise MalformedError(f"the attestation report is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise MalformedError("the attestation report is not a JSON object")
    return values


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "")
    if not value:
        raise MalformedError(f"the attestation service sent no {name} header")
    return value
