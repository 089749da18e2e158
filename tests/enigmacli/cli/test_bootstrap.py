import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.simulated_intel.pki import SimulatedPki
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram, network_in_memory


@pytest.fixture
def network(tmp_path: Path, pki: SimulatedPki, root_file: Path) -> Iterator[NetworkInMemory]:
    with network_in_memory(tmp_path, pki, root_file) as made:
        yield made


@pytest.fixture
def first(network: NetworkInMemory) -> NetworkProgram:
    """A home that is ready to be bootstrapped."""
    program = NetworkProgram(network.folder / "first", network)
    program.ok(
        "init", "first", "--simulated", "--chain-id", "net-1", "--ias-root", str(network.root_file)
    )
    program.ok("genesis", "add-account", program.prepare_account("alice"), "1000uscrt")
    return program


def register_of(home: NetworkProgram) -> dict[str, Any]:
    genesis = json.loads((home.home / "config" / "genesis.json").read_text())
    found: dict[str, Any] = genesis["app_state"]["register"]
    return found


def test_it_completes_genesis_once(first: NetworkProgram) -> None:
    made = first.ok("bootstrap")
    again = first.ok("bootstrap")

    assert (made["changed"], again["changed"]) == (True, False)
    assert made["exchange_pk"] == again["exchange_pk"] == first.ok("seed", "status")["exchange_pk"]
    assert set(register_of(first)) >= {"bootstrap", "io_master_key", "node_exch_master_key"}
    first.ok("genesis", "validate")


def test_it_says_what_to_do_next(first: NetworkProgram) -> None:
    shown = first("bootstrap")

    assert shown.code == 0
    assert shown.out.endswith("next: enigmacli start\n")
    assert "simulation" in shown.err


def test_the_operator_is_the_account_that_was_named(first: NetworkProgram) -> None:
    address = first.ok("keys", "add", "carol")["address"]

    first.ok("bootstrap", "--from", "carol")

    genesis = json.loads((first.home / "config" / "genesis.json").read_text())
    assert genesis["app_state"]["validators"][0]["operator"] == address


def test_several_accounts_and_no_choice_are_refused_and_completed_later(
    first: NetworkProgram,
) -> None:
    first.ok("keys", "add", "carol")

    refused = first("bootstrap", "-o", "json")

    assert (refused.code, refused.error["code"]) == (3, "keyring")
    assert "--from" in refused.error["hint"]
    assert "bootstrap" not in register_of(first)
    assert first.ok("bootstrap", "--from", "alice")["changed"]


def test_a_home_that_another_process_holds_is_busy(first: NetworkProgram) -> None:
    from enigmacli.home import Home  # noqa: PLC0415

    with Home(first.home).lock():
        got = first("bootstrap", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "home-busy")


def test_a_genesis_without_a_policy_names_the_next_command(network: NetworkInMemory) -> None:
    program = NetworkProgram(network.folder / "bare", network)
    program.ok("init", "bare", "--chain-id", "net-1")

    got = program("bootstrap", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "genesis")
    assert "set-policy" in got.error["hint"]


def test_another_network_s_bootstrapped_genesis_is_refused(
    network: NetworkInMemory, first: NetworkProgram
) -> None:
    first.ok("bootstrap")
    second = NetworkProgram(network.folder / "second", network)
    second.ok("init", "second", "--genesis", str(first.home / "config" / "genesis.json"))
    second.prepare_account("bob")

    got = second("bootstrap", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "genesis")
    assert "register" in got.error["hint"]
