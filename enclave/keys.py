"""Secrets, and what is derived from them (protocol.md section 3).

Wiping is best effort: the libraries below copy what they are given, so a wiped buffer of
ours does not promise that no copy is left in memory.
"""

import hmac
import os
from enum import IntEnum
from types import TracebackType
from typing import Final, NoReturn, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import RuntimeError as SodiumError

from enclave.binding import KEY_BYTES, check_public_key
from enclave.errors import PublicKeyError

SALT: Final = bytes.fromhex("000000000000000000024bead8df69990852c202db0e0097c1a12ea637d7e96d")
"""The hash of Bitcoin's 2020 halving block."""


class Secret:
    """Bytes that nothing prints, compares in variable time or pickles.

    As a context manager it is wiped at the end.

    Args:
        data: taken over, not copied.
    """

    __slots__ = ("_data",)
    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a table

    def __init__(self, data: bytearray) -> None:
        self._data = data

    @classmethod
    def generate(cls, size: int = KEY_BYTES) -> Self:
        """``size`` bytes from the kernel's random generator."""
        return cls(bytearray(os.urandom(size)))

    @property
    def data(self) -> bytearray:
        """The buffer itself, for whoever computes with it; wiped with this object."""
        return self._data

    def wipe(self) -> None:
        """Overwrite the buffer with zeros."""
        self._data[:] = bytes(len(self._data))

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._data, other._data)

    def __repr__(self) -> str:
        return f"<Secret of {len(self._data)} bytes>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wipe()


class Order(IntEnum):
    """Which secret is derived from a consensus seed; 5 to 8 are reserved."""

    SEED_EXCHANGE = 1
    IO_EXCHANGE = 2
    STATE_INPUT = 3
    CALLBACK = 4


def derive_key(material: Secret, salt: bytes, info: bytes) -> Secret:
    """HKDF-SHA256 (RFC 5869) of ``material`` to 32 bytes."""
    derived = bytearray(KEY_BYTES)
    HKDF(SHA256(), KEY_BYTES, salt, info).derive_into(material.data, derived)
    return Secret(derived)


def derive_secret(seed: Secret, order: Order) -> Secret:
    """One of the network's secrets of an epoch, from that epoch's consensus seed."""
    with Secret(seed.data + order.to_bytes(4, "big")) as material:
        return derive_key(material, SALT, b"seed")


def derive_public_key(private_key: Secret) -> bytes:
    """The X25519 public key (RFC 7748), 32 bytes."""
    return crypto_scalarmult_base(bytes(private_key.data))


def derive_shared(private_key: Secret, public_key: bytes) -> Secret:
    """The X25519 shared secret.

    Raises:
        PublicKeyError: ``public_key`` is not canonical, or of small order.
    """
    check_public_key(public_key)
    try:
        shared = crypto_scalarmult(bytes(private_key.data), public_key)
    except SodiumError as error:  # libsodium refuses an all-zero result
        raise PublicKeyError("a public key shares no secret", seen=public_key.hex()) from error
    return Secret(bytearray(shared))


def derive_exchange_pk(seed: Secret) -> bytes:
    """The public seed-exchange key of a seed's epoch, 32 bytes."""
    with derive_secret(seed, Order.SEED_EXCHANGE) as private_key:
        return derive_public_key(private_key)


def derive_io_pk(seed: Secret) -> bytes:
    """The public io-exchange key of a seed's epoch, 32 bytes."""
    with derive_secret(seed, Order.IO_EXCHANGE) as private_key:
        return derive_public_key(private_key)
