"""SIMULATION ONLY: the certificate authorities behind simulated DCAP evidence.

Their shape is that of Intel's: a self-signed P-256 root; under it two authorities for PCK
certificates and one certificate that signs TCB Info and enclave identities. They are made
once per folder; PCK certificates and revocation lists are made from them whenever they are
asked for, and the same question gets the same certificate.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from enigmacli.simulated_intel import certificates, key_folder
from enigmacli.simulated_intel.certificates import CertificateSpec, CrlSpec
from enigmacli.simulated_intel.sgx_extension import PlatformClaims

FILE_NAME: Final = "dcap_pki.pem"
"""Keys and certificates of every authority; readable by its owner only."""
ROOT_FILE_NAME: Final = "simulated_dcap_root.pem"
"""The root alone, for whoever is to trust it."""

PCK_KEY_BYTES: Final = 64

PLATFORM_CA: Final = "platform-ca"
PROCESSOR_CA: Final = "processor-ca"
TCB_SIGNING: Final = "tcb-signing"
ROLES: Final = (PLATFORM_CA, PROCESSOR_CA, TCB_SIGNING)
"""What the root has issued, and can revoke."""

# RFC 2606: such hosts exist nowhere, as the services that Intel's certificates name do
ROOT_CRL_URL: Final = "https://certificates.simulation.invalid/IntelSGXRootCA.der"
PCK_CRL_URL: Final = "https://api.simulation.invalid/sgx/certification/v4/pckcrl"

_NOT_AFTER: Final = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)  # as Intel's root
_BACKDATED: Final = timedelta(days=90)  # older than every document that is served
_SERIAL_BYTES: Final = 20
_UNCOMPRESSED: Final = b"\x04"
_END_OF_KEY: Final = b"-----END PRIVATE KEY-----\n"
_SUBJECTS: Final = (
    certificates.ROOT,
    certificates.PLATFORM_CA,
    certificates.PROCESSOR_CA,
    certificates.TCB_SIGNING,
)


class Ca(StrEnum):
    """Which authority issues PCK certificates, as the query of a revocation list names it."""

    PLATFORM = "platform"
    PROCESSOR = "processor"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate, and the key that signs in its name."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class CrlContent:
    """What a revocation list says, whoever signs it."""

    number: int
    this_update: datetime
    """Aware."""
    next_update: datetime
    revoked: tuple[int, ...] = ()
    """Serial numbers."""


class DcapPki:
    """A simulated root, and what it vouches for."""

    def __init__(self, root: Authority, cas: dict[Ca, Authority], tcb_signer: Authority) -> None:
        self._root = root
        self._cas = cas
        self.tcb_signer = tcb_signer
        self.root_der = certificates.der(root.certificate)
        self.root_pem = certificates.pem(root.certificate)

    @classmethod
    def load_or_create(cls, folder: Path, now: datetime) -> Self:
        """The PKI kept in ``folder``; a new one where there is none.

        Args:
            folder: created with mode 0700 where it is missing.
            now: aware; new certificates are valid from 90 days before it.

        Raises:
            StorageError: the folder or file cannot be used, or the file is damaged.
        """
        return key_folder.load_or_create(
            folder / FILE_NAME,
            lambda: _generate(now),
            cls._parse,
            lambda pki: (ROOT_FILE_NAME, pki.root_pem),
        )

    @classmethod
    def _parse(cls, pem: bytes) -> Self:
        keys = [_private_key(block) for block in pem.split(_END_OF_KEY)[:-1]]
        found = x509.load_pem_x509_certificates(pem)
        if len(keys) != len(found) or len(found) != len(_SUBJECTS):
            raise ValueError(f"not {len(_SUBJECTS)} keys and certificates")
        root = found[0]
        for certificate, key, subject in zip(found, keys, _SUBJECTS, strict=True):
            _check_issued(certificate, root)
            if key.public_key() != certificate.public_key():
                raise ValueError("a key is not its certificate's")
            if certificate.subject != certificates.name(subject):
                raise ValueError("a certificate has another name")
        authorities = [Authority(*pair) for pair in zip(found, keys, strict=True)]
        root_authority, platform, processor, tcb_signer = authorities
        return cls(root_authority, {Ca.PLATFORM: platform, Ca.PROCESSOR: processor}, tcb_signer)

    def trust_root_entry(self) -> str:
        """The root as a policy's ``trust_roots`` names it (protocol.md section 6)."""
        return f"simulation:{base64.b64encode(self.root_der).decode()}"

    def tcb_chain_header(self) -> str:
        """The issuer chain of TCB Info and identities, as a header carries it."""
        return self._chain_header(self.tcb_signer.certificate)

    def ca_chain_header(self, ca: Ca) -> str:
        """The issuer chain of PCK certificates and their revocation list."""
        return self._chain_header(self._cas[ca].certificate)

    def _chain_header(self, issuer: x509.Certificate) -> str:
        return quote(certificates.pem(issuer) + self.root_pem, safe="")

    def issue_pck(self, ca: Ca, pck_key: bytes) -> x509.Certificate:
        """The PCK certificate of a platform.

        Args:
            ca: which authority issues it.
            pck_key: 64 bytes, x ‖ y.

        Raises:
            ValueError: not a point of P-256.
        """
        issuer = self._cas[ca]
        public_key = parse_pck_key(pck_key)
        identity = hashlib.sha256(b"SIMULATION ONLY platform" + pck_key).digest()
        claims = PlatformClaims(
            ppid=identity[:16], instance_id=identity[16:] if ca is Ca.PLATFORM else None
        )
        return CertificateSpec(
            subject=certificates.name(certificates.PCK),
            issuer=issuer.certificate.subject,
            public_key=public_key,
            issuer_key=issuer.key.public_key(),
            serial=pck_serial(ca, pck_key),
            not_before=issuer.certificate.not_valid_before_utc,
            not_after=_NOT_AFTER,
            usages=certificates.SIGNS,
            crl_url=f"{PCK_CRL_URL}?ca={ca}&encoding=der",
            sgx_extension=claims.encode(),
        ).signed(issuer.key)

    def serial_of(self, role: str) -> int:
        """The serial number of an authority's own certificate.

        Args:
            role: one of :data:`ROLES`.
        """
        return self._certified()[role].certificate.serial_number

    def _certified(self) -> dict[str, Authority]:
        return {
            PLATFORM_CA: self._cas[Ca.PLATFORM],
            PROCESSOR_CA: self._cas[Ca.PROCESSOR],
            TCB_SIGNING: self.tcb_signer,
        }

    def root_crl(self, crl: CrlContent) -> bytes:
        """The root's revocation list, DER."""
        return _sign_crl(self._root, crl)

    def pck_crl(self, ca: Ca, crl: CrlContent) -> bytes:
        """The revocation list of PCK certificates, DER."""
        return _sign_crl(self._cas[ca], crl)


def pck_serial(ca: Ca, pck_key: bytes) -> int:
    """The serial number of a platform's PCK certificate: positive, 20 bytes."""
    digest = hashlib.sha256(f"SIMULATION ONLY {ca}".encode() + pck_key).digest()
    return int.from_bytes(digest[:_SERIAL_BYTES]) >> 1


def parse_pck_key(pck_key: bytes) -> ec.EllipticCurvePublicKey:
    """A public key from x ‖ y.

    Raises:
        ValueError: not 64 bytes, or not a point of P-256.
    """
    if len(pck_key) != PCK_KEY_BYTES:
        raise ValueError(f"a PCK has {PCK_KEY_BYTES} bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _UNCOMPRESSED + pck_key)


def _generate(now: datetime) -> bytes:
    """New authorities as PEM: key and certificate of each, in the order of the subjects."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    made = []
    for subject in _SUBJECTS:
        is_root = subject == certificates.ROOT
        is_ca = subject != certificates.TCB_SIGNING
        key = root_key if is_root else ec.generate_private_key(ec.SECP256R1())
        path_length = 1 if is_root else 0
        spec = CertificateSpec(
            subject=certificates.name(subject),
            issuer=certificates.name(certificates.ROOT),
            public_key=key.public_key(),
            issuer_key=root_key.public_key(),
            serial=x509.random_serial_number(),
            not_before=now - _BACKDATED,
            not_after=_NOT_AFTER,
            usages=certificates.ISSUES if is_ca else certificates.SIGNS,
            is_ca=is_ca,
            path_length=path_length if is_ca else None,
            crl_url=ROOT_CRL_URL,
        )
        made.append(key_folder.key_pem(key) + certificates.pem(spec.signed(root_key)))
    return b"".join(made)


def _private_key(block: bytes) -> ec.EllipticCurvePrivateKey:
    start = block.find(b"-----BEGIN PRIVATE KEY-----")
    key = serialization.load_pem_private_key(block[max(start, 0) :] + _END_OF_KEY, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a key is not one of P-256")  # noqa: TRY004 -- damage, not a wrong call
    return key


def _check_issued(certificate: x509.Certificate, root: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, TypeError) as error:
        raise ValueError("a certificate is not the root's") from error


def _sign_crl(issuer: Authority, crl: CrlContent) -> bytes:
    spec = CrlSpec(
        issuer=issuer.certificate.subject,
        issuer_key=issuer.key.public_key(),
        this_update=crl.this_update,
        next_update=crl.next_update,
        number=crl.number,
        revoked=tuple((serial, crl.this_update) for serial in crl.revoked),
    )
    return certificates.der(spec.signed(issuer.key))
