"""The seed exchange: every validator's enclave produces the same bytes (protocol.md section 4)."""

import struct
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from enclave import keys
from enclave.calls import MAX_EPOCHS
from enclave.errors import InstallError
from enclave.keys import Order, Secret

WRAP_BYTES: Final = 48
"""One epoch's seed: the synthetic IV (16) and the ciphertext (32)."""

_DOMAIN: Final = b"enigma/seed-exchange/v1"
_EPOCH: Final = struct.Struct(">I")
_SEED_BYTES: Final = 32


def encrypt_seeds(seeds: Sequence[Secret], network_id: bytes, node_id: bytes) -> bytes:
    """Every epoch's seed, encrypted to a newcomer under the last epoch's exchange key.

    Args:
        seeds: from epoch 0 to the current one, at least one.
        network_id: 32 bytes.
        node_id: the newcomer's registration public key, 32 bytes.

    Returns:
        ``encrypted_seed``, 48 bytes an epoch.

    Raises:
        PublicKeyError: ``node_id`` is not canonical, or of small order.
    """
    exchange_pk = keys.derive_exchange_pk(seeds[-1])
    with (
        keys.derive_secret(seeds[-1], Order.SEED_EXCHANGE) as private_key,
        keys.derive_shared(private_key, node_id) as shared,
    ):
        return b"".join(
            _cipher(shared, network_id, epoch, exchange_pk, node_id).encrypt(seed.data, [node_id])
            for epoch, seed in enumerate(seeds)
        )


def decrypt_seeds(
    private_key: Secret, exchange_pk: bytes, network_id: bytes, encrypted_seed: bytes
) -> tuple[Secret, ...]:
    """The seeds inside ``encrypted_seed``, from epoch 0, all of them or none.

    Args:
        private_key: the registration key.
        exchange_pk: the exchange key used, that of the last epoch; 32 bytes.
        network_id: 32 bytes.
        encrypted_seed: 48 bytes an epoch.

    Raises:
        PublicKeyError: ``exchange_pk`` is not canonical, or of small order.
        InstallError: another length, or an epoch that does not open.
    """
    epochs, rest = divmod(len(encrypted_seed), WRAP_BYTES)
    if rest or not 1 <= epochs <= MAX_EPOCHS:
        raise InstallError(
            "the encrypted seed has another length",
            expected=f"{WRAP_BYTES} bytes for each of 1 to {MAX_EPOCHS} epochs",
            seen=str(len(encrypted_seed)),
        )
    node_id = keys.derive_public_key(private_key)
    with keys.derive_shared(private_key, exchange_pk) as shared:
        return tuple(
            _open(
                _cipher(shared, network_id, epoch, exchange_pk, node_id),
                encrypted_seed[epoch * WRAP_BYTES :][:WRAP_BYTES],
                node_id,
                epoch,
            )
            for epoch in range(epochs)
        )


def check_seeds(
    seeds: Sequence[Secret], genesis_exchange_pk: bytes, genesis_io_pk: bytes, exchange_pk: bytes
) -> None:
    """Refuse seeds that are not the network's; each key has 32 bytes.

    Raises:
        InstallError: seed 0 derives other keys than genesis names, or the last seed another
            exchange key than the one used.
    """
    wanted = (
        ("genesis's exchange key", genesis_exchange_pk, keys.derive_exchange_pk(seeds[0])),
        ("genesis's io key", genesis_io_pk, keys.derive_io_pk(seeds[0])),
        ("the exchange key used", exchange_pk, keys.derive_exchange_pk(seeds[-1])),
    )
    for name, expected, derived in wanted:
        if derived != expected:
            raise InstallError(
                f"the seed does not derive {name}", expected=expected.hex(), seen=derived.hex()
            )


def _cipher(
    shared: Secret, network_id: bytes, epoch: int, exchange_pk: bytes, node_id: bytes
) -> AESSIV:
    info = b"".join((_DOMAIN, network_id, _EPOCH.pack(epoch), exchange_pk, node_id))
    with keys.derive_key(shared, keys.SALT, info) as key:
        return AESSIV(key.data)


def _open(cipher: AESSIV, wrap: bytes, node_id: bytes, epoch: int) -> Secret:
    seed = bytearray(_SEED_BYTES)
    try:
        cipher.decrypt_into(wrap, [node_id], seed)
    except InvalidTag:
        raise InstallError(f"the encrypted seed of epoch {epoch} does not open") from None
    return Secret(seed)
