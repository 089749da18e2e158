"""What stands inside a seal, where only this enclave could have put it."""

from pathlib import Path
from typing import Final

import pytest

from enclave import contents, sealing
from enclave.backends.simulation import SimulatedPlatform
from enclave.errors import SealedFormatError, SealedNetworkError
from enclave.keys import Secret, derive_exchange_pk
from enclave.sealing import Label, Purpose
from tests.simulators.attested_network import NOW_US, AttestedNetwork

NETWORK: Final = AttestedNetwork(b"\x01" * 32)
RULES: Final = NETWORK.configuration
KEY: Final = b"\x07" * 32


@pytest.fixture
def platform(tmp_path: Path) -> SimulatedPlatform:
    return SimulatedPlatform.open(tmp_path, NETWORK.mr_enclave)


def secret(data: bytes = KEY) -> Secret:
    return Secret(bytearray(data))


def inside(chain_id: bytes, policy: bytes, rest: bytes) -> bytes:
    return b"".join(
        (len(chain_id).to_bytes(2, "big"), chain_id, len(policy).to_bytes(4, "big"), policy, rest)
    )


def seal(
    platform: SimulatedPlatform,
    purpose: Purpose,
    payload: bytes,
    network_id: bytes = RULES.network_id,
    exchange_pk: bytes = b"",
) -> dict[Purpose, bytes]:
    label = Label(platform.name, purpose, network_id, 1, exchange_pk)
    return {purpose: sealing.seal(label, secret(payload), platform.sealing_key())}


def good_inside(rest: bytes = KEY) -> bytes:
    return inside(NETWORK.chain_id.encode(), NETWORK.policy, rest)


def test_all_that_is_sealed_comes_back(platform: SimulatedPlatform) -> None:
    seeds = [secret(bytes([epoch]) * 32) for epoch in range(3)]
    blobs = {
        Purpose.CLOCK: contents.seal_clock(RULES, NOW_US, 5, platform),
        Purpose.SEED: contents.seal_keys(Purpose.SEED, RULES, seeds, 3, platform),
        Purpose.REGISTRATION: contents.seal_keys(
            Purpose.REGISTRATION, RULES, [secret()], 1, platform
        ),
    }

    opened = contents.open_all(blobs, platform)

    assert opened.configuration == RULES
    assert opened.registration == secret()
    assert list(opened.seeds) == seeds
    assert opened.clock_us == NOW_US
    assert [file.generation for file in opened.files] == [1, 3, 5]
    assert opened.generation(Purpose.CLOCK) == 5


def test_secrets_are_wiped_when_the_call_is_over(platform: SimulatedPlatform) -> None:
    blobs = {
        Purpose.REGISTRATION: contents.seal_keys(
            Purpose.REGISTRATION, RULES, [secret()], 1, platform
        ),
        Purpose.SEED: contents.seal_keys(Purpose.SEED, RULES, [secret()], 1, platform),
    }

    with contents.open_all(blobs, platform) as opened:
        assert opened.registration == secret()

    assert opened.registration == secret(bytes(32))
    assert opened.seeds == (secret(bytes(32)),)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\xff\xff",
        inside(b"\xff", NETWORK.policy, KEY),
        good_inside(b""),
        good_inside(KEY[:-1]),
        good_inside(KEY * 2),
        good_inside(KEY * 257),
    ],
)
def test_refuses_a_malformed_inside_of_a_registration(
    platform: SimulatedPlatform, payload: bytes
) -> None:
    with pytest.raises(SealedFormatError):
        contents.open_all(seal(platform, Purpose.REGISTRATION, payload), platform)


@pytest.mark.parametrize("size", [0, 7, 9])
def test_refuses_a_malformed_inside_of_a_clock(platform: SimulatedPlatform, size: int) -> None:
    with pytest.raises(SealedFormatError, match="clock"):
        contents.open_all(seal(platform, Purpose.CLOCK, bytes(size)), platform)


def test_refuses_a_label_that_names_another_network(platform: SimulatedPlatform) -> None:
    blobs = seal(platform, Purpose.REGISTRATION, good_inside(), network_id=bytes(32))

    with pytest.raises(SealedNetworkError):
        contents.open_all(blobs, platform)


@pytest.mark.parametrize("exchange_pk", [b"", bytes(32)])
def test_refuses_seeds_whose_label_names_another_exchange_key(
    platform: SimulatedPlatform, exchange_pk: bytes
) -> None:
    good = seal(platform, Purpose.SEED, good_inside(), exchange_pk=derive_exchange_pk(secret()))
    bad = seal(platform, Purpose.SEED, good_inside(), exchange_pk=exchange_pk)

    assert contents.open_all(good, platform).seeds == (secret(),)
    with pytest.raises(SealedFormatError, match="not what its label says"):
        contents.open_all(bad, platform)
