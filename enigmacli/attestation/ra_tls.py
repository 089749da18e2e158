"""An X.509 certificate around an IAS report: the container of evidence on chain.

Names, serial and extension are those of the peer's certificates (protocol.md section 5).
Its key is made for it and forgotten: what binds the report to a node is report_data.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from enclave.evidence.ias_report import SignedReport

NETSCAPE_COMMENT: Final = x509.ObjectIdentifier("2.16.840.1.113730.1.13")

_ISSUER: Final = "EnigmaTEE"
_SUBJECT: Final = "EnigmaChain Node Certificate"
_VALIDITY: Final = timedelta(days=3652)
_SERIAL: Final = 1


def build_certificate(signed: SignedReport, now: datetime) -> bytes:
    """The certificate in DER.

    Args:
        signed: body, signature and leaf; certificates behind the leaf are left out.
        now: aware; the certificate is valid from here, though nobody judges that.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    comment = x509.UnrecognizedExtension(NETSCAPE_COMMENT, encode_comment(signed))
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(_common_name(_ISSUER))
        .subject_name(_common_name(_SUBJECT))
        .public_key(key.public_key())
        .serial_number(_SERIAL)
        .not_valid_before(now)
        .not_valid_after(now + _VALIDITY)
        .add_extension(comment, critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def encode_comment(signed: SignedReport) -> bytes:
    """The extension's value: JSON with three base64 members."""
    members = {
        "report": signed.report,
        "signature": signed.signature,
        "signing_cert": signed.signing_cert,
    }
    texts = {name: base64.b64encode(data).decode() for name, data in members.items()}
    return json.dumps(texts, separators=(",", ":")).encode()


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
