"""What evidence binds: the report_data that an enclave puts into its quotes.

Layouts: protocol.md section 5; rules for public keys: section 4.
"""

import hashlib
from typing import Final

from enclave.errors import PublicKeyError

KEY_BYTES: Final = 32
OWNER_BYTES: Final = 20
NO_OWNER: Final = bytes(OWNER_BYTES)
"""The owner of every node where the policy does not require one."""

_REGISTRATION: Final = b"enigma/binding/v1"
_BOOTSTRAP: Final = b"enigma/bootstrap/v1"

_PRIME: Final = 2**255 - 19
# The u-coordinates of the points of order 1, 2, 4 and 8 on Curve25519 and its twist, reduced
# modulo the prime: whatever the private key, X25519 of one of them is zero (RFC 7748 section 6.1).
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


def check_public_key(public_key: bytes) -> None:
    """Refuse an X25519 public key that has another encoding, or no secret behind it.

    Args:
        public_key: the u-coordinate, 32 bytes, little-endian.

    Raises:
        PublicKeyError: another length, not below 2^255 - 19, or of small order.
    """
    if len(public_key) != KEY_BYTES:
        raise PublicKeyError(
            "a public key has another length",
            expected=f"{KEY_BYTES} bytes",
            seen=f"{len(public_key)} bytes",
        )
    coordinate = int.from_bytes(public_key, "little")
    if coordinate >= _PRIME:
        raise PublicKeyError("a public key is not canonical", seen=public_key.hex())
    if coordinate in _SMALL_ORDER:
        raise PublicKeyError("a public key is of small order", seen=public_key.hex())


def registration_report_data(node_id: bytes, network_id: bytes, owner: bytes) -> bytes:
    """The 64 bytes that bind a registration key to its network and owner.

    Args:
        node_id: the registration public key, 32 bytes.
        network_id: 32 bytes.
        owner: the account address, 20 bytes; :data:`NO_OWNER` where none is required.
    """
    return node_id + hashlib.sha256(_REGISTRATION + network_id + owner).digest()


def bootstrap_report_data(exchange_pk: bytes, network_id: bytes, io_pk: bytes) -> bytes:
    """The 64 bytes that bind the network's keys of epoch 0; each argument has 32 bytes."""
    return exchange_pk + hashlib.sha256(_BOOTSTRAP + network_id + io_pk).digest()
