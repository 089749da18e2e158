"""SIMULATION ONLY: an attestation service that decides like Intel's, without any network.

Source: Attestation Service for Intel SGX, API documentation, versions 4 and 5. Where the
simulation has to choose: a quote of a platform that was never provisioned is refused with
HTTP 400, as one that no genuine platform could have made; a provisioned platform's quote
whose signature does not verify gets the status SIGNATURE_INVALID, and one made before there
was a revocation list SIGRL_VERSION_MISMATCH. Refusals carry a JSON body with a ``reason``
where Intel's have none.
"""

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from enclave import canonical_json
from enclave.errors import QuoteFormatError, VerificationError
from enclave.evidence import sgx_quote, simulated_quote
from enclave.evidence.sgx_quote import EpidQuoteBody
from enigmacli.attestation.ias import API_KEY_HEADER, MAX_NONCE_LENGTH
from enigmacli.attestation.ias_answer import CERTIFICATE_HEADER, SIGNATURE_HEADER
from enigmacli.errors import ConfigError
from enigmacli.simulated_intel import page
from enigmacli.simulated_intel.behaviour import Behaviour
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.faults import Endpoint
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import KEY_BYTES, Platforms
from enigmacli.simulated_intel.report_body import Finding, QuoteStatus, encode_report
from enigmacli.simulated_intel.spoiling import Spoiler

MAX_BODY_BYTES: Final = 64 * 1024
MAX_QUOTE_BYTES: Final = 16 * 1024

_PLATFORM_KEY: Final = slice(-96, -64)  # before the signature, at the quote's end
_UPDATES: Final = ("early", "standard")  # of API version 5


class _Refused(Exception):  # noqa: N818 -- no error of the program: an answer to be sent
    """A request that gets an answer without a report."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass
class SimulatedIas:
    """One simulated service: who is provisioned, and what it was told to do."""

    pki: SimulatedPki
    platforms: Platforms
    behaviour: Behaviour = field(default_factory=Behaviour)
    api_keys: tuple[str, ...] = ()
    """Without any, requests need no key."""
    random_bits: Callable[[int], int] = secrets.randbits
    _spoiler: Spoiler = field(default_factory=Spoiler)

    def answer(self, request: Request, at_us: int) -> Answer:
        """Decide what to answer.

        Args:
            request: read completely.
            at_us: now, in microseconds since the Unix epoch.
        """
        try:
            answer = self._route(request, at_us)
        except _Refused as refused:
            answer = _refusal(refused.status, refused.reason)
        request_id = f"{self.random_bits(128):032x}"
        return replace(answer, headers={**answer.headers, "Request-ID": request_id})

    def _route(self, request: Request, at_us: int) -> Answer:
        if request.path == "/":
            return page.answer(page.IAS, self.pki.trust_root_entry())
        if request.path == "/simulation/v1/root":
            _check_method(request, "GET")
            return Answer(200, self.pki.root_pem, {"Content-Type": "application/x-pem-file"})
        self._check_key(request.headers)
        if request.path == "/simulation/v1/provision":
            return self._provision(_posted(request))
        if request.path == "/simulation/v1/faults":
            return self._control(request)
        match = re.fullmatch(
            r"/attestation/v([45])/(?:sigrl/([0-9A-Fa-f]{8})|report)", request.path
        )
        if match is None:
            raise _Refused(404, "there is nothing at this path")
        if match[2] is not None:
            return self._attest(Endpoint.SIGRL, lambda: self._sigrl(request, match[2]))
        version = int(match[1])
        return self._attest(Endpoint.REPORT, lambda: self._report(request, version, at_us))

    def _check_key(self, headers: Mapping[str, str]) -> None:
        if not self.api_keys:
            return
        if not is_listed(headers.get(API_KEY_HEADER.lower(), ""), self.api_keys):
            raise _Refused(401, "the API key is missing or not valid")

    def _attest(self, endpoint: Endpoint, decide: Callable[[], Answer]) -> Answer:
        fault = self.behaviour.faults.take(endpoint)
        try:
            answer = self._spoiler.answer(fault, decide)
        except _Refused as refused:
            answer = _refusal(refused.status, refused.reason)
        return replace(answer, delay_ms=self.behaviour.latency_ms)

    def _sigrl(self, request: Request, gid: str) -> Answer:
        _check_method(request, "GET")
        if int(gid, 16) != simulated_quote.EPID_GROUP_ID:
            raise _Refused(404, "unknown EPID group")
        return Answer(200, base64.b64encode(self.behaviour.sig_rl), {"Content-Type": "text/plain"})

    def _report(self, request: Request, version: int, at_us: int) -> Answer:
        posted = _posted(request)
        _check_update(request.query, version)
        quote, nonce = _quote(posted), _nonce(posted)
        finding = self._judge(quote)
        body = encode_report(
            finding,
            quote=quote,
            platform_key=quote[_PLATFORM_KEY],
            nonce=nonce,
            report_id=self.random_bits(128),
            version=version,
            at_us=at_us,
        )
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: base64.b64encode(self.pki.sign(body)).decode(),
            CERTIFICATE_HEADER: self.pki.chain_header,
        }
        return Answer(200, body, headers, note=f"quote status {finding.status}")

    def _judge(self, quote: bytes) -> Finding:
        try:
            said = EpidQuoteBody.parse(quote[: sgx_quote.SIZE])
            status = _signature_status(quote, self.behaviour.sig_rl)
        except QuoteFormatError as error:
            raise _Refused(400, f"isvEnclaveQuote: {error}") from error
        if quote[_PLATFORM_KEY] not in self.platforms:
            raise _Refused(400, "isvEnclaveQuote: this platform was not provisioned")
        if said.gid != simulated_quote.EPID_GROUP_ID:
            raise _Refused(400, "isvEnclaveQuote: unknown EPID group")
        if status is not QuoteStatus.OK:
            return Finding(status)
        return self.behaviour.finding

    def _provision(self, posted: Mapping[str, Any]) -> Answer:
        text = posted.get("platform_key")
        if not isinstance(text, str) or not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
            raise _Refused(400, "platform_key is not 64 lower-case hex characters")
        self.platforms.add(bytes.fromhex(text))
        gid = f"{simulated_quote.EPID_GROUP_ID:08x}"
        return _json(200, {"gid": gid, "simulation": True})

    def _control(self, request: Request) -> Answer:
        if request.method != "GET":
            try:
                self.behaviour = self.behaviour.changed(_posted(request))
            except ConfigError as error:
                raise _Refused(400, f"{error}: {error.hint}".rstrip(": ")) from error
        return _json(200, self.behaviour.shown() | {"simulation": True})


def is_listed(key: str, keys: Iterable[str]) -> bool:
    """Whether ``key`` is one of ``keys``, compared in a time that tells nothing about them."""
    given = key.encode("utf-8", "surrogateescape")  # a header may hold any bytes
    return any(hmac.compare_digest(given, one.encode()) for one in keys)


def _signature_status(quote: bytes, sig_rl: bytes) -> QuoteStatus:
    for revocations, status in (
        (sig_rl, QuoteStatus.OK),
        (b"", QuoteStatus.SIGRL_VERSION_MISMATCH),
    ):
        try:
            simulated_quote.verify_signature(quote, revocations)
        except VerificationError:
            continue
        return status
    return QuoteStatus.SIGNATURE_INVALID


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise _Refused(405, f"this path wants {method}")


def _check_update(query: Mapping[str, str], version: int) -> None:
    allowed = {"update"} if version >= 5 else set()  # noqa: PLR2004 -- the API's version
    if query.keys() - allowed or query.get("update", _UPDATES[0]) not in _UPDATES:
        raise _Refused(400, "unknown query")


def _posted(request: Request) -> dict[str, Any]:
    _check_method(request, "POST")
    try:
        values = canonical_json.loads(request.body, max_bytes=MAX_BODY_BYTES)
    except ValueError as error:
        raise _Refused(400, f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise _Refused(400, "the body is not a JSON object")
    return values


def _quote(posted: Mapping[str, Any]) -> bytes:
    unknown = posted.keys() - {"isvEnclaveQuote", "nonce"}
    if unknown:
        raise _Refused(400, f"not simulated: {', '.join(sorted(unknown))[:80]}")
    text = posted.get("isvEnclaveQuote")
    try:
        quote = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError) as error:
        raise _Refused(400, "isvEnclaveQuote is not base64") from error
    if not sgx_quote.SIZE < len(quote) <= MAX_QUOTE_BYTES:
        raise _Refused(400, "isvEnclaveQuote is missing, too short or too long")
    return quote


def _nonce(posted: Mapping[str, Any]) -> str | None:
    nonce = posted.get("nonce")
    if nonce is None and "nonce" not in posted:
        return None
    if not isinstance(nonce, str) or len(nonce) > MAX_NONCE_LENGTH:
        raise _Refused(400, f"nonce is not a string of at most {MAX_NONCE_LENGTH} characters")
    return nonce


def _refusal(status: int, reason: str) -> Answer:
    answer = _json(status, {"simulation": True, "reason": reason})
    return replace(answer, note=reason)


def _json(status: int, values: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(values).encode(), {"Content-Type": "application/json"})
