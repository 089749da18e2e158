"""A clock that jumps by hours or days, as the enclave and the command line see it."""

from pathlib import Path

import pytest

from enclave import calls
from enclave.errors import ClockBackwardsError, EvidenceTooOldError, NotYetValidError
from enigmacli.cli.exit_codes import exit_code
from tests.enigmacli.simulated_intel.in_memory import AT_US
from tests.simulators.attested_network import NOW_US
from tests.simulators.enclave_home import DAY_US, NETWORK, EnclaveHome
from tests.simulators.network_in_memory import NetworkInMemory, NetworkServices

HOUR_US = 3_600_000_000
NOT_AUTHENTIC, POLICY_REFUSES = 5, 6


@pytest.fixture
def first(tmp_path: Path) -> EnclaveHome:
    home = EnclaveHome(tmp_path / "first")
    home.bootstrap()
    return home


@pytest.fixture
def newcomer(tmp_path: Path) -> EnclaveHome:
    home = EnclaveHome(tmp_path / "newcomer")
    home.keygen()
    return home


def test_an_enclave_told_of_a_later_block_admits_nobody_before_it(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    first.service.advance(calls.Advance(NOW_US + 3 * DAY_US))

    first.service.advance(calls.Advance(NOW_US))

    assert first.status().clock_us == NOW_US + 3 * DAY_US
    with pytest.raises(ClockBackwardsError):
        first.admit(newcomer.certificate())
    fresh = NETWORK.certify(newcomer.evidence(), NOW_US + 3 * DAY_US)
    assert first.admit(fresh, NOW_US + 3 * DAY_US).encrypted_seed


def test_evidence_of_the_future_and_of_the_past_is_refused_by_name(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    future = NETWORK.certify(newcomer.evidence(), NOW_US + HOUR_US)
    past = NETWORK.certify(newcomer.evidence(), NOW_US - 3 * DAY_US)

    with pytest.raises(NotYetValidError) as early:
        first.admit(future)
    with pytest.raises(EvidenceTooOldError) as late:
        first.admit(past)

    assert (exit_code(early.value), exit_code(late.value)) == (NOT_AUTHENTIC, POLICY_REFUSES)


def test_a_machine_whose_clock_is_days_ahead_pays_no_fee_and_completes_once_it_is_right(
    network: NetworkInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = network.newcomer("bob")
    send = ("tx", "register", "auth", str(program.home / "attestation_cert.der"), "-y")
    balance = ("query", "balance", program.ok("keys", "show", "bob")["address"])
    before = program.ok(*balance)["amount"]

    with monkeypatch.context() as patch:
        patch.setattr(NetworkServices, "now_us", lambda _self: AT_US + 2 * DAY_US)
        refused = program(*send, "-o", "json")

    assert (refused.code, refused.error["code"]) == (POLICY_REFUSES, "evidence-too-old")
    assert program.ok(*balance)["amount"] == before
    assert program.ok(*send)["height"] > 0
    assert program.ok("seed", "unseal")["epoch"] == 0


def test_a_machine_whose_clock_is_behind_still_registers_once(
    network: NetworkInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = network.newcomer("bob")
    send = ("tx", "register", "auth", str(program.home / "attestation_cert.der"), "-y")

    with monkeypatch.context() as patch:
        patch.setattr(NetworkServices, "now_us", lambda _self: AT_US - DAY_US)
        program(*send)

    first = program.ok(*send)["height"]
    assert program.ok(*send)["height"] == first
    assert program.ok("seed", "unseal")["epoch"] == 0
