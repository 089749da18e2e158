import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from enclave import calls
from enclave.backends.simulation import SimulatedPlatform
from enclave.errors import (
    AlreadyConfiguredError,
    BackendPolicyError,
    CallError,
    PolicyFormatError,
    StateBusyError,
    StateWriteError,
)
from enclave.service import KeysService
from enclave.state import SealedState
from tests.simulators.attested_network import AttestedNetwork
from tests.simulators.enclave_home import MEASUREMENT, NETWORK, OTHER_NETWORK, EnclaveHome


class PowerCutError(BaseException):
    """The end of the process, as far as its files are concerned."""


def test_an_empty_home_holds_nothing(home: EnclaveHome) -> None:
    status = home.status()

    assert (status.role, status.backend, status.simulation) == ("keys", "simulation", True)
    assert status.measurement == MEASUREMENT
    assert status.platform_key == home.platform.quoting_public_key
    assert (status.chain_id, status.network_id, status.node_id) == ("", b"", b"")
    assert (status.seeds, status.exchange_pk, status.clock_us) == (0, b"", 0)


def test_keygen_makes_one_key_and_keeps_it(home: EnclaveHome) -> None:
    made = home.keygen()
    sealed = home.file("registration").read_bytes()
    again = home.keygen()

    assert (made.created, again.created) == (True, False)
    assert made.node_id == again.node_id == home.status().node_id
    assert home.status().network_id == NETWORK.configuration.network_id
    assert home.file("registration").read_bytes() == sealed


def test_bootstrap_makes_one_seed_and_keeps_it(home: EnclaveHome) -> None:
    made = home.bootstrap()
    sealed = home.file("seed").read_bytes()

    assert home.bootstrap() == made == home.public_keys()
    assert home.file("seed").read_bytes() == sealed
    assert made.epoch == 0
    assert (made.exchange_pk, made.io_pk) == (made.genesis_exchange_pk, made.genesis_io_pk)
    assert home.status().exchange_pk == made.exchange_pk
    assert made.exchange_pk in sealed  # in clear, for backups


def test_two_homes_never_share_a_key(home: EnclaveHome, first: EnclaveHome) -> None:
    assert home.keygen().node_id != first.keygen().node_id
    assert home.bootstrap() != first.bootstrap()


@pytest.mark.parametrize("told", ["keygen", "bootstrap"])
@pytest.mark.parametrize("again", ["keygen", "bootstrap"])
def test_chain_id_and_policy_are_taken_once(home: EnclaveHome, told: str, again: str) -> None:
    getattr(home, told)()
    other_policy = AttestedNetwork(MEASUREMENT, {"max_evidence_age_s": 86401})

    for network in (OTHER_NETWORK, other_policy):
        with pytest.raises(AlreadyConfiguredError, match="belongs to enigma-test"):
            getattr(home, again)(network)

    getattr(home, again)()
    assert home.status().chain_id == "enigma-test"


@pytest.mark.parametrize("call", ["keygen", "bootstrap"])
def test_a_refused_policy_leaves_nothing_behind(home: EnclaveHome, call: str) -> None:
    real = AttestedNetwork(MEASUREMENT, {"simulation": False, "trust_roots": ["intel"]})
    before = sorted(home.folder.iterdir())

    with pytest.raises(BackendPolicyError):
        getattr(home, call)(real)
    with pytest.raises(PolicyFormatError):
        home.service.keygen(calls.Keygen("enigma-test", NETWORK.policy + b" "))
    with pytest.raises(CallError, match="chain id"):
        home.service.keygen(calls.Keygen("Enigma", NETWORK.policy))

    assert [path for path in home.folder.iterdir() if path.suffix == ".sealed"] == []
    assert set(before) <= set(home.folder.iterdir())


@pytest.mark.parametrize("call", ["keygen", "bootstrap"])
def test_a_real_policy_is_refused_as_such_where_a_key_exists_too(
    home: EnclaveHome, call: str
) -> None:
    getattr(home, call)()

    with pytest.raises(BackendPolicyError):
        getattr(home, call)(
            AttestedNetwork(MEASUREMENT, {"simulation": False, "trust_roots": ["intel"]})
        )


class RealBackend(SimulatedPlatform):
    """The same platform, claiming to be hardware: what it seals serves real networks."""

    simulation = False


def test_every_unsealing_refuses_a_policy_that_is_not_simulated(home: EnclaveHome) -> None:
    real = AttestedNetwork(MEASUREMENT, {"simulation": False, "trust_roots": ["intel"]})
    backend = RealBackend.open(home.folder, MEASUREMENT)
    service = KeysService(backend, SealedState(home.folder, backend))
    service.keygen(calls.Keygen(real.chain_id, real.policy))
    service.bootstrap(calls.Bootstrap(real.chain_id, real.policy))

    with pytest.raises(BackendPolicyError, match="expected simulation true, seen simulation false"):
        home.status()
    home.file("registration").unlink()
    with pytest.raises(BackendPolicyError):
        home.public_keys()


def test_keygen_and_bootstrap_of_the_same_home_share_its_network(home: EnclaveHome) -> None:
    home.bootstrap()
    home.keygen()

    assert [f.name for f in home.seal()] == [
        "registration.sealed",
        "seed.sealed",
    ]


@pytest.mark.parametrize("step", ["open", "write", "fsync", "link"])
@pytest.mark.parametrize("call", ["keygen", "bootstrap"])
def test_a_full_disk_leaves_no_key_and_names_the_cause(
    home: EnclaveHome, monkeypatch: pytest.MonkeyPatch, step: str, call: str
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"os.{step}", fail)
        with pytest.raises(StateWriteError, match="No space left on device"):
            getattr(home, call)()

    assert home.status().node_id == b""
    assert home.status().seeds == 0
    getattr(home, call)()


@pytest.mark.parametrize(
    ("step", "before"),
    # opened: the lock, the folder, the temporary file, the folder; synced: all but the lock
    [
        ("open", 0),
        ("open", 1),
        ("open", 2),
        ("open", 3),
        ("fchmod", 0),
        ("write", 0),
        ("fsync", 0),
        ("fsync", 1),
        ("link", 0),
        ("fsync", 2),
    ],
)
@pytest.mark.parametrize("name", ["registration", "seed"])
def test_a_power_cut_at_any_step_leaves_no_key_or_one_for_good(
    home: EnclaveHome, monkeypatch: pytest.MonkeyPatch, step: str, before: int, name: str
) -> None:
    make = home.keygen if name == "registration" else home.bootstrap
    genuine, calls_seen = getattr(os, step), count()

    def cut(*args: Any, **options: Any) -> Any:
        if next(calls_seen) >= before:
            raise PowerCutError
        return genuine(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, step, cut)
        patched.setattr(Path, "unlink", lambda *_args, **_options: None)
        with pytest.raises(PowerCutError):
            make()
    in_place = home.file(name).read_bytes() if home.file(name).exists() else None

    make()

    sealed = home.file(name).read_bytes()
    assert in_place in {None, sealed}
    assert (in_place is None) == ((step, before) not in {("open", 3), ("fsync", 2)})
    assert not list(home.folder.glob(".*"))  # what was left behind is cleared away


def test_a_change_waits_for_another_and_then_gives_up(
    home: EnclaveHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enclave.state.LOCK_WAIT_S", 0.0)

    with home.state.changing(), pytest.raises(StateBusyError):
        home.keygen()

    home.keygen()
