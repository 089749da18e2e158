"""A small Intel in memory: roots, signing leaves, reports and containers, good ones and bad ones.

Every default is acceptable, so a test changes the one thing it is about.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enclave.appraise.policy import Policy
from enclave.evidence.ias_report import SignedReport
from enclave.evidence.simulated_quote import encode_body
from enclave.times import parse_rfc3339
from enclave.verify.roots import TrustRoots

TIMESTAMP: Final = "2026-11-23T10:00:00.250000"
AT_US: Final = parse_rfc3339(TIMESTAMP + "Z")
"""The instant of the default report."""

MR_ENCLAVE: Final = bytes(range(32))
MR_SIGNER: Final = bytes(range(32, 64))
ISV_PROD_ID: Final = 7
ISV_SVN: Final = 3
REPORT_DATA: Final = bytes(range(64))

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

NOT_BEFORE: Final = datetime(2026, 11, 1, tzinfo=UTC)
NOT_AFTER: Final = datetime(2046, 11, 1, tzinfo=UTC)


def rsa_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key per label and run."""
    return _rsa_key(label, bits)


@cache
def _rsa_key(label: str, bits: int) -> rsa.RSAPrivateKey:
    assert label
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(label: str) -> ec.EllipticCurvePrivateKey:
    """One P-256 key per label and run."""
    assert label
    return ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def key_usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{item: allowed.get(item, False) for item in names})


SIGNS_REPORTS: Final = key_usage(digital_signature=True, content_commitment=True)
SIGNS_CERTIFICATES: Final = key_usage(key_cert_sign=True, crl_sign=True)


def certificate(
    subject: str = "report signer",
    subject_key: str = "leaf",
    issuer: str = "root",
    issuer_key: str = "root",
    *,
    ca: bool | None = False,
    usage: x509.KeyUsage | None = SIGNS_REPORTS,
    bits: int = 2048,
    issuer_bits: int = 2048,
    elliptic: bool = False,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    hashed_with: SHA256 | SHA384 | None = None,
    rsa_padding: padding.PSS | None = None,
) -> bytes:
    """DER of a certificate."""
    key: PrivateKey = ec_key(subject_key) if elliptic else rsa_key(subject_key, bits)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(17)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    issuer_private = rsa_key(issuer_key, issuer_bits)
    signed = builder.sign(issuer_private, hashed_with or SHA256(), rsa_padding=rsa_padding)
    return signed.public_bytes(Encoding.DER)


def root(label: str = "root", subject: str = "root", bits: int = 2048) -> bytes:
    """DER of a self-signed CA certificate."""
    return certificate(
        subject, label, subject, label,
        ca=True, usage=SIGNS_CERTIFICATES, bits=bits, issuer_bits=bits,
    )  # fmt: skip


def roots(*ders: bytes) -> TrustRoots:
    return TrustRoots.of(Names(tuple(map(trust_root, ders or (root(),)))))


@dataclass(frozen=True)
class Names:
    trust_roots: tuple[str, ...]


def trust_root(der: bytes) -> str:
    return f"simulation:{base64.b64encode(der).decode()}"


def quote_body(report_data: bytes = REPORT_DATA, *, flags: int = 0x05, **changes: Any) -> bytes:
    """432 bytes; ``flags`` are ATTRIBUTES.FLAGS."""
    members: dict[str, Any] = {
        "mr_enclave": MR_ENCLAVE,
        "mr_signer": MR_SIGNER,
        "isv_prod_id": ISV_PROD_ID,
        "isv_svn": ISV_SVN,
    } | changes
    body = bytearray(encode_body(report_data=report_data, **members))
    body[96:104] = flags.to_bytes(8, "little")
    return bytes(body)


def report_members(body: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """A report of API version 4 and status OK; a change to ``...`` leaves the member out."""
    members = {
        "id": "11111111111111111111",
        "timestamp": TIMESTAMP,
        "version": 4,
        "isvEnclaveQuoteStatus": "OK",
        "isvEnclaveQuoteBody": base64.b64encode(quote_body() if body is None else body).decode(),
    } | changes
    return {key: value for key, value in members.items() if value is not ...}


def report(body: bytes | None = None, **changes: Any) -> bytes:
    return json.dumps(report_members(body, **changes), separators=(",", ":")).encode()


def sign(data: bytes, key: str = "leaf", bits: int = 2048) -> bytes:
    return rsa_key(key, bits).sign(data, padding.PKCS1v15(), SHA256())


def signed(data: bytes | None = None, leaf: bytes | None = None) -> SignedReport:
    data = report() if data is None else data
    return SignedReport(data, sign(data), certificate() if leaf is None else leaf)


def comment(evidence: SignedReport) -> dict[str, str]:
    """The members of the JSON form, base64."""
    members = {
        "report": evidence.report,
        "signature": evidence.signature,
        "signing_cert": evidence.signing_cert,
    }
    return {key: base64.b64encode(value).decode() for key, value in members.items()}


def container(text: bytes, *, object_id: str = "2.16.840.1.113730.1.13") -> bytes:
    """DER of a certificate whose only extension holds ``text``."""
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(object_id), text)
    return (
        x509.CertificateBuilder()
        .subject_name(name("node"))
        .issuer_name(name("enclave"))
        .public_key(ec_key("container").public_key())
        .serial_number(1)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(extension, critical=False)
        .sign(ec_key("container"), SHA256())
        .public_bytes(Encoding.DER)
    )


def on_chain(evidence: SignedReport | None = None) -> bytes:
    return container(json.dumps(comment(evidence or signed())).encode())


POLICY_MEMBERS: Final[dict[str, Any]] = {
    "evidence_kinds": ["epid"],
    "measurements": [{"mr_enclave": MR_ENCLAVE.hex()}],
    "epid_quote_statuses": ["OK", "SW_HARDENING_NEEDED"],
    "platform_tcb_statuses": ["UpToDate"],
    "qe_tcb_statuses": ["UpToDate"],
    "advisories": ["INTEL-SA-00334", "INTEL-SA-00615"],
    "min_tcb_evaluation_data_number": 16,
    "max_evidence_age_s": 3600,
    "max_clock_skew_s": 30,
    "allow_debug": False,
    "require_owner": True,
    "max_registrations_per_block": 8,
    "min_gas_price": "0.0025uscrt",
    "simulation": True,
    "trust_roots": ...,
}
"""A policy under which the default report is acceptable; its root is made when it is needed."""


def policy_value(**changes: Any) -> dict[str, Any]:
    """That policy with changes; ``...`` leaves a member out."""
    value = POLICY_MEMBERS | {"trust_roots": [trust_root(root())]} | changes
    return {key: item for key, item in value.items() if item is not ...}


def policy(**changes: Any) -> Policy:
    return Policy.from_value(policy_value(**changes))
