"""Certificate chains as attestation services send them: percent-encoded PEM in a header.

Source: Intel SGX and Intel TDX Provisioning Certification Service, API documentation,
version 4, "Issuer chain" headers; Attestation Service for Intel SGX, API documentation,
"X-IASReport-Signing-Certificate".
"""

import base64
import re
from typing import Final
from urllib.parse import unquote

from enclave.evidence import base64_strict
from enigmacli.errors import MalformedError

MAX_CERTIFICATES: Final = 4
MAX_PEM_CHARS: Final = 64 * 1024
"""As long as a transaction's evidence may be; Intel's chains have about 2,000."""

_COLUMNS: Final = 64
_PEM: Final = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----\s*"
)


def parse_header(value: str, name: str) -> tuple[bytes, ...]:
    """The DER certificates of a header, the leaf first.

    The value is percent-encoded PEM. It is not a form value: ``+`` belongs to the base64.

    Raises:
        MalformedError: no certificate, too many, or something between them; ``name`` is the
            header's.
    """
    return parse_pem(unquote(value, errors="replace"), name)


def parse_pem(text: str, name: str) -> tuple[bytes, ...]:
    """The DER certificates of PEM text, which holds nothing else.

    Raises:
        MalformedError: no certificate, too many, too long, or something between them.
    """
    if len(text) > MAX_PEM_CHARS:
        raise MalformedError(f"{name} has {len(text)} characters, more than {MAX_PEM_CHARS}")
    found: list[bytes] = []
    at = 0
    while at < len(text) and len(found) < MAX_CERTIFICATES:
        match = _PEM.match(text, at)
        if match is None:
            break
        found.append(_decode("".join(match[1].split()), name))
        at = match.end()
    if not found or at != len(text):
        raise MalformedError(f"{name} is not a short chain of PEM certificates")
    return tuple(found)


def encode_pem(chain: tuple[bytes, ...]) -> bytes:
    """PEM in its usual layout, one certificate after the other."""
    return b"".join(_encode(certificate) for certificate in chain)


def _encode(certificate: bytes) -> bytes:
    text = base64.b64encode(certificate).decode()
    lines = (text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS))
    body = "\n".join(lines)
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()


def _decode(text: str, name: str) -> bytes:
    try:
        data = base64_strict.decode(text)
    except ValueError as error:
        raise MalformedError(f"{name} is not canonical base64") from error
    if not data:
        raise MalformedError(f"{name} holds an empty certificate")
    return data
