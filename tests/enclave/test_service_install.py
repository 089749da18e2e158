from pathlib import Path
from typing import Any

import pytest

from enclave import calls
from enclave.errors import (
    BindingError,
    EnclaveError,
    EvidenceTooOldError,
    InstallError,
    NoRegistrationKeyError,
    NotConfiguredError,
    PublicKeyError,
    SeedExistsError,
)
from tests.simulators.attested_network import NOW_US, AttestedNetwork
from tests.simulators.enclave_home import DAY_US, MEASUREMENT, NETWORK, EnclaveHome


def test_installs_the_networks_seed_and_says_the_same_keys(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    request = first.installation(newcomer)

    answer = newcomer.service.install(request)

    assert answer == first.public_keys()
    assert newcomer.public_keys() == answer
    assert newcomer.bootstrap() == answer  # a seed is held: none is made
    sealed = newcomer.file("seed").read_bytes()
    assert newcomer.service.install(request) == answer
    assert newcomer.file("seed").read_bytes() == sealed


def test_a_newcomer_with_a_seed_admits_with_the_same_bytes(
    first: EnclaveHome, newcomer: EnclaveHome, tmp_path: Path
) -> None:
    third = EnclaveHome(tmp_path / "third")
    third.keygen()
    newcomer.service.install(first.installation(newcomer))
    certificate = third.certificate()

    assert first.admit(certificate) == newcomer.admit(certificate)


def test_installs_nothing_that_genesis_or_evidence_does_not_bear_out(
    first: EnclaveHome, newcomer: EnclaveHome, tmp_path: Path
) -> None:
    other = EnclaveHome(tmp_path / "other")
    wrong = other.bootstrap()
    good = first.installation(newcomer)
    wrong_evidence = NETWORK.certify(other.evidence("bootstrap", bytes(20)))
    refused: list[tuple[dict[str, Any], type[EnclaveError]]] = [
        ({"genesis_exchange_pk": wrong.exchange_pk}, BindingError),
        ({"genesis_io_pk": wrong.io_pk}, BindingError),
        ({"bootstrap_certificate": wrong_evidence}, BindingError),
        ({"bootstrap_at_us": NOW_US + 2 * DAY_US}, EvidenceTooOldError),
        ({"exchange_pk": wrong.exchange_pk}, InstallError),
        ({"exchange_pk": bytes(32)}, PublicKeyError),
        ({"encrypted_seed": good.encrypted_seed[:-1]}, InstallError),
        ({"encrypted_seed": good.encrypted_seed * 2}, InstallError),
        ({"encrypted_seed": b""}, InstallError),
        (
            {
                "genesis_exchange_pk": wrong.exchange_pk,
                "genesis_io_pk": wrong.io_pk,
                "bootstrap_certificate": wrong_evidence,
            },
            InstallError,
        ),
    ]

    for changes, error in refused:
        with pytest.raises(error):
            newcomer.service.install(first.installation(newcomer, **changes))
        assert newcomer.status().seeds == 0


def test_installs_no_seed_judged_by_another_policy(first: EnclaveHome, tmp_path: Path) -> None:
    """A host that gave its enclave another policy cannot join with it."""
    cheated = EnclaveHome(tmp_path / "cheated")
    loose = AttestedNetwork(MEASUREMENT, {"max_evidence_age_s": 10**9})
    cheated.keygen(loose)
    bootstrap = NETWORK.certify(first.evidence("bootstrap", bytes(20)))
    public = first.public_keys()

    with pytest.raises(BindingError):
        first.admit(cheated.certificate())
    with pytest.raises(BindingError):
        cheated.service.install(
            calls.Install(
                public.exchange_pk, public.io_pk, bootstrap, NOW_US, public.exchange_pk, bytes(48)
            )
        )


def test_installs_need_a_registration_key(
    home: EnclaveHome, first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    request = first.installation(newcomer)

    with pytest.raises(NotConfiguredError):
        home.service.install(request)
    with pytest.raises(NoRegistrationKeyError):
        first.service.install(request)


def test_more_epochs_are_added_and_none_is_taken_away(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    seeds = [bytes([epoch]) * 32 for epoch in range(1, 4)]
    first.set_seeds(*seeds[:2])
    two = first.installation(newcomer)
    first.set_seeds(*seeds)
    three = first.installation(newcomer)

    assert newcomer.service.install(two).epoch == 1
    assert newcomer.service.install(three).epoch == 2
    assert newcomer.seal()[1].generation == 2
    with pytest.raises(InstallError, match="holds more epochs"):
        newcomer.service.install(two)
    assert newcomer.public_keys().epoch == 2


def test_a_held_seed_is_never_replaced(first: EnclaveHome, newcomer: EnclaveHome) -> None:
    first.set_seeds(b"\x01" * 32, b"\x02" * 32)
    newcomer.service.install(first.installation(newcomer))
    sealed = newcomer.file("seed").read_bytes()
    first.set_seeds(b"\x01" * 32, b"\x03" * 32, b"\x04" * 32)

    with pytest.raises(SeedExistsError):
        newcomer.service.install(first.installation(newcomer))

    assert newcomer.file("seed").read_bytes() == sealed
