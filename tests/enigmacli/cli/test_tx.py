import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import enclave
from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    NodeInMemory,
)


@pytest.fixture
def node(network: NetworkInMemory) -> Iterator[NodeInMemory]:
    """The network's node, whose moods last for one test."""
    assert network.first
    assert network.node is not None
    yield network.node
    network.node.calm_down()


def evidence(home: NetworkProgram) -> str:
    return str(home.home / "attestation_cert.der")


def balance(network: NetworkInMemory, address: str) -> int:
    return int(network.first.ok("query", "balance", address)["amount"])


def address_of(home: NetworkProgram) -> str:
    (key,) = home.ok("keys", "list")["keys"]
    return str(key["address"])


def test_a_newcomer_registers_waits_and_unseals(network: NetworkInMemory) -> None:
    bob = network.newcomer("bob")

    sent = bob.ok("tx", "register", "auth", evidence(bob), "-y")
    waited = bob.ok("seed", "wait")
    unsealed = bob.ok("seed", "unseal")

    assert sent["sent"]
    assert sent["height"]
    assert waited["encrypted_seed"].startswith("0x")
    assert unsealed["exchange_pk"] == network.first.ok("seed", "status")["exchange_pk"]
    assert bob.ok("seed", "status")["matches_genesis"] is True
    assert bob.ok("seed", "unseal") == unsealed


def test_a_registered_node_sends_nothing_and_pays_nothing(network: NetworkInMemory) -> None:
    carol = network.newcomer("carol")
    first = carol.ok("tx", "register", "auth", evidence(carol), "-y")
    before = balance(network, address_of(carol))

    again = carol.ok("tx", "register", "auth", evidence(carol), "-y")

    assert (again["sent"], again["height"]) == (False, first["height"])
    assert balance(network, address_of(carol)) == before
    assert "nothing was sent" in carol("tx", "register", "auth", evidence(carol)).out


def test_another_owner_is_refused_before_a_fee_is_paid(network: NetworkInMemory) -> None:
    dave = network.newcomer("dave")
    dave.ok("tx", "register", "auth", evidence(dave), "-y")
    alice = address_of(network.first)
    before = balance(network, alice)

    got = network.first("tx", "register", "auth", evidence(dave), "-y", "-o", "json")

    assert got.code == 7
    assert got.error["details"]["code"] == 7
    assert "nothing was sent" in got.error["message"]
    assert balance(network, alice) == before


def test_a_changed_enclave_is_refused_here_and_by_the_chain(
    network: NetworkInMemory, tmp_path: Path
) -> None:
    package = tmp_path / "trusted"
    shutil.copytree(
        Path(enclave.__file__).parent,
        package / "enclave",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    with (package / "enclave" / "__init__.py").open("a") as file:
        file.write("#")
    erin = NetworkProgram(network.folder / "erin", network)
    erin.ok("init", "erin", "--genesis", str(network.first.home / "config" / "genesis.json"))
    erin.ok("config", "set", "enclave.path", str(package))
    address = erin.prepare_account("erin")
    network.first.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y")
    erin.ok("enclave", "keygen")
    erin.ok("attest", "fetch")

    here = erin("tx", "register", "auth", evidence(erin), "-y", "-o", "json")
    untouched = balance(network, address)
    there = erin("tx", "register", "auth", evidence(erin), "-y", "-o", "json", "--no-preview")

    assert (here.code, here.error["code"]) == (6, "measurement-not-allowed")
    assert here.error["details"]["expected"] != here.error["details"]["seen"]
    assert untouched == 10_000_000
    assert there.code == 7
    assert there.error["details"]["codespace"] == "register"
    assert there.error["details"]["code"] == 3


def test_a_rehearsal_shows_verdict_gas_and_fee_and_sends_nothing(network: NetworkInMemory) -> None:
    frank = network.newcomer("frank")
    before = balance(network, address_of(frank))

    shown = frank.ok("tx", "register", "auth", evidence(frank), "--dry-run")
    unsigned = frank.ok("tx", "register", "auth", evidence(frank), "--generate-only")

    assert (shown["verdict"], shown["dry_run"]) == ("accept", True)
    assert shown["gas_limit"] > 250_000
    assert shown["fee"].endswith("uscrt")
    assert unsigned["message"] == "/secret.registration.v1beta1.RaAuthenticate"
    assert balance(network, address_of(frank)) == before


def test_the_first_error_of_a_poor_account_names_what_it_needs_and_holds(
    network: NetworkInMemory,
) -> None:
    gina = network.newcomer("gina")
    address = address_of(gina)
    held = balance(network, address)

    got = gina("tx", "bank", "send", "gina", address, f"{held}uscrt", "-y", "-o", "json")

    assert (got.code, got.error["code"]) == (7, "insufficient-funds")
    assert got.error["details"]["address"] == address
    assert got.error["details"]["held"] == f"{held}uscrt"


def test_without_a_terminal_nothing_is_sent_unless_yes_was_said(network: NetworkInMemory) -> None:
    alice = address_of(network.first)

    got = network.first("tx", "bank", "send", "alice", alice, "1uscrt", "-o", "json")

    assert got.code == 2
    assert "-y" in got.error["hint"]


@pytest.mark.parametrize("amount", ["abc", "0uscrt", "-1uscrt", "1", "uscrt"])
def test_an_amount_that_is_none_is_a_usage_error(network: NetworkInMemory, amount: str) -> None:
    got = network.first("tx", "bank", "send", "alice", "alice", "--", amount)

    assert got.code == 2


def test_a_transaction_that_no_block_takes_is_a_time_out_that_names_it(
    network: NetworkInMemory, node: NodeInMemory
) -> None:
    alice = address_of(network.first)
    node.holds_back = True
    network.first.ok("config", "set", "chain.wait_timeout_s", "0.5")

    got = network.first("tx", "bank", "send", "alice", alice, "1uscrt", "-y", "-o", "json")

    network.first.ok("config", "set", "chain.wait_timeout_s", "60")
    assert (got.code, got.error["code"]) == (9, "timed-out")
    assert got.error["details"]["tx_hash"] in got.error["hint"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_other_broadcast_modes_do_not_wait(network: NetworkInMemory, mode: str) -> None:
    alice = address_of(network.first)

    sent = network.first.ok(
        "tx", "bank", "send", "alice", alice, "1uscrt", "-y", "--broadcast-mode", mode
    )

    assert sent["height"] is None
    assert network.first.ok("query", "tx", sent["tx_hash"])["code"] == 0


def test_a_refused_vote_carries_the_chain_s_code(network: NetworkInMemory) -> None:
    heidi = network.newcomer("heidi")
    made: dict[str, Any] = json.loads(
        (heidi.home / "config" / "priv_validator_key.json").read_text()
    )
    key = made["pub_key"]["value"]

    got = heidi(
        "tx", "validator", "set", key, "5", "--node-id", "ab" * 32, "-y", "-o", "json"
    )  # fmt: skip

    assert got.code == 7
    assert (got.error["details"]["codespace"], got.error["details"]["code"]) == ("validator", 2)


def test_a_vote_for_the_power_that_is_sends_and_pays_nothing(network: NetworkInMemory) -> None:
    first = network.first
    key = json.loads((first.home / "config" / "priv_validator_key.json").read_text())["pub_key"]
    node_id = first.ok("seed", "status")["exchange_pk"]
    vote = ("tx", "validator", "set", key["value"], "12", "--node-id", node_id, "-y")
    voted = first.ok(*vote)
    before = balance(network, address_of(first))

    again = first.ok(*vote)

    assert voted["sent"]
    assert voted["height"]
    assert again == {"sent": False, "pubkey": again["pubkey"], "power": 12}
    assert balance(network, address_of(first)) == before


def test_a_node_of_another_network_is_refused_by_name(
    network: NetworkInMemory, node: NodeInMemory
) -> None:
    node.of_chain = "net-2"

    got = network.first("tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "-o", "json")

    assert got.code == 3
    assert got.error["details"] == {"expected": "net-1", "seen": "net-2"}


def test_a_node_that_is_down_is_a_service_that_did_not_answer(
    network: NetworkInMemory, node: NodeInMemory
) -> None:
    node.down = True

    got = network.first("tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "-o", "json")

    assert (got.code, got.error["code"]) == (4, "service-unavailable")


@pytest.mark.parametrize("size", [0, 100, 70_000])
def test_nonsense_in_place_of_evidence_is_malformed(
    network: NetworkInMemory, tmp_path: Path, size: int
) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(b"x" * size)

    got = network.first("tx", "register", "auth", str(file), "-y", "-o", "json")

    assert got.code == 5
