"""Sealed blobs: secrets that open only in the same code on the same platform.

A blob is ``magic ‖ u16be version ‖`` the fields of :class:`_Blob` as :mod:`enclave.codec`
writes them. All but the ciphertext stands in clear and is the associated data of AES-256-GCM
(NIST SP 800-38D). Each blob has a key of its own, HKDF-SHA256 of the backend's sealing key
under a fresh salt, so its nonce can be constant.
"""

import os
import struct
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave import codec
from enclave.codec import Int, Key, at_most
from enclave.errors import (
    CallError,
    SealedElsewhereError,
    SealedFormatError,
    SealedNetworkError,
    SealedPurposeError,
)
from enclave.keys import Secret, derive_key

_MAGIC: Final = b"ENIGMA-SEALED\x00"
_VERSION: Final = struct.Struct(">H")
_CURRENT_VERSION: Final = 1
_PREFIX: Final = _MAGIC + _VERSION.pack(_CURRENT_VERSION)
_SALT_BYTES: Final = 32
_TAG_BYTES: Final = 16
_NONCE: Final = bytes(12)  # the key seals this one blob
_INFO: Final = b"enigma/sealed-blob/v1"


class Purpose(StrEnum):
    """What a blob holds."""

    REGISTRATION = "registration"
    SEED = "seed"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Label:
    """What a sealed blob says in clear; believed only once the blob has opened."""

    backend: str
    purpose: str
    network_id: bytes
    """32 bytes."""
    generation: int
    """1 for the first of its name, one more with each that replaces it."""
    exchange_pk: bytes
    """Of epoch 0, for seeds; else empty."""


@dataclass(frozen=True, slots=True)
class _Blob:
    backend: Annotated[str, at_most(32)]
    purpose: Annotated[str, at_most(16)]
    network_id: Key
    generation: Int
    exchange_pk: Annotated[bytes, at_most(32)]
    salt: Key
    ciphertext: Annotated[bytes, at_most(96 * 1024)]


def seal(label: Label, payload: Secret, sealing_key: Secret) -> bytes:
    """A new blob; its salt is random, so no two are alike."""
    salt = os.urandom(_SALT_BYTES)
    blob = _Blob(
        label.backend,
        label.purpose,
        label.network_id,
        label.generation,
        label.exchange_pk,
        salt,
        b"",
    )
    with derive_key(sealing_key, salt, _INFO) as key:
        ciphertext = AESGCM(key.data).encrypt(_NONCE, payload.data, _associated_data(blob))
    return _PREFIX + codec.encode(replace(blob, ciphertext=ciphertext))


def unseal(
    data: bytes, sealing_key: Secret, backend: str, purpose: Purpose, network_id: bytes | None
) -> tuple[Label, Secret]:
    """Open a blob.

    Args:
        data: the sealed file's content.
        sealing_key: the backend's.
        backend: its name.
        purpose: what the blob has to be for.
        network_id: the network it has to belong to, None where that is not known yet.

    Raises:
        SealedFormatError: truncated, too long, or of an unknown format.
        SealedPurposeError: sealed for another purpose.
        SealedNetworkError: sealed for another network.
        SealedElsewhereError: sealed by another backend, platform or measurement, or altered.
    """
    blob = _parse(data)
    # In this order, so that each mistake gets the name that helps; only the last check is
    # proof, since until then every word is the file's own.
    if blob.purpose != purpose:
        raise SealedPurposeError(
            "a sealed file stands in another's place", expected=purpose, seen=ascii(blob.purpose)
        )
    if network_id is not None and blob.network_id != network_id:
        raise SealedNetworkError(
            f"the sealed {purpose} belongs to another network",
            expected=network_id.hex(),
            seen=blob.network_id.hex(),
        )
    if blob.backend != backend:
        raise SealedElsewhereError(
            f"the sealed {purpose} was made by another backend",
            expected=backend,
            seen=ascii(blob.backend),
        )
    label = Label(blob.backend, blob.purpose, blob.network_id, blob.generation, blob.exchange_pk)
    return label, _decrypt(blob, sealing_key)


def _parse(data: bytes) -> _Blob:
    if not data.startswith(_PREFIX):
        raise SealedFormatError("not a sealed file of this format and version")
    try:
        blob = codec.decode(_Blob, data[len(_PREFIX) :])
    except CallError as error:
        raise SealedFormatError(f"the sealed file is malformed: {error.message}") from error
    if len(blob.ciphertext) < _TAG_BYTES:
        raise SealedFormatError("the sealed file is malformed: no authentication tag")
    return blob


def _decrypt(blob: _Blob, sealing_key: Secret) -> Secret:
    payload = bytearray(len(blob.ciphertext) - _TAG_BYTES)
    try:
        with derive_key(sealing_key, blob.salt, _INFO) as key:
            AESGCM(key.data).decrypt_into(_NONCE, blob.ciphertext, _associated_data(blob), payload)
    except InvalidTag:
        raise SealedElsewhereError(
            f"the sealed {blob.purpose} does not open: made by another platform or other code,"
            " or altered"
        ) from None
    return Secret(payload)


def _associated_data(blob: _Blob) -> bytes:
    return _PREFIX + codec.encode(replace(blob, ciphertext=b""))
