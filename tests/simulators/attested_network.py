"""A simulated network in memory: its root, its policy, and reports over simulated quotes.

Stands where a simulated Intel stands in a running network, without a server, so that the
trusted side can be tested whole: real certificates, real signatures, real containers.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enclave import canonical_json, measurement
from enclave.configuration import Configuration
from enclave.evidence import simulated_quote
from enclave.times import format_rfc3339

NOW_US = 1_790_000_000_000_000
"""An instant in 2026, microseconds since the Unix epoch."""
OWNER = bytes(range(1, 21))
CHAIN_ID = "enigma-test"

_COMMENT = x509.ObjectIdentifier("2.16.840.1.113730.1.13")
_START = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AttestedNetwork:
    """One simulated network; ``policy_changes`` replace members of its policy."""

    mr_enclave: bytes
    policy_changes: dict[str, Any] = field(default_factory=dict)
    chain_id: str = CHAIN_ID

    @property
    def policy(self) -> bytes:
        value: dict[str, Any] = {
            "advisories": [],
            "allow_debug": False,
            "epid_quote_statuses": ["OK"],
            "evidence_kinds": ["epid"],
            "max_clock_skew_s": 30,
            "max_evidence_age_s": 86400,
            "max_registrations_per_block": 16,
            "measurements": [{"mr_enclave": self.mr_enclave.hex()}],
            "min_gas_price": "0.0025uscrt",
            "min_tcb_evaluation_data_number": 0,
            "platform_tcb_statuses": [],
            "qe_tcb_statuses": [],
            "require_owner": True,
            "simulation": True,
            "trust_roots": [f"simulation:{base64.b64encode(_root_der()).decode()}"],
        }
        return canonical_json.encode(value | self.policy_changes)

    @property
    def configuration(self) -> Configuration:
        return Configuration.parse(self.chain_id, self.policy)

    def certify(self, quote: bytes, at_us: int = NOW_US) -> bytes:
        """The container of a report of status OK over ``quote``, made at ``at_us``."""
        body = quote[: simulated_quote.BODY_BYTES]
        report = json.dumps(
            {
                "id": "1",
                "timestamp": format_rfc3339(at_us).removesuffix("Z"),
                "version": 4,
                "isvEnclaveQuoteStatus": "OK",
                "isvEnclaveQuoteBody": base64.b64encode(body).decode(),
            }
        ).encode()
        leaf, key = _leaf()
        parts = {
            "report": report,
            "signature": key.sign(report, padding.PKCS1v15(), SHA256()),
            "signing_cert": leaf.public_bytes(Encoding.DER),
        }
        comment = json.dumps({k: base64.b64encode(v).decode() for k, v in parts.items()})
        extension = x509.UnrecognizedExtension(_COMMENT, comment.encode())
        builder = _builder("node", "node", key).add_extension(extension, critical=False)
        return builder.sign(key, SHA256()).public_bytes(Encoding.DER)

    def certify_report_data(self, report_data: bytes, at_us: int = NOW_US) -> bytes:
        """As :meth:`certify`, for an enclave of this network's measurement with any report_data."""
        body = simulated_quote.encode_body(
            self.mr_enclave,
            measurement.SIMULATED_SIGNER,
            measurement.ISV_PROD_ID,
            measurement.ISV_SVN,
            report_data,
        )
        return self.certify(body, at_us)


def _builder(subject: str, issuer: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_START)
        .not_valid_after(_START + timedelta(days=20 * 365))
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


@cache
def _root() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    root = (
        _builder("SIMULATION root", "SIMULATION root", key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .sign(key, SHA256())
    )
    return root, key


def _root_der() -> bytes:
    return _root()[0].public_bytes(Encoding.DER)


@cache
def _leaf() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    leaf = (
        _builder("SIMULATION signer", "SIMULATION root", key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        .sign(_root()[1], SHA256())
    )
    return leaf, key
