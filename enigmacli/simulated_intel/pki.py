"""SIMULATION ONLY: the certificates and keys of one simulated attestation service.

Their shape is that of Intel's: a self-signed RSA-3072 root and an RSA-2048 leaf that may
sign and issue nothing. Root and leaf are made once per folder, together and in one file,
and used again after every restart.
"""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from enigmacli.simulated_intel import key_folder
from enigmacli.simulated_intel.key_folder import key_pem

FILE_NAME: Final = "ias_pki.pem"
"""Leaf, root, and both keys; readable by its owner only."""
ROOT_FILE_NAME: Final = "simulated_root.pem"
"""The root alone, for whoever is to trust it."""

_ROOT_BITS: Final = 3072
_LEAF_BITS: Final = 2048
_EXPONENT: Final = 65537
_NOT_AFTER: Final = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)  # as Intel's root
_BACKDATED: Final = timedelta(days=1)  # so that no clock finds the leaf not yet valid
_COUNTRY: Final = "XX"  # ISO 3166-1 user-assigned: no country
_ORGANISATION: Final = "SIMULATION ONLY, not Intel Corporation"
_ROOT_NAME: Final = "SIMULATION ONLY Attestation Report Signing CA"
_LEAF_NAME: Final = "SIMULATION ONLY Attestation Report Signing"
_END_OF_KEY: Final = b"-----END PRIVATE KEY-----\n"


class SimulatedPki:
    """A simulated root, and the leaf that signs reports in its name."""

    def __init__(
        self, root: x509.Certificate, leaf: x509.Certificate, leaf_key: rsa.RSAPrivateKey
    ) -> None:
        self.root_der = root.public_bytes(serialization.Encoding.DER)
        self.root_pem = _pem(root)
        self.chain_header = quote(_pem(leaf) + self.root_pem)
        self._leaf_key = leaf_key

    @classmethod
    def load_or_create(cls, folder: Path, now: datetime) -> Self:
        """The PKI kept in ``folder``; a new one where there is none.

        Args:
            folder: created with mode 0700 where it is missing.
            now: aware; a new certificate is valid from a day before it.

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
        leaf, root = x509.load_pem_x509_certificates(pem)
        # the root's key, last in the file, is for certificates yet to be issued
        key_pem, _, _ = pem.partition(_END_OF_KEY)
        key = serialization.load_pem_private_key(key_pem + _END_OF_KEY, password=None)
        if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != leaf.public_key():
            raise ValueError("the key is not the leaf's")
        try:
            leaf.verify_directly_issued_by(root)
        except (InvalidSignature, TypeError) as error:
            raise ValueError("the leaf is not the root's") from error
        return cls(root, leaf, key)

    def trust_root_entry(self) -> str:
        """The root as a policy's ``trust_roots`` names it (protocol.md section 6)."""
        return f"simulation:{base64.b64encode(self.root_der).decode()}"

    def sign(self, report: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256, as Intel's service signs reports."""
        return self._leaf_key.sign(report, padding.PKCS1v15(), hashes.SHA256())


def _generate(now: datetime) -> bytes:
    """A new leaf key, leaf, root and root key as PEM."""
    root_key = rsa.generate_private_key(_EXPONENT, _ROOT_BITS)
    leaf_key = rsa.generate_private_key(_EXPONENT, _LEAF_BITS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    root = (
        _builder(_ROOT_NAME, root_key.public_key(), now)
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
        .add_extension(_key_usage(issues=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _builder(_LEAF_NAME, leaf_key.public_key(), now)
        .add_extension(authority, critical=False)
        .add_extension(_key_usage(issues=False), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    return key_pem(leaf_key) + _pem(leaf) + _pem(root) + key_pem(root_key)


def _builder(
    common_name: str, public_key: rsa.RSAPublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(_ROOT_NAME))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(_NOT_AFTER)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, _COUNTRY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
