"""Client of the Intel Attestation Service (EPID), of a proxy in front of it, or of a simulated one.

Source: Attestation Service for Intel SGX, API documentation, versions 4 and 5. Intel's own
service ended on 2025-04-02; proxies of archives and :mod:`enigmacli.simulated_intel` speak
the same protocol.
"""

import base64
import re
from typing import TYPE_CHECKING, Any, Final, Self

from enclave import canonical_json
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.ias_answer import check_answers, decode_base64, parse_signed_report
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.attestation.service_client import ServiceAnswer, ServiceClient, Waiting
from enigmacli.errors import ConfigError, MalformedError, ServiceRefusedError

if TYPE_CHECKING:
    import httpx

MAX_NONCE_LENGTH: Final = 32
API_KEY_HEADER: Final = "Ocp-Apim-Subscription-Key"

_OK: Final = 200
_MAX_SIGRL_BYTES: Final = 64 * 1024
_MAX_REPORT_BYTES: Final = 64 * 1024
_MAX_REASON_BYTES: Final = 1024
_MAX_REASON_LENGTH: Final = 200
_MAX_GID: Final = 2**32 - 1
_API_KEY: Final = re.compile(r"[!-~]{1,128}")
_VERSIONS: Final = (4, 5)

_SIGRL_REFUSALS: Final = {404: "it does not know this EPID group"}
_REPORT_REFUSALS: Final = {
    400: "it found the quote malformed, of another kind, or of an unknown platform",
    404: "there is no report service at this URL",
}
_PROVISION_REFUSALS: Final = {404: "it is not a simulated service, which alone provisions"}
_COMMON_REFUSALS: Final = {
    401: "the API key is missing or not valid",
    403: "the API key may not use this service",
}


class IasClient:
    """Asks one attestation service.

    Args:
        url: base URL, for example ``https://api.trustedservices.intel.com/sgx``.
        api_key: the subscription key, sent in a header and shown nowhere.
        api_version: 4 or 5.
        timeout_s: of one connection, and of one pause in an answer.
        retry: how often and how long to try.
        waiting: time and chance, which tests replace.
        transport: what stands in for the network in tests.

    Raises:
        ConfigError: ``url``, ``api_key`` or ``api_version`` cannot be right.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        api_version: int = 4,
        timeout_s: float = 10.0,
        retry: RetryPolicy | None = None,
        waiting: Waiting | None = None,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        if api_version not in _VERSIONS:
            raise ConfigError(f"the attestation API's version is 4 or 5, not {api_version}")
        self._prefix = f"/attestation/v{api_version}"
        self._service = ServiceClient(
            "attestation service",
            url,
            headers={} if api_key is None else {API_KEY_HEADER: check_api_key(api_key)},
            timeout_s=timeout_s,
            retry=retry,
            waiting=waiting,
            transport=transport,
        )

    def __repr__(self) -> str:
        """The URL only: the key stays out of logs."""
        return f"IasClient({self._service.url!r})"

    def __enter__(self) -> Self:
        """The client itself; leaving the block closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def sigrl(self, gid: int) -> bytes:
        """The signature revocation list of an EPID group, empty where it has none.

        Args:
            gid: the 32-bit group id.

        Raises:
            ServiceRefusedError: the group is unknown, or the API key refused.
            ServiceUnavailableError: no answer in time.
            MalformedError: the answer is no revocation list.
        """
        if not 0 <= gid <= _MAX_GID:
            raise ValueError("an EPID group id has 32 bits")
        answer = self._service.send(
            "GET", f"{self._prefix}/sigrl/{gid:08x}", max_bytes=_MAX_SIGRL_BYTES
        )
        _check_ok(answer, "signature revocation list", _SIGRL_REFUSALS)
        if not answer.body:
            return b""
        return decode_base64(_ascii(answer.body).strip(), "the signature revocation list")

    def report(self, quote: bytes, nonce: str | None = None) -> SignedReport:
        """Have a quote verified and signed for.

        Args:
            quote: an EPID quote with its signature.
            nonce: at most 32 characters, which the report must repeat.

        Raises:
            ServiceRefusedError: the quote or the API key was refused.
            ServiceUnavailableError: no answer in time.
            MalformedError: a header is missing, or the answer is no report.
            UntrustedAnswerError: the report answers another request.
        """
        if nonce is not None and not 0 < len(nonce) <= MAX_NONCE_LENGTH:
            raise ValueError(f"a nonce has 1 to {MAX_NONCE_LENGTH} characters")
        body = {"isvEnclaveQuote": base64.b64encode(quote).decode()}
        if nonce is not None:
            body["nonce"] = nonce
        answer = self._service.send(
            "POST", f"{self._prefix}/report", json_body=body, max_bytes=_MAX_REPORT_BYTES
        )
        _check_ok(answer, "quote", _REPORT_REFUSALS)
        signed = parse_signed_report(answer.headers, answer.body)
        check_answers(signed.report, quote=quote, nonce=nonce)
        return signed

    def provision(self, platform_key: bytes) -> int:
        """Make a simulated platform known to a simulated service.

        Args:
            platform_key: 32 bytes, the public key of its simulated quoting enclave.

        Returns:
            The EPID group id that the platform belongs to.

        Raises:
            ServiceRefusedError: the service is not a simulated one, or refused the key.
            ServiceUnavailableError: no answer in time.
            MalformedError: the answer names no group.
        """
        answer = self._service.send(
            "POST",
            "/simulation/v1/provision",
            json_body={"platform_key": platform_key.hex()},
            max_bytes=_MAX_REASON_BYTES,
        )
        _check_ok(answer, "simulated platform", _PROVISION_REFUSALS)
        gid = _object(answer.body).get("gid")
        if not isinstance(gid, str) or re.fullmatch(r"[0-9a-f]{8}", gid) is None:
            raise MalformedError("the simulated attestation service named no EPID group")
        return int(gid, 16)


def check_api_key(text: str) -> str:
    """A key that fits into a header; the message never repeats it.

    Raises:
        ConfigError: empty, too long, or with spaces or control characters.
    """
    if _API_KEY.fullmatch(text) is None:
        raise ConfigError("the API key is not 1 to 128 printable characters without spaces")
    return text


def _check_ok(answer: ServiceAnswer, what: str, refusals: dict[int, str]) -> None:
    if answer.status == _OK:
        return
    cause = (refusals | _COMMON_REFUSALS).get(answer.status, "it gave no known cause")
    reason = _reason(answer.body)
    raise ServiceRefusedError(
        f"the attestation service refused the {what}: {cause} (HTTP status {answer.status})"
        + (f": {reason}" if reason else ""),
        hint="check --api-key-file" if answer.status in _COMMON_REFUSALS else "",
        details={"status": answer.status, "request_id": answer.headers.get("request-id", "")},
    )


def _reason(body: bytes) -> str:
    """The ``reason`` that our own servers put into a refusal, if it is fit to be shown."""
    try:
        reason = _object(body[:_MAX_REASON_BYTES]).get("reason")
    except MalformedError:
        return ""
    if not isinstance(reason, str) or not reason.isprintable():
        return ""
    return reason[:_MAX_REASON_LENGTH]


def _object(body: bytes) -> dict[str, Any]:
    try:
        values = canonical_json.loads(body, max_bytes=_MAX_REASON_BYTES)
    except ValueError as error:
        raise MalformedError(f"the answer is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise MalformedError("the answer is not a JSON object")
    return values


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError("the answer is not ASCII text") from error
