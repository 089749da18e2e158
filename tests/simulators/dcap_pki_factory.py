"""A DCAP PKI for tests: every certificate and list can be told to say something else.

Keys come from names, signatures need no randomness: the same calls give the same bytes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from enclave.evidence.der import SEQUENCE
from enigmacli.simulated_intel import certificates, sgx_extension
from enigmacli.simulated_intel.certificates import CertificateSpec, CrlSpec
from enigmacli.simulated_intel.sgx_extension import PlatformClaims, element

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BIT_STRING: Final = 0x03
_EXTENSIONS: Final = 0xA3  # [3] EXPLICIT of a TBSCertificate

VALID_FROM: Final = datetime(2024, 1, 1, tzinfo=UTC)
VALID_TO: Final = datetime(2033, 1, 1, tzinfo=UTC)
ROOT_CRL_URL: Final = "https://simulation.invalid/IntelSGXRootCA.der"
PCK_CRL_URL: Final = "https://simulation.invalid/sgx/certification/v4/pckcrl?ca=platform"

Extensions = Callable[[list[bytes]], Sequence[bytes]]

_SIGNED: Final[dict[str, x509.Certificate]] = {}
"""By what was said; functions and the like keep their identity, and so live as long as this."""
_OBJECTS: Final = frozenset({"curve", "digest", "extensions"})
"""Fields of a plan that do not show their value."""


@cache
def key(name: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """The private key of that name, on P-256 unless another curve is named."""
    scalar = int.from_bytes(hashlib.sha512(b"SIMULATION ONLY " + name.encode()).digest())
    return ec.derive_private_key(scalar % (_P256_ORDER - 1) + 1, curve or ec.SECP256R1())


def serial_of(name: str) -> int:
    """A serial number of 20 bytes for everything that has a name."""
    return int.from_bytes(hashlib.sha256(b"serial " + name.encode()).digest()[:20]) >> 1 | 1 << 158


@dataclass(frozen=True, kw_only=True)
class CertificatePlan:
    """One certificate; keys are named, see :func:`key`."""

    subject: str | x509.Name
    issuer: str | x509.Name
    key: str
    signed_by: str
    serial: int
    is_ca: bool = False
    path_length: int | None = None
    usages: frozenset[str] = certificates.SIGNS
    not_before: datetime = VALID_FROM
    not_after: datetime = VALID_TO
    crl_url: str = ROOT_CRL_URL
    authority_key: str = ""
    """Key named by the authority key identifier; empty: that which signs."""
    claims: Mapping[str, Any] | None = None
    """Changes to :class:`PlatformClaims`; ``None``: no SGX extension."""
    sgx_extension: bytes | None = None
    """In the place of what ``claims`` would give."""
    curve: ec.EllipticCurve | None = None
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)
    extensions: Extensions | None = None
    """Changes the list of extensions, each DER, before the certificate is signed again."""

    def signed(self) -> x509.Certificate:
        """The certificate; plans that say the same are signed once a run."""
        said = self._said()
        if said not in _SIGNED:
            _SIGNED[said] = self._sign()
        return _SIGNED[said]

    def _said(self) -> str:
        curve = self.curve.name if self.curve else ""
        values = [getattr(self, item.name) for item in fields(self) if item.name not in _OBJECTS]
        return repr((*values, curve, self.digest.name, self.extensions))

    def _sign(self) -> x509.Certificate:
        signer = key(self.signed_by)
        certificate = CertificateSpec(
            subject=_name(self.subject),
            issuer=_name(self.issuer),
            public_key=key(self.key, self.curve).public_key(),
            issuer_key=key(self.authority_key or self.signed_by).public_key(),
            serial=self.serial,
            not_before=self.not_before,
            not_after=self.not_after,
            usages=self.usages,
            is_ca=self.is_ca,
            path_length=self.path_length,
            crl_url=self.crl_url,
            sgx_extension=self._sgx_extension(),
            digest=self.digest,
        ).signed(signer)
        if self.extensions is None:
            return certificate
        return with_extensions(certificate, self.extensions, signer)

    def _sgx_extension(self) -> bytes | None:
        if self.sgx_extension is not None or self.claims is None:
            return self.sgx_extension
        return replace(PlatformClaims(), **self.claims).encode()


def default_plans() -> dict[str, CertificatePlan]:
    """The certificates of a sound PKI by role."""
    root = CertificatePlan(
        subject=certificates.ROOT, issuer=certificates.ROOT, key="root", signed_by="root",
        serial=serial_of("root"), is_ca=True, path_length=1, usages=certificates.ISSUES,
        not_after=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
    )  # fmt: skip
    platform_ca = replace(
        root, subject=certificates.PLATFORM_CA, key="platform-ca", not_after=VALID_TO,
        serial=serial_of("platform-ca"), path_length=0,
    )  # fmt: skip
    processor_ca = replace(
        platform_ca, subject=certificates.PROCESSOR_CA, key="processor-ca",
        serial=serial_of("processor-ca"),
    )  # fmt: skip
    pck = CertificatePlan(
        subject=certificates.PCK, issuer=certificates.PLATFORM_CA, key="pck",
        signed_by="platform-ca", serial=serial_of("pck"), crl_url=PCK_CRL_URL, claims={},
    )  # fmt: skip
    tcb_signer = CertificatePlan(
        subject=certificates.TCB_SIGNING, issuer=certificates.ROOT, key="tcb-signer",
        signed_by="root", serial=serial_of("tcb-signer"),
    )  # fmt: skip
    return {
        "root": root,
        "platform-ca": platform_ca,
        "processor-ca": processor_ca,
        "pck": pck,
        "tcb-signer": tcb_signer,
    }


def plans(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, CertificatePlan]:
    """The default plans, changed; a new role begins as the one that its ``like`` names."""
    planned = default_plans()
    for role, change in changes.items():
        members = dict(change)
        like = members.pop("like", role)
        planned[role] = replace(planned[like], **members)
    return planned


@dataclass(frozen=True, kw_only=True)
class CrlPlan:
    """One revocation list; keys are named, see :func:`key`."""

    issuer: str | x509.Name
    signed_by: str
    this_update: datetime
    next_update: datetime
    number: int = 1
    authority_key: str = ""
    """Key named by the authority key identifier; empty: that which signs."""
    revoked: tuple[int, ...] = ()
    """Serial numbers, see :func:`serial_of`."""
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)

    def signed(self) -> x509.CertificateRevocationList:
        return CrlSpec(
            issuer=_name(self.issuer),
            issuer_key=key(self.authority_key or self.signed_by).public_key(),
            this_update=self.this_update,
            next_update=self.next_update,
            number=self.number,
            revoked=tuple((serial, self.this_update) for serial in self.revoked),
            digest=self.digest,
        ).signed(key(self.signed_by))


def with_extensions(
    certificate: x509.Certificate, change: Extensions, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """The certificate signed again with other extensions, such as no library would write."""
    members = split(split(certificate.tbs_certificate_bytes)[0][1])
    before = [whole for tag, _, whole in _walk(members) if tag != _EXTENSIONS]
    (inside,) = [content for tag, content, _ in _walk(members) if tag == _EXTENSIONS]
    listed = [whole for _, _, whole in _walk(split(split(inside)[0][1]))]
    extensions = element(_EXTENSIONS, element(SEQUENCE, *change(listed)))
    return resigned(element(SEQUENCE, *before, extensions), signer)


def resigned(tbs: bytes, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate of exactly these inner bytes, signed with SHA-256."""
    signature = signer.sign(tbs, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256, RFC 5758
    bits = element(_BIT_STRING, b"\x00", signature)
    return x509.load_der_x509_certificate(element(SEQUENCE, tbs, algorithm, bits))


def split(data: bytes) -> list[tuple[int, bytes]]:
    """The DER elements in a row: tag and content of each."""
    found = []
    while data:
        length, at = data[1], 2
        if length & 0x80:
            at += length & 0x7F
            length = int.from_bytes(data[2:at])
        found.append((data[0], data[at : at + length]))
        data = data[at + length :]
    return found


def is_sgx_extension(extension: bytes) -> bool:
    """Whether this extension, DER, is the SGX one."""
    return split(split(extension)[0][1])[0][1] == sgx_extension.ARC


def _walk(members: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes, bytes]]:
    return [(tag, content, element(tag, content)) for tag, content in members]


def _name(subject: str | x509.Name) -> x509.Name:
    return certificates.name(subject) if isinstance(subject, str) else subject
