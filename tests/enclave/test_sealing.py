import pytest

from enclave.errors import (
    SealedElsewhereError,
    SealedFormatError,
    SealedNetworkError,
    SealedPurposeError,
    SealedStateError,
)
from enclave.keys import Secret
from enclave.sealing import Label, Purpose, seal, unseal

BACKEND = "simulation"
NETWORK = b"\x11" * 32
EXCHANGE_PK = b"\x22" * 32
PAYLOAD = b"a policy and a key"
LABEL = Label(BACKEND, Purpose.SEED, NETWORK, 7, EXCHANGE_PK)

# where each part of LABEL's blob begins
PREFIX = 0
BACKEND_AT = 16
PURPOSE_AT = BACKEND_AT + 4 + len(BACKEND)
NETWORK_AT = PURPOSE_AT + 4 + len("seed")
GENERATION_AT = NETWORK_AT + 4 + 32
EXCHANGE_PK_AT = GENERATION_AT + 8
SALT_AT = EXCHANGE_PK_AT + 4 + 32
CIPHERTEXT_AT = SALT_AT + 4 + 32


def key(byte: int = 0x33) -> Secret:
    return Secret(bytearray([byte]) * 32)


def sealed(label: Label = LABEL) -> bytes:
    return seal(label, Secret(bytearray(PAYLOAD)), key())


def open_blob(
    blob: bytes,
    *,
    sealing_key: Secret | None = None,
    backend: str = BACKEND,
    purpose: Purpose = Purpose.SEED,
    network_id: bytes | None = NETWORK,
) -> tuple[Label, bytes]:
    label, payload = unseal(blob, sealing_key or key(), backend, purpose, network_id)
    return label, bytes(payload.data)


def test_a_blob_opens_and_says_in_clear_what_it_is() -> None:
    blob = sealed()

    assert open_blob(blob) == (LABEL, PAYLOAD)
    assert open_blob(blob, network_id=None) == (LABEL, PAYLOAD)
    for word in (BACKEND.encode(), b"seed", NETWORK, EXCHANGE_PK, (7).to_bytes(8, "big")):
        assert word in blob
    assert PAYLOAD not in blob


def test_no_two_blobs_are_alike() -> None:
    first, second = sealed(), sealed()

    assert first[SALT_AT:CIPHERTEXT_AT] != second[SALT_AT:CIPHERTEXT_AT]
    assert first[CIPHERTEXT_AT:] != second[CIPHERTEXT_AT:]


def named_error(position: int) -> tuple[type[SealedStateError], ...]:
    """What a flipped byte at ``position`` is called."""
    if position < BACKEND_AT:
        return (SealedFormatError,)
    lengths = (BACKEND_AT, PURPOSE_AT, NETWORK_AT, EXCHANGE_PK_AT, SALT_AT, CIPHERTEXT_AT)
    if any(start <= position < start + 4 for start in lengths):
        return (SealedFormatError,)
    if PURPOSE_AT <= position < NETWORK_AT:
        return (SealedPurposeError,)
    if NETWORK_AT <= position < GENERATION_AT:
        return (SealedNetworkError,)
    if position == GENERATION_AT:  # the top bit makes the number too large
        return (SealedFormatError, SealedElsewhereError)
    return (SealedElsewhereError,)


@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_every_flipped_byte_is_refused_by_name(bit: int) -> None:
    blob = sealed()

    for position in range(len(blob)):
        bad = bytearray(blob)
        bad[position] ^= bit
        backend_text = BACKEND_AT + 4 <= position < PURPOSE_AT
        purpose_text = PURPOSE_AT + 4 <= position < NETWORK_AT
        wanted = named_error(position)
        if bit == 0x80 and (backend_text or purpose_text):  # no longer UTF-8
            wanted = (SealedFormatError,)
        with pytest.raises(wanted):
            open_blob(bytes(bad))


def test_every_truncation_and_every_addition_is_malformed() -> None:
    blob = sealed()

    for size in range(len(blob)):
        with pytest.raises(SealedFormatError):
            open_blob(blob[:size])
    with pytest.raises(SealedFormatError):
        open_blob(blob + b"\x00")


@pytest.mark.parametrize("purpose", [Purpose.REGISTRATION, Purpose.CLOCK])
def test_a_blob_does_not_stand_in_for_another_purpose(purpose: Purpose) -> None:
    with pytest.raises(SealedPurposeError, match=f"expected {purpose}, seen 'seed'"):
        open_blob(sealed(), purpose=purpose)


def test_a_blob_of_another_network_is_named() -> None:
    with pytest.raises(SealedNetworkError, match="another network"):
        open_blob(sealed(), network_id=bytes(32))


def test_a_blob_of_another_backend_is_named() -> None:
    with pytest.raises(SealedElsewhereError, match="another backend"):
        open_blob(sealed(), backend="gramine-sgx")


def test_a_blob_of_another_platform_does_not_open() -> None:
    with pytest.raises(SealedElsewhereError, match="another platform or other code"):
        open_blob(sealed(), sealing_key=key(0x34))


def test_a_relabelled_blob_does_not_open() -> None:
    blob = sealed()
    relabelled = blob.replace((7).to_bytes(8, "big"), (8).to_bytes(8, "big"))

    assert relabelled != blob
    with pytest.raises(SealedElsewhereError):
        open_blob(relabelled)


def test_a_blob_without_a_tag_is_malformed() -> None:
    blob = sealed()
    emptied = blob[:CIPHERTEXT_AT] + bytes(4)

    with pytest.raises(SealedFormatError, match="no authentication tag"):
        open_blob(emptied)
