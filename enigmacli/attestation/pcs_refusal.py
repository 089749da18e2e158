"""Why a PCS or PCCS does not serve a document: one class of error per cause.

Status codes: Intel SGX and Intel TDX Provisioning Certification Service, API documentation,
version 4; those from 460 on, and the meaning of 404, are a PCCS's own (Intel SGX DCAP, PCCS,
``pccs_status_code.js``). 429 and 5xx are repeated and never come here.
"""

from dataclasses import dataclass
from typing import Final

from enigmacli.attestation.service_client import ServiceAnswer
from enigmacli.errors import (
    CertificatesUnavailableError,
    EvaluationNumberGoneError,
    PlatformUnknownError,
    ServiceIntegrityError,
    ServiceRefusedError,
)

_OK: Final = 200
_MAX_REASON_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """One status: the class that names it, its cause in words, and what to do."""

    error: type[ServiceRefusedError]
    cause: str
    hint: str = ""


REFUSALS: Final = {
    400: Refusal(ServiceRefusedError, "it found the request malformed"),
    401: Refusal(
        ServiceRefusedError, "the API key is missing or not valid", "check --api-key-file"
    ),
    403: Refusal(
        ServiceRefusedError, "the API key may not use this service", "check --api-key-file"
    ),
    404: Refusal(
        PlatformUnknownError,
        "it does not know the platform, or keeps nothing for it",
        "register the platform, or name another server with --url",
    ),
    410: Refusal(
        EvaluationNumberGoneError,
        "it no longer serves this TCB evaluation number",
        "leave --tcb-evaluation-data-number out, or ask for a newer one",
    ),
    460: Refusal(
        ServiceIntegrityError,
        "what it keeps cannot be verified",
        "let its operator refresh the cache, or name another server with --url",
    ),
    461: Refusal(
        PlatformUnknownError,
        "the platform is not in its cache",
        "register the platform at this PCCS, or name another server with --url",
    ),
    462: Refusal(
        CertificatesUnavailableError,
        "Intel gave it no certificate for this platform's TCB",
        "update BIOS and microcode, then refresh the PCCS",
    ),
}
_OTHER: Final = Refusal(ServiceRefusedError, "it gave no known cause")


def check_ok(answer: ServiceAnswer, what: str, server: str) -> None:
    """Refuse every answer but 200.

    Args:
        answer: final: no redirect, nothing to repeat for.
        what: was asked for.
        server: its address.

    Raises:
        ServiceRefusedError: of the class that belongs to the status.
    """
    if answer.status == _OK:
        return
    refusal = REFUSALS.get(answer.status, _OTHER)
    reason = _reason(answer.body)
    raise refusal.error(
        f"{server} has no {what}: {refusal.cause} (HTTP status {answer.status})"
        + (f": {reason}" if reason else ""),
        hint=refusal.hint,
        details={
            "status": answer.status,
            "server": server,
            "request_id": answer.headers.get("request-id", "")[:_MAX_REASON_LENGTH],
        },
    )


def _reason(body: bytes) -> str:
    """A short answer in plain words, which a PCCS gives, if it is fit to be shown."""
    text = body[: _MAX_REASON_LENGTH + 1].decode("ascii", errors="replace").strip()
    fit = text.isascii() and text.isprintable() and len(text) <= _MAX_REASON_LENGTH
    return text if fit and not text.startswith("<") else ""
