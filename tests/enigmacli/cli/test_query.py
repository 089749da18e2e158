import base64
import json
from pathlib import Path

import pytest

from enigmacli.chain.blocks import header_hash
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram

UNKNOWN = "99" * 32


@pytest.fixture(scope="module")
def bob(network: NetworkInMemory) -> NetworkProgram:
    """A registered newcomer."""
    made = network.newcomer("bob")
    made.ok("tx", "register", "auth", str(made.home / "attestation_cert.der"), "-y")
    return made


@pytest.fixture(scope="module")
def node_id(bob: NetworkProgram) -> str:
    return str(bob.ok("seed", "status")["node_id"])


def test_the_encrypted_seed_is_printed_as_the_peer_does(bob: NetworkProgram, node_id: str) -> None:
    shown = bob("query", "register", "seed", node_id)

    assert shown.code == 0
    assert shown.out.startswith("0x")
    assert len(bytes.fromhex(shown.out.strip().removeprefix("0x"))) == 48
    assert bob("q", "register", "seed", f"0x{node_id}").out == shown.out
    found = bob.ok("query", "register", "seed", node_id)
    assert (found["node_id"], found["encrypted_seed"]) == (node_id, shown.out.strip())


@pytest.mark.parametrize("what", ["seed", "node"])
def test_an_unknown_node_is_an_error_of_its_own(bob: NetworkProgram, what: str) -> None:
    got = bob("query", "register", what, UNKNOWN, "-o", "json")

    assert (got.code, got.out) == (7, "")
    assert got.error["code"] == "not-registered"


@pytest.mark.parametrize("text", ["", "zz", "99" * 31, "0x" + "99" * 33])
def test_a_node_id_of_another_form_is_a_usage_error(bob: NetworkProgram, text: str) -> None:
    assert bob("query", "register", "seed", text).code == 2


def test_the_network_s_keys_go_into_two_files_without_a_line_end(
    bob: NetworkProgram, tmp_path: Path
) -> None:
    shown = bob("query", "register", "secret-network-params", "--out-dir", str(tmp_path))

    keys = json.loads(shown.out)
    genesis = json.loads((bob.home / "config" / "genesis.json").read_text())
    register = genesis["app_state"]["register"]
    node_key = (tmp_path / "node-master-key.txt").read_text()
    io_key = (tmp_path / "io-master-key.txt").read_text()
    assert node_key == keys["node_exch_key"]["bytes"] == register["node_exch_master_key"]["bytes"]
    assert io_key == keys["io_exch_key"]["bytes"] == register["io_master_key"]["bytes"]
    assert len(base64.b64decode(node_key)) == 32


def test_keys_of_another_network_are_not_written(bob: NetworkProgram, tmp_path: Path) -> None:
    file = bob.home / "config" / "genesis.json"
    before = file.read_text()
    genesis = json.loads(before)
    register = genesis["app_state"]["register"]
    register["node_exch_master_key"], register["io_master_key"] = (
        register["io_master_key"],
        register["node_exch_master_key"],
    )
    file.write_text(json.dumps(genesis))

    got = bob(
        "query", "register", "secret-network-params", "--out-dir", str(tmp_path), "-o", "json"
    )

    file.write_text(before)
    assert (got.code, got.error["code"]) == (5, "untrusted-answer")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_local_state(bob: NetworkProgram) -> None:
    got = bob("query", "register", "secret-network-params", "--out-dir", "/proc/none")

    assert got.code == 3


def test_a_record_shows_what_the_confirm_carried(bob: NetworkProgram, node_id: str) -> None:
    record = bob.ok("query", "register", "node", node_id)
    proof = record.pop("verified")

    assert proof["height"] > record["height"]
    (key,) = bob.ok("keys", "list")["keys"]
    assert record["owner"] == key["address"]
    assert (record["evidence_kind"], record["tcb_status"], record["epoch"]) == ("epid", "OK", 0)
    assert record["measurement"] == bob.ok("enclave", "measure")["mr_enclave"]
    assert record in bob.ok("query", "register", "nodes")["nodes"]


def test_account_balance_and_transaction_can_be_asked_for(
    network: NetworkInMemory, bob: NetworkProgram
) -> None:
    (key,) = bob.ok("keys", "list")["keys"]
    sent = network.first.ok("tx", "bank", "send", "alice", key["address"], "7uscrt", "-y")

    account = bob.ok("query", "account", key["address"])
    held = bob.ok("query", "balance", key["address"])
    found = bob.ok("query", "tx", sent["tx_hash"])

    assert (account["account_number"], account["sequence"]) == (1, 1)
    assert bob("query", "balance", key["address"]).out == f"{held['amount']}uscrt\n"
    assert (found["height"], found["code"]) == (sent["height"], 0)


def test_an_answer_names_the_header_that_proves_it(
    network: NetworkInMemory, bob: NetworkProgram, node_id: str
) -> None:
    proof = bob.ok("query", "register", "seed", node_id)["verified"]

    assert network.node is not None
    header = network.node.headers.blocks[proof["height"]].header
    assert proof["header_hash"] == header_hash(header).hex().upper()
    (key,) = bob.ok("keys", "list")["keys"]
    for what in ("account", "balance"):
        assert bob.ok("query", what, key["address"])["verified"]["height"] >= proof["height"]


def test_an_account_is_named_by_address_or_key_and_a_wrong_address_is_usage(
    bob: NetworkProgram,
) -> None:
    (key,) = bob.ok("keys", "list")["keys"]
    last = "q" if key["address"][-1] != "q" else "p"

    for what in ("account", "balance"):
        assert bob.ok("query", what, key["name"])["address"] == key["address"]
        assert bob("query", what, key["address"][:-1] + last).code == 2
        assert bob("query", what, "nobody").code == 3


def test_a_home_without_genesis_is_told_that_nothing_is_verified(
    network: NetworkInMemory, bob: NetworkProgram, node_id: str, tmp_path: Path
) -> None:
    nowhere = NetworkProgram(tmp_path / "none", network)

    shown = nowhere("query", "register", "seed", node_id)
    document = nowhere.ok("query", "register", "seed", node_id)

    assert document["verified"] is None
    assert "the answer is the node's word" in shown.err
    assert shown.out == bob("query", "register", "seed", node_id).out


def test_a_home_without_genesis_verifies_from_a_header_that_is_named(
    network: NetworkInMemory, bob: NetworkProgram, node_id: str, tmp_path: Path
) -> None:
    assert bob.home.exists()
    assert network.node is not None
    nowhere = NetworkProgram(tmp_path / "none", network)
    trusted = header_hash(network.node.headers.blocks[2].header).hex()
    ask = ("query", "register", "seed", node_id, "--chain-id", "net-1", "--trust-height", "2")

    found = nowhere.ok(*ask, "--trust-hash", trusted)
    lied_to = nowhere(*ask, "--trust-hash", "00" * 32, "-o", "json")
    half = nowhere(*ask, "-o", "json")

    assert found["verified"]["height"] > 2
    assert (lied_to.code, lied_to.error["code"]) == (5, "untrusted-answer")
    assert (half.code, half.error["code"]) == (3, "config")


def test_a_damaged_trust_store_is_named_and_can_be_rebuilt(
    bob: NetworkProgram, node_id: str
) -> None:
    ask = ("query", "register", "seed", node_id)
    bob.ok(*ask)
    file = bob.home / "data" / "light.json"
    file.write_bytes(file.read_bytes()[:-9])

    got = bob(*ask, "-o", "json")
    file.unlink()

    assert (got.code, got.error["code"]) == (3, "trust-store-corrupt")
    assert str(file) in got.error["message"]
    assert bob.ok(*ask)["verified"]


def test_an_unknown_transaction_is_not_found(bob: NetworkProgram) -> None:
    got = bob("query", "tx", UNKNOWN, "-o", "json")

    assert (got.code, got.error["code"]) == (7, "not-found")
