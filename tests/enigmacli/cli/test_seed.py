import hashlib
import json
from pathlib import Path

import pytest

from enclave.appraise.policy import Policy
from enigmacli.cli import registration_note
from enigmacli.errors import StorageError
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram


def register(home: NetworkProgram) -> None:
    home.ok("tx", "register", "auth", str(home.home / "attestation_cert.der"), "-y")


def test_an_unregistered_node_times_out_and_is_told_what_to_send(
    network: NetworkInMemory,
) -> None:
    bob = network.newcomer("bob")

    got = bob("seed", "wait", "--timeout", "0.2", "-o", "json")

    assert (got.code, got.error["code"]) == (9, "timed-out")
    assert got.error["details"]["state"] == "unknown"
    assert "tx register auth" in got.error["hint"]


def test_a_transaction_that_waits_for_its_block_is_told_apart(network: NetworkInMemory) -> None:
    carol = network.newcomer("carol")
    assert network.node is not None
    network.node.holds_back = True
    evidence = str(carol.home / "attestation_cert.der")
    carol.ok("tx", "register", "auth", evidence, "-y", "--broadcast-mode", "sync")

    waiting = carol("seed", "wait", "--timeout", "0.2", "-o", "json")
    network.node.calm_down()
    answered = carol.ok("seed", "wait")

    assert waiting.code == 9
    assert waiting.error["details"]["state"] == "not-included"
    assert answered["encrypted_seed"].startswith("0x")


def test_a_seed_is_not_unsealed_before_the_network_has_answered(network: NetworkInMemory) -> None:
    dave = network.newcomer("dave")

    got = dave("seed", "unseal", "-o", "json")

    assert got.code == 7
    assert dave.ok("seed", "status")["seeds"] == 0


def test_a_home_whose_genesis_names_other_keys_cannot_install_the_seed(
    network: NetworkInMemory,
) -> None:
    erin = network.newcomer("erin")
    register(erin)
    file = erin.home / "config" / "genesis.json"
    genesis = json.loads(file.read_text())
    keys = genesis["app_state"]["register"]
    keys["io_master_key"] = keys["node_exch_master_key"]
    file.write_text(json.dumps(genesis))

    got = erin("seed", "unseal", "-o", "json")

    assert got.code in (6, 8)
    assert erin.ok("seed", "status")["seeds"] == 0


def test_an_enclave_that_was_given_another_policy_cannot_install_the_seed(
    network: NetworkInMemory,
) -> None:
    loose = NetworkProgram(network.folder / "loose", network)
    genesis = network.first.home / "config" / "genesis.json"
    loose.ok("init", "loose", "--genesis", str(genesis))
    address = loose.prepare_account("loose")
    network.first.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y")
    file = loose.home / "config" / "genesis.json"
    honest = file.read_text()
    document = json.loads(honest)
    params = document["app_state"]["register"]["params"]
    params["max_evidence_age_s"] += 1
    assert Policy.from_value(params)
    file.write_text(json.dumps(document))
    loose.ok("enclave", "keygen")
    loose.ok("attest", "fetch")
    file.write_text(honest)

    got = loose(
        "tx", "register", "auth", str(loose.home / "attestation_cert.der"), "-y", "-o", "json"
    )

    assert (got.code, got.error["code"]) == (6, "binding-mismatch")


def test_status_says_what_is_held_without_asking_anybody(network: NetworkInMemory) -> None:
    assert network.first.ok("seed", "status")["seeds"] == 1
    assert network.node is not None
    network.node.down = True

    shown = network.first("seed", "status")

    network.node.calm_down()
    assert shown.code == 0
    assert "(that of genesis)" in shown.out


def test_waiting_without_a_registration_key_names_keygen(network: NetworkInMemory) -> None:
    frank = NetworkProgram(network.folder / "frank", network)
    frank.ok("init", "frank", "--genesis", str(network.first.home / "config" / "genesis.json"))

    got = frank("seed", "wait", "-o", "json")

    assert (got.code, got.error["hint"]) == (3, "enigmacli enclave keygen")


def test_the_note_of_a_registration_is_that_of_its_node_only(tmp_path: Path) -> None:
    registration_note.write(tmp_path, b"n" * 32, b"signed")

    assert registration_note.read_tx(tmp_path, b"n" * 32) == b"signed"
    assert registration_note.read(tmp_path, b"n" * 32) == hashlib.sha256(b"signed").digest()
    assert registration_note.read_tx(tmp_path, b"m" * 32) is None
    registration_note.drop(tmp_path)
    assert registration_note.read(tmp_path, b"n" * 32) is None


@pytest.mark.parametrize("text", ["", "[]", '{"node_id": 1}', "\udcff"])
def test_a_damaged_note_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "register_tx.json").write_bytes(text.encode(errors="surrogateescape"))

    assert registration_note.read(tmp_path, b"n" * 32) is None


def test_a_note_that_cannot_be_written_is_local_state(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        registration_note.write(tmp_path / "none", b"n" * 32, b"signed")
