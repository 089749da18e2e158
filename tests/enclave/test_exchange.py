from typing import Any

import pytest

from enclave import exchange
from enclave.calls import MAX_EPOCHS
from enclave.errors import InstallError, PublicKeyError
from enclave.keys import Secret
from tests.corpus import load


def known() -> dict[str, Any]:
    answers: dict[str, Any] = load("kat/protocol_v1.json")
    return answers


def of(name: str) -> bytes:
    return bytes.fromhex(known()[name])


def seeds(current_epoch: int) -> list[Secret]:
    epochs = known()["epochs"][: current_epoch + 1]
    return [Secret(bytearray.fromhex(epoch["seed"])) for epoch in epochs]


def exchange_pk(epoch: int) -> bytes:
    return bytes.fromhex(known()["epochs"][epoch]["exchange_pk"])


def decrypt(encrypted_seed: bytes, epoch: int = 1, network_id: bytes | None = None) -> list[Secret]:
    private_key = Secret(bytearray(of("registration_sk")))
    network = network_id or of("network_id")
    return list(exchange.decrypt_seeds(private_key, exchange_pk(epoch), network, encrypted_seed))


def encrypted(current_epoch: int) -> bytes:
    return bytes.fromhex(known()["encrypted"][current_epoch]["encrypted_seed"])


@pytest.mark.parametrize("epoch", [0, 1])
def test_encrypts_to_the_known_bytes_every_time(epoch: int) -> None:
    for _ in range(2):
        wraps = exchange.encrypt_seeds(seeds(epoch), of("network_id"), of("node_id"))

        assert wraps == encrypted(epoch)
        assert len(wraps) == exchange.WRAP_BYTES * (epoch + 1)


@pytest.mark.parametrize("epoch", [0, 1])
def test_decrypts_the_known_bytes(epoch: int) -> None:
    assert decrypt(encrypted(epoch), epoch) == seeds(epoch)


def test_encrypts_to_no_bad_public_key() -> None:
    points = known()["refuse_registration_pk"]

    assert points
    for point in points:
        with pytest.raises(PublicKeyError):
            exchange.encrypt_seeds(seeds(1), of("network_id"), bytes.fromhex(point))


def test_decrypts_nothing_under_a_bad_public_key() -> None:
    private_key = Secret(bytearray(of("registration_sk")))

    for point in known()["refuse_registration_pk"]:
        with pytest.raises(PublicKeyError):
            exchange.decrypt_seeds(
                private_key, bytes.fromhex(point), of("network_id"), encrypted(0)
            )


@pytest.mark.parametrize("size", [0, 1, 47, 49, 48 * (MAX_EPOCHS + 1)])
def test_refuses_another_length(size: int) -> None:
    with pytest.raises(InstallError, match="another length"):
        decrypt(bytes(size))


def test_refuses_every_flipped_byte_and_names_the_epoch() -> None:
    good = encrypted(1)

    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1
        with pytest.raises(InstallError, match=f"epoch {position // exchange.WRAP_BYTES} does not"):
            decrypt(bytes(bad))


def test_refuses_wraps_in_another_order() -> None:
    good = encrypted(1)

    with pytest.raises(InstallError, match="epoch 0 does not open"):
        decrypt(good[exchange.WRAP_BYTES :] + good[: exchange.WRAP_BYTES])


def test_refuses_another_network_and_another_exchange_key() -> None:
    with pytest.raises(InstallError, match="does not open"):
        decrypt(encrypted(1), network_id=bytes(32))
    with pytest.raises(InstallError, match="does not open"):
        decrypt(encrypted(1), epoch=0)


def test_accepts_the_networks_own_seeds() -> None:
    epochs = known()["epochs"]

    exchange.check_seeds(
        seeds(1), exchange_pk(0), bytes.fromhex(epochs[0]["io_pk"]), exchange_pk(1)
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [(0, "genesis's exchange key"), (1, "genesis's io key"), (2, "the exchange key used")],
)
def test_refuses_seeds_that_derive_other_keys(changed: int, reason: str) -> None:
    wanted = [exchange_pk(0), bytes.fromhex(known()["epochs"][0]["io_pk"]), exchange_pk(1)]
    wanted[changed] = bytes(32)

    with pytest.raises(InstallError, match=reason):
        exchange.check_seeds(seeds(1), *wanted)
