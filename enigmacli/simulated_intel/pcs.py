"""SIMULATION ONLY: a provisioning certification service that answers like Intel's, without network.

Where the simulation has to choose: an encrypted PPID and a platform manifest hold the
platform's key in clear (:mod:`.pck_certificates`); a platform gets a certificate once it was
provisioned with ``POST /simulation/v1/provision``; there is one FMSPC, which is no
processor's; refusals say why in plain text.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from enclave.evidence import simulated_dcap
from enclave.evidence.simulated_dcap import TEE_SGX, TEE_TDX
from enigmacli.attestation.ias import API_KEY_HEADER
from enigmacli.errors import ConfigError
from enigmacli.simulated_intel import page, pck_certificates, pcs_answers, pcs_endpoints
from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES, DcapPki, parse_pck_key
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.ias import is_listed
from enigmacli.simulated_intel.pcs_answers import Refused
from enigmacli.simulated_intel.pcs_behaviour import Document, PcsBehaviour
from enigmacli.simulated_intel.pcs_documents import PcsDocuments
from enigmacli.simulated_intel.pcs_endpoints import Endpoint, Question, posted
from enigmacli.simulated_intel.platforms import Platforms

_SGX: Final = "/sgx/certification/v4/"
_TDX: Final = "/tdx/certification/v4/"


class _Path(NamedTuple):
    endpoint: Endpoint
    document: Document | None
    """What a fault may name; ``None``: faults do not concern it."""
    methods: tuple[str, ...] = ("GET",)
    needs_key: bool = False


_BOTH: Final = {
    "tcb": _Path(pcs_endpoints.tcb_info, Document.TCB),
    "qe/identity": _Path(pcs_endpoints.identity(None), Document.IDENTITY),
    "tcbevaluationdatanumbers": _Path(pcs_endpoints.evaluation_numbers, Document.NUMBERS),
}
_GET_OR_POST: Final = ("GET", "POST")
_SGX_ONLY: Final = {
    "pckcert": _Path(
        pcs_endpoints.pck_certificate, Document.PCK_CERT, _GET_OR_POST, needs_key=True
    ),
    "pckcerts": _Path(
        pcs_endpoints.pck_certificates_of_all_tcbs, Document.PCK_CERT, _GET_OR_POST, needs_key=True
    ),
    "pckcrl": _Path(pcs_endpoints.pck_crl, Document.PCK_CRL),
    "rootcacrl": _Path(pcs_endpoints.root_crl_in_hex, Document.ROOT_CRL),
    "crl": _Path(pcs_endpoints.crl_by_uri, None),
    "qve/identity": _Path(pcs_endpoints.identity("QVE"), Document.IDENTITY),
    "qae/identity": _Path(pcs_endpoints.identity("QAE"), Document.IDENTITY),
    "fmspcs": _Path(pcs_endpoints.fmspcs, Document.FMSPCS),
    "platforms": _Path(pcs_endpoints.platforms, None, _GET_OR_POST, needs_key=True),
}
_PATHS: Final = {
    "/IntelSGXRootCA.der": _Path(pcs_endpoints.root_crl_file, Document.ROOT_CRL),
    **{_SGX + name: path for name, path in (_BOTH | _SGX_ONLY).items()},
    **{_TDX + name: path for name, path in _BOTH.items()},
}


@dataclass
class SimulatedPcs:
    """One simulated service: who is provisioned, and what it was told to say."""

    pki: DcapPki
    platforms: Platforms
    """By the 64 bytes of their PCKs."""
    behaviour: PcsBehaviour = field(default_factory=PcsBehaviour)
    api_keys: tuple[str, ...] = ()
    """Asked for where Intel asks: for PCK certificates; without any, never."""
    random_bits: Callable[[int], int] = secrets.randbits

    def answer(self, request: Request, at_us: int) -> Answer:
        """Decide what to answer.

        Args:
            request: read completely.
            at_us: now, in microseconds since the Unix epoch.
        """
        try:
            answer = self._route(request, at_us)
        except Refused as refused:
            answer = refused.answer()
        request_id = f"{self.random_bits(128):032x}"
        return replace(answer, headers={**answer.headers, "Request-ID": request_id})

    def _route(self, request: Request, at_us: int) -> Answer:
        path = _PATHS.get(request.path)
        if path is not None:
            return self._serve(path, request, at_us)
        if request.path == "/":
            return page.answer(page.PCS, self.pki.trust_root_entry())
        if request.path == "/simulation/v1/root":
            _check_method(request, ("GET",))
            return Answer(200, self.pki.root_pem, {"Content-Type": pcs_answers.PEM_TYPE})
        if request.path == "/simulation/v1/provision":
            self._check_key(request)
            return self._provision(request)
        if request.path == "/simulation/v1/faults":
            self._check_key(request)
            return self._control(request)
        raise Refused(404, "there is nothing at this path")

    def _serve(self, path: _Path, request: Request, at_us: int) -> Answer:
        _check_method(request, path.methods)
        if path.needs_key:
            self._check_key(request)
        fault = self.behaviour.faults.take(path.document) if path.document else None
        question = Question(
            request,
            PcsDocuments(self.pki, self.behaviour, at_us),
            self.platforms,
            TEE_TDX if request.path.startswith(_TDX) else TEE_SGX,
        )
        try:
            answer = pcs_answers.spoiled(fault, lambda: path.endpoint(question))
        except Refused as refused:
            answer = refused.answer()
        return replace(answer, delay_ms=self.behaviour.latency_ms)

    def _check_key(self, request: Request) -> None:
        if not self.api_keys:
            return
        if not is_listed(request.headers.get(API_KEY_HEADER.lower(), ""), self.api_keys):
            raise Refused(401, "the API key is missing or not valid")

    def _provision(self, request: Request) -> Answer:
        text = posted(request).get("pck_key")
        if not isinstance(text, str) or not re.fullmatch(rf"[0-9a-f]{{{2 * PCK_KEY_BYTES}}}", text):
            raise Refused(400, f"pck_key is not {2 * PCK_KEY_BYTES} lower-case hex characters")
        key = bytes.fromhex(text)
        try:
            parse_pck_key(key)
        except ValueError as error:
            raise Refused(400, "pck_key is not a point of P-256") from error
        self.platforms.add(key)
        return pcs_answers.values(
            {
                "fmspc": simulated_dcap.FMSPC.hex(),
                "pceid": simulated_dcap.PCE_ID.hex(),
                "cpusvn": simulated_dcap.CPU_SVN.hex(),
                "pcesvn": simulated_dcap.PCE_SVN.to_bytes(2, "little").hex(),
                "encrypted_ppid": pck_certificates.encrypted_ppid(key).hex(),
                "platform_manifest": pck_certificates.platform_manifest(key).hex(),
                "simulation": True,
            }
        )

    def _control(self, request: Request) -> Answer:
        if request.method != "GET":
            try:
                self.behaviour = self.behaviour.changed(posted(request))
            except ConfigError as error:
                raise Refused(400, f"{error}: {error.hint}".rstrip(": ")) from error
        return pcs_answers.values(self.behaviour.shown() | {"simulation": True})


def _check_method(request: Request, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise Refused(405, f"this path wants {' or '.join(methods)}")
