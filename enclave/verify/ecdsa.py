"""ECDSA on P-256 with SHA-256, the one algorithm of DCAP (FIPS 186-5; SEC 1 version 2).

A high s is accepted: genuine evidence has it. So a signature has two encodings, and nothing
may be recognised by the hash of evidence.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

RAW_BYTES: Final = 64
"""Of a raw signature r, s and of a raw public key x, y: 32 bytes each, big-endian."""

ECDSA_WITH_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
"""AlgorithmIdentifier as encoded (RFC 5758 section 3.2: no parameters)."""

_HALF: Final = RAW_BYTES // 2
_ZERO: Final = bytes(_HALF)
_ORDER: Final = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
_PRIME: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_UNCOMPRESSED: Final = b"\x04"
_SHA256: Final = ECDSA(SHA256())


def is_in_range(signature: bytes) -> bool:
    """Whether r and s of a raw signature are at least 1 and below the order of P-256."""
    return _ZERO < signature[:_HALF] < _ORDER and _ZERO < signature[_HALF:] < _ORDER


def is_on_curve(key: bytes) -> bool:
    """Whether a raw public key is a point of P-256; infinity has no such encoding."""
    x, y = _halves(key)
    return x < _PRIME and y < _PRIME and (y * y - x * x * x + 3 * x - _B) % _PRIME == 0


def verifies(key: EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a raw signature over ``data`` is that of ``key``."""
    r, s = _halves(signature)
    return verifies_der(key, encode_dss_signature(r, s), data)


def verifies_der(key: EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a signature in DER, as certificates carry it, is that of ``key``."""
    try:
        key.verify(signature, data, _SHA256)
    except InvalidSignature:
        return False
    return True


def load_key(key: bytes) -> EllipticCurvePublicKey:
    """A raw public key, which must be on the curve.

    Raises:
        ValueError: it is not.
    """
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _UNCOMPRESSED + key)


def _halves(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")
