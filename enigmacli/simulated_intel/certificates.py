"""SIMULATION ONLY: certificates and revocation lists in the shape of Intel's DCAP PKI.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification. The
names say that they are simulated; everything else is as Intel's CA makes it: P-256, SHA-256,
the same extensions in the same order.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from enclave.evidence.simulated_dcap import NAME_PREFIX
from enigmacli.simulated_intel import sgx_extension

ROOT: Final = f"{NAME_PREFIX} SGX Root CA"
PLATFORM_CA: Final = f"{NAME_PREFIX} SGX PCK Platform CA"
PROCESSOR_CA: Final = f"{NAME_PREFIX} SGX PCK Processor CA"
PCK: Final = f"{NAME_PREFIX} SGX PCK Certificate"
TCB_SIGNING: Final = f"{NAME_PREFIX} SGX TCB Signing"

ORGANISATION: Final = "SIMULATION ONLY, not Intel Corporation"
COUNTRY: Final = "XX"  # ISO 3166-1 user-assigned: no country

ISSUES: Final = frozenset({"key_cert_sign", "crl_sign"})
SIGNS: Final = frozenset({"digital_signature", "content_commitment"})

_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def name(common_name: str) -> x509.Name:
    """A SIMULATED distinguished name, its parts in Intel's order."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COUNTRY_NAME, COUNTRY),
        ]
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateSpec:
    """What one certificate says."""

    subject: x509.Name
    issuer: x509.Name
    public_key: ec.EllipticCurvePublicKey
    issuer_key: ec.EllipticCurvePublicKey
    """Named by the authority key identifier."""
    serial: int
    not_before: datetime
    """Aware."""
    not_after: datetime
    usages: frozenset[str]
    is_ca: bool = False
    path_length: int | None = None
    """Of a CA."""
    crl_url: str = ""
    """Where the issuer's revocation list is, if anywhere."""
    sgx_extension: bytes | None = None
    """DER; PCK certificates only."""
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)

    def signed(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """The certificate, signed by ``key`` without randomness (RFC 6979)."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(self.issuer)
            .public_key(self.public_key)
            .serial_number(self.serial)
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
        )
        for extension, critical in self._extensions():
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(key, self.digest, ecdsa_deterministic=True)

    def _extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        usages = {usage: usage in self.usages for usage in _USAGES}
        constraints = x509.BasicConstraints(ca=self.is_ca, path_length=self.path_length)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer_key)
        listed: list[tuple[x509.ExtensionType, bool]] = [(authority, False)]
        if self.crl_url:
            listed.append((_distribution_point(self.crl_url), False))
        listed += [
            (x509.SubjectKeyIdentifier.from_public_key(self.public_key), False),
            (x509.KeyUsage(**usages), True),
            (constraints, True),
        ]
        if self.sgx_extension is not None:
            oid = x509.ObjectIdentifier(sgx_extension.OID)
            listed.append((x509.UnrecognizedExtension(oid, self.sgx_extension), False))
        return listed


@dataclass(frozen=True, kw_only=True, slots=True)
class CrlSpec:
    """What one revocation list says."""

    issuer: x509.Name
    issuer_key: ec.EllipticCurvePublicKey
    """Named by the authority key identifier."""
    this_update: datetime
    """Aware."""
    next_update: datetime
    number: int = 1
    revoked: tuple[tuple[int, datetime], ...] = ()
    """Serial numbers, and since when."""
    digest: hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)

    def signed(self, key: ec.EllipticCurvePrivateKey) -> x509.CertificateRevocationList:
        """The list, signed by ``key`` without randomness (RFC 6979)."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuer)
            .last_update(self.this_update)
            .next_update(self.next_update)
            .add_extension(x509.CRLNumber(self.number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer_key), critical=False
            )
        )
        for serial, since in self.revoked:
            builder = builder.add_revoked_certificate(_revoked(serial, since))
        return builder.sign(key, self.digest, ecdsa_deterministic=True)


def pem(*certificates: x509.Certificate) -> bytes:
    """A chain as PEM, in the order given."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def der(signed: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """One certificate or list as DER."""
    return signed.public_bytes(serialization.Encoding.DER)


def _distribution_point(url: str) -> x509.CRLDistributionPoints:
    full_name = [x509.UniformResourceIdentifier(url)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(full_name, None, None, None)])


def _revoked(serial: int, since: datetime) -> x509.RevokedCertificate:
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(serial)
        .revocation_date(since)
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .build()
    )
