from pathlib import Path

import pytest

from enclave import calls, keys
from enclave.errors import (
    SealedElsewhereError,
    SealedFormatError,
    SealedNetworkError,
    SealedPurposeError,
    SealedStateError,
)
from tests.simulators.attested_network import NOW_US
from tests.simulators.enclave_home import OTHER_NETWORK, EnclaveHome


@pytest.mark.parametrize("name", ["registration", "seed", "clock"])
def test_a_damaged_file_is_named_and_never_overwritten(home: EnclaveHome, name: str) -> None:
    home.keygen()
    home.bootstrap()
    home.service.advance(calls.Advance(NOW_US))
    damaged = home.file(name).read_bytes()[:-1]
    home.file(name).write_bytes(damaged)

    for call in (home.status, home.keygen, home.bootstrap):
        with pytest.raises(SealedFormatError):
            call()

    assert home.file(name).read_bytes() == damaged


def test_files_of_another_purpose_platform_or_measurement_are_named(
    home: EnclaveHome, tmp_path: Path
) -> None:
    home.keygen()
    home.bootstrap()
    registration = home.file("registration").read_bytes()
    elsewhere = EnclaveHome(tmp_path / "elsewhere")
    elsewhere.file("registration").write_bytes(registration)

    with pytest.raises(SealedElsewhereError):
        elsewhere.status()
    with pytest.raises(SealedElsewhereError):
        EnclaveHome(home.folder, b"\x02" * 32).status()
    home.file("seed").write_bytes(registration)
    with pytest.raises(SealedPurposeError):
        home.status()


@pytest.mark.parametrize("name", ["seed", "clock"])
def test_a_file_of_another_network_on_the_same_platform_is_named(
    home: EnclaveHome, tmp_path: Path, name: str
) -> None:
    home.keygen()
    other = tmp_path / "other"
    other.mkdir()
    (other / "platform.key").write_bytes((home.folder / "platform.key").read_bytes())
    stranger = EnclaveHome(other)
    stranger.bootstrap(OTHER_NETWORK)
    stranger.service.advance(calls.Advance(NOW_US))
    home.file(name).write_bytes(stranger.file(name).read_bytes())

    with pytest.raises(SealedNetworkError):
        home.status()


def test_a_file_that_cannot_be_read_is_named(home: EnclaveHome) -> None:
    home.file("seed").mkdir()

    with pytest.raises(SealedStateError, match=r"seed\.sealed could not be read: Is a directory"):
        home.status()


def test_seal_lists_what_is_sealed(home: EnclaveHome) -> None:
    assert home.seal() == ()
    home.keygen()
    home.service.advance(calls.Advance(1))
    home.service.advance(calls.Advance(2))

    registration, clock = home.seal()

    assert (registration.purpose, registration.generation) == ("registration", 1)
    assert (clock.name, clock.generation) == ("clock.sealed", 2)


def test_no_reply_and_no_file_contains_a_secret(first: EnclaveHome, newcomer: EnclaveHome) -> None:
    newcomer.service.install(first.installation(newcomer))
    with newcomer.state.open() as held:
        assert held.registration is not None
        hidden = [bytes(held.registration.data), *(bytes(seed.data) for seed in held.seeds)]
        hidden += [bytes(keys.derive_secret(held.seeds[0], order).data) for order in keys.Order]
    replies: list[object] = [
        newcomer.status(),
        newcomer.public_keys(),
        newcomer.seal(),
        newcomer.service.backup(calls.Backup()),
        newcomer.evidence(),
        newcomer.admit(newcomer.certificate()),
    ]
    texts = repr(replies)
    files = b"".join(path.read_bytes() for path in newcomer.folder.iterdir() if path.is_file())

    assert len(hidden) == 6
    for secret in hidden:
        assert repr(secret)[2:-1] not in texts
        assert secret not in files
