"""Chains of PEM certificates (RFC 7468), as Intel's services and quotes carry them."""

import re
from typing import Final

from enclave.evidence import base64_strict

MAX_BYTES: Final = 16 * 1024
"""The longest chain that is looked at; a genuine one has 2 to 4 KB."""

MAX_CERTIFICATES: Final = 8
"""How many are read before the rest is refused unread."""

# Possessive: hostile text is walked once.
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]*+)-----END CERTIFICATE-----[ \r\n]*+"
)
_LINE_ENDS: Final = b"\r\n"


class PemError(ValueError):
    """The text is not a chain of PEM certificates."""


def split_chain(text: bytes) -> tuple[bytes, ...]:
    """DER of each certificate, in their order; nothing but line ends between and behind.

    Raises:
        PemError: not such a text, too long, or of more than :data:`MAX_CERTIFICATES`.
    """
    if len(text) > MAX_BYTES:
        raise PemError(f"a chain has {len(text)} bytes, more than {MAX_BYTES}")
    chain: list[bytes] = []
    at = 0
    while at < len(text):
        match = _CERTIFICATE.match(text, at)
        if match is None or len(chain) == MAX_CERTIFICATES:
            raise PemError(f"not a chain of PEM certificates from byte {at} on")
        at = match.end()
        chain.append(_decode(match[1]))
    return tuple(chain)


def _decode(lines: bytes) -> bytes:
    try:
        return base64_strict.decode(lines.translate(None, _LINE_ENDS).decode("ascii"))
    except ValueError as error:
        raise PemError("a PEM certificate is not canonical base64") from error
