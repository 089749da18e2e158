"""DCAP evidence for tests: quote and collateral under a root of its own, every part changeable.

``make(SGX_V3)``, ``make(TDX_V4)`` and ``make(TDX_V5)`` are sound and UpToDate at :data:`AT`.
Each keyword is a field of :class:`Scene`; mappings are merged over the defaults, and whatever
is changed is signed again, unless the change comes after signing. The same call gives the same
bytes. Examples::

    make(SGX_V3, body={"flags": 0x07})                          # a debug enclave
    make(TDX_V4, header={"qe_vendor_id": bytes(16)})
    make(SGX_V3, certificates={"pck": {"claims": {"fmspc": b"otherf"}}})
    make(SGX_V3, pck_crl={"revoked": (serial_of("pck"),)})
    make(SGX_V3, tcb_info={"pceId": "0001"}, finding=Finding(qe_status="OutOfDate"))
    make(SGX_V3, tcb_info_signed_by="platform-ca", tcb_chain=("platform-ca", "root"))
    make(SGX_V3, tcb_info_text=lambda text: text.replace(":", ": "))      # signed like that
    make(SGX_V3, tcb_info_served=lambda text: text.replace(":", ": "))    # changed afterwards
    make(SGX_V3, quote=lambda quote: quote + b"\\x00")
"""

import base64
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.x509 import Certificate

from enclave.evidence import simulated_dcap
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral
from enclave.verify.roots import TrustRoots
from enigmacli.simulated_intel import certificates, tcb_documents
from enigmacli.simulated_intel.tcb_documents import Finding, Validity
from tests.simulators.dcap_pki_factory import CrlPlan, key, plans
from tests.simulators.dcap_quote_factory import Form, QuoteParts, encode_quote

SGX_V3: Final = Form(3, simulated_dcap.TEE_SGX)
TDX_V4: Final = Form(4, simulated_dcap.TEE_TDX)
TDX_V5: Final = Form(5, simulated_dcap.TEE_TDX)

AT: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
ISSUED: Final = datetime(2026, 11, 13, 10, tzinfo=UTC)
NEXT_UPDATE: Final = datetime(2026, 12, 13, 10, tzinfo=UTC)

REMOVED: Final = object()
"""As a member's value: leave the member out."""

Text = Callable[[str], str]
Data = Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One piece of evidence, described; see this module's text."""

    form: Form
    # --- the quote, see QuoteParts
    header: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    qe_report: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Changes to the other fields of :class:`QuoteParts`."""
    quote: Data = bytes
    """Applied to the finished quote."""
    # --- the PKI, see CertificatePlan and CrlPlan
    certificates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pck_chain: tuple[str, ...] = ("pck", "platform-ca", "root")
    """Roles, in the quote's own order."""
    crl_chain: tuple[str, ...] = ("platform-ca", "root")
    tcb_chain: tuple[str, ...] = ("tcb-signer", "root")
    qe_chain: tuple[str, ...] = ("tcb-signer", "root")
    pem: Data = bytes
    """Applied to the PEM of the chain inside the quote."""
    root_crl: Mapping[str, Any] = field(default_factory=dict)
    pck_crl: Mapping[str, Any] = field(default_factory=dict)
    # --- the documents
    finding: Finding = field(default_factory=Finding)
    validity: Validity = field(default_factory=lambda: Validity(ISSUED, NEXT_UPDATE))
    tcb_info: Mapping[str, Any] = field(default_factory=dict)
    tcb_info_text: Text = str
    tcb_info_signed_by: str = "tcb-signer"
    tcb_info_signature: Data = bytes
    tcb_info_served: Text = str
    qe_identity: Mapping[str, Any] = field(default_factory=dict)
    qe_identity_text: Text = str
    qe_identity_signed_by: str = "tcb-signer"
    qe_identity_signature: Data = bytes
    qe_identity_served: Text = str
    collateral: Mapping[str, Any] = field(default_factory=dict)
    """Members of the finished JSON; :data:`REMOVED` leaves one out."""


@dataclass(frozen=True)
class Made:
    """What a scene gives."""

    quote: bytes
    collateral: Mapping[str, Any]
    """In the JSON form of ``dcap_qvl``."""
    certificates: Mapping[str, Certificate]
    """By role."""

    @property
    def root_der(self) -> bytes:
        return certificates.der(self.certificates["root"])

    @property
    def roots(self) -> TrustRoots:
        return TrustRoots.standing_in(self.root_der)

    @property
    def trust_root_entry(self) -> str:
        """As a policy's ``trust_roots`` names it."""
        return f"simulation:{base64.b64encode(self.root_der).decode()}"

    @property
    def collateral_json(self) -> bytes:
        return json.dumps(self.collateral).encode()

    @property
    def collateral_intel(self) -> bytes:
        """In Intel's serialisation; the JSON form must be well-formed."""
        return Collateral.parse_json(self.collateral_json).encode_intel()

    @property
    def evidence(self) -> QuoteWithCollateral:
        """As a container on chain is read."""
        return QuoteWithCollateral(self.quote, self.collateral_intel)

    @property
    def container(self) -> bytes:
        """As a transaction's ``certificate`` field carries it."""
        return tagged((2, self.quote), (3, self.collateral_intel))


def tagged(*values: tuple[int, bytes]) -> bytes:
    """Tag, size and value, repeated."""
    return b"".join(struct.pack("<BI", tag, len(value)) + value for tag, value in values)


def make(form: Form, **changes: Any) -> Made:
    """Evidence of this form, with the fields of :class:`Scene` changed."""
    return build(Scene(form=form, **changes))


def build(scene: Scene) -> Made:
    """The quote and its collateral."""
    issued = {role: plan.signed() for role, plan in plans(scene.certificates).items()}

    def chain(roles: tuple[str, ...]) -> bytes:
        return certificates.pem(*(issued[role] for role in roles))

    parts = QuoteParts(
        form=scene.form,
        header=scene.header,
        body=scene.body,
        qe_report=scene.qe_report,
        chain=scene.pem(chain(scene.pck_chain) + b"\x00"),
    )
    quote = encode_quote(replace(parts, **scene.parts))
    collateral = {
        "pck_crl_issuer_chain": chain(scene.crl_chain).decode(),
        "root_ca_crl": _crl(_ROOT_CRL, scene.root_crl),
        "pck_crl": _crl(_PCK_CRL, scene.pck_crl),
        "tcb_info_issuer_chain": chain(scene.tcb_chain).decode(),
        **_tcb_info(scene),
        "qe_identity_issuer_chain": chain(scene.qe_chain).decode(),
        **_qe_identity(scene),
    }
    return Made(scene.quote(quote), _merged(collateral, scene.collateral), issued)


_ROOT_CRL: Final = CrlPlan(
    issuer=certificates.ROOT, signed_by="root",
    this_update=datetime(2026, 3, 20, 11, tzinfo=UTC), next_update=datetime(2027, 4, 3, tzinfo=UTC),
)  # fmt: skip
_PCK_CRL: Final = CrlPlan(
    issuer=certificates.PLATFORM_CA, signed_by="platform-ca",
    this_update=ISSUED, next_update=NEXT_UPDATE,
)  # fmt: skip


def _crl(plan: CrlPlan, changes: Mapping[str, Any]) -> str:
    return certificates.der(replace(plan, **changes).signed()).hex()


def _tcb_info(scene: Scene) -> dict[str, str]:
    members = tcb_documents.tcb_info(scene.form.tee_type, scene.finding, scene.validity)
    text = scene.tcb_info_text(tcb_documents.text_of(_merged(members, scene.tcb_info)))
    signature = tcb_documents.sign(text, key(scene.tcb_info_signed_by))
    return {
        "tcb_info": scene.tcb_info_served(text),
        "tcb_info_signature": scene.tcb_info_signature(signature).hex(),
    }


def _qe_identity(scene: Scene) -> dict[str, str]:
    members = tcb_documents.identity(scene.form.tee_type, scene.finding, scene.validity)
    text = scene.qe_identity_text(tcb_documents.text_of(_merged(members, scene.qe_identity)))
    signature = tcb_documents.sign(text, key(scene.qe_identity_signed_by))
    return {
        "qe_identity": scene.qe_identity_served(text),
        "qe_identity_signature": scene.qe_identity_signature(signature).hex(),
    }


def _merged(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not REMOVED}
