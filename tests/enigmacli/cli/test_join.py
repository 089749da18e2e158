"""``join`` in one process: what it makes, what it pays for, and what it refuses for nothing."""

import json
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import enclave
from enigmacli.chain.address import decode_address
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.tx import decode_tx, is_confirm
from enigmacli.cli import registration_note
from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    NodeInMemory,
    Outcome,
)

GIFT = 10_000_000
_NUMBERS = count(1)


@pytest.fixture(scope="module", autouse=True)
def _bootstrapped(network: NetworkInMemory) -> None:
    assert network.first


class Newcomer:
    """One home that joins, called as from an empty folder each time."""

    def __init__(self, network: NetworkInMemory, name: str) -> None:
        self.program = NetworkProgram(network.folder / name, network)
        self.network = network
        self._line = ("join", "--genesis", str(network.first.home / "config" / "genesis.json"),
                      "--moniker", name, "--keyring-backend", "test")  # fmt: skip

    @property
    def node(self) -> NodeInMemory:
        assert self.network.node is not None
        return self.network.node

    def __call__(self, *options: str) -> Outcome:
        return self.program(*self._line, *options, "-o", "json")

    def funded(self) -> str:
        """The address of its account, with coins."""
        address = str(self.program.ok(*self._line, "--dry-run")["address"])
        self.network.first.ok("tx", "bank", "send", "alice", address, f"{GIFT}uscrt", "-y")
        return address

    def balance(self, address: str) -> int:
        return int(self.program.ok("query", "balance", address)["amount"])

    def registrations(self) -> int:
        """How many transactions on the chain register this node's account."""
        keys = self.program.ok("keys", "list", "--keyring-backend", "test")["keys"]
        account = decode_address(keys[0]["address"])
        return sum(
            message.sender == account
            for _, _, txs in self.node.chain.blocks
            for raw in txs
            if not is_confirm(raw)
            for message in decode_tx(raw).messages
            if isinstance(message, RaAuthenticate)
        )


@pytest.fixture
def newcomer(network: NetworkInMemory) -> Iterator[Newcomer]:
    made = Newcomer(network, f"node-{next(_NUMBERS)}")
    yield made
    made.node.calm_down()


def test_from_nothing_to_a_seed_for_one_fee(newcomer: Newcomer) -> None:
    address = newcomer.funded()

    told = newcomer().document
    again = newcomer().document

    fee = int(told["fee"].removesuffix("uscrt"))
    assert (told["state"], told["sent"], again["sent"]) == ("seeded", True, False)
    assert again["height"] == told["height"]
    assert newcomer.balance(address) == GIFT - fee
    assert newcomer.registrations() == 1
    assert newcomer.program.ok("seed", "status")["matches_genesis"] is True
    assert {phase["outcome"] for phase in again["phases"].values()} <= {"done", "kept"}


def test_a_rehearsal_says_what_it_would_cost_and_sends_nothing(newcomer: Newcomer) -> None:
    first = newcomer("--dry-run").document
    address = newcomer.funded()
    second = newcomer("--dry-run").document

    assert first["fee"] == second["fee"] == first["short"]
    assert (second["short"], second["verdict"]) == ("0uscrt", "accept")
    assert newcomer.balance(address) == GIFT
    assert newcomer.registrations() == 0


def test_a_rehearsal_of_what_is_done_costs_nothing(newcomer: Newcomer) -> None:
    newcomer.funded()
    joined = newcomer().document

    told = newcomer("--dry-run").document

    assert (told["fee"], told["height"]) == (None, joined["height"])


def test_without_coins_it_waits_and_names_account_and_amount(newcomer: Newcomer) -> None:
    got = newcomer("--wait", "0.2")
    needed = newcomer("--dry-run").document

    assert (got.code, got.error["code"]) == (9, "timed-out")
    assert got.error["details"]["state"] == "no-funds"
    assert got.error["details"]["address"] == needed["address"]
    assert got.error["details"]["needed"] == needed["fee"]
    assert needed["address"] in got.error["hint"]


def test_a_transaction_in_no_block_is_waited_for_and_never_sent_twice(newcomer: Newcomer) -> None:
    address = newcomer.funded()
    newcomer.node.holds_back = True
    got = newcomer("--wait", "0.3")
    again = newcomer("--wait", "0.3")
    newcomer.node.calm_down()

    told = newcomer().document

    assert (got.code, again.code) == (9, 9)
    assert got.error["details"]["state"] == "not-included"
    assert told["tx_hash"] == got.error["details"]["tx_hash"] == again.error["details"]["tx_hash"]
    assert told["sent"] is False
    assert newcomer.registrations() == 1
    assert newcomer.balance(address) == GIFT - int(told["fee"].removesuffix("uscrt"))


def test_what_a_node_lost_is_offered_again_byte_for_byte(newcomer: Newcomer) -> None:
    newcomer.funded()
    newcomer.node.holds_back = True
    lost = newcomer("--wait", "0.3").error["details"]["tx_hash"]
    newcomer.node.forget()
    newcomer.node.holds_back = False

    told = newcomer().document

    assert told["tx_hash"] == lost
    assert newcomer.registrations() == 1


def test_where_another_transaction_took_its_number_a_new_one_is_signed(
    newcomer: Newcomer,
) -> None:
    address = newcomer.funded()
    newcomer.node.holds_back = True
    lost = newcomer("--wait", "0.3").error["details"]["tx_hash"]
    newcomer.node.forget()
    newcomer.node.holds_back = False
    newcomer.program.ok("tx", "bank", "send", address, address, "1uscrt", "-y",
                        "--keyring-backend", "test")  # fmt: skip

    told = newcomer().document

    assert told["tx_hash"] not in (None, lost)
    assert newcomer.registrations() == 1


def test_a_node_that_keeps_no_list_of_transactions_shows_the_record(newcomer: Newcomer) -> None:
    newcomer.funded()
    newcomer.node.holds_back = True
    newcomer("--wait", "0.3")
    newcomer.node.calm_down()
    newcomer.node.lists_txs = False

    told = newcomer().document

    assert (told["state"], told["sent"]) == ("seeded", False)
    assert newcomer.registrations() == 1


def test_the_first_node_holds_the_seed_without_a_registration(network: NetworkInMemory) -> None:
    told = network.first.ok("join")

    assert (told["state"], told["height"], told["receipt"]) == ("seeded", None, None)


def test_a_node_that_is_away_is_a_service_that_does_not_answer(newcomer: Newcomer) -> None:
    newcomer.funded()
    newcomer.node.down = True

    got = newcomer()

    assert (got.code, got.error["code"]) == (4, "service-unavailable")


def test_a_node_of_another_network_is_refused_before_anything_is_sent(newcomer: Newcomer) -> None:
    newcomer.node.of_chain = "other-1"

    got = newcomer()

    assert (got.code, got.error["details"]) == (3, {"expected": "net-1", "seen": "other-1"})
    assert "--node" in got.error["hint"]


def test_code_that_the_policy_does_not_name_costs_nothing(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    package = tmp_path / "trusted"
    shutil.copytree(Path(enclave.__file__).parent, package / "enclave",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    with (package / "enclave" / "__init__.py").open("a") as file:
        file.write("#")
    genesis = str(newcomer.network.first.home / "config" / "genesis.json")
    newcomer.program.ok("init", "changed", "--genesis", genesis)
    newcomer.program.ok("config", "set", "enclave.path", str(package))

    got = newcomer()

    assert (got.code, got.error["code"]) == (6, "measurement-not-allowed")
    assert newcomer.registrations() == 0


def test_evidence_of_a_kind_that_the_policy_refuses_is_never_made(newcomer: Newcomer) -> None:
    got = newcomer("--provider", "dcap")

    assert got.code == 3
    assert got.error["details"] == {"expected": ["epid"], "seen": "dcap-sgx"}
    assert "--provider simulated" in got.error["hint"]


def test_a_registration_of_another_owner_is_permanent(newcomer: Newcomer) -> None:
    newcomer.funded()
    newcomer()
    address = newcomer.program.prepare_account("second")

    got = newcomer("--from", address)

    assert (got.code, got.error["details"]["code"]) == (7, 7)


def test_a_home_of_another_network_is_refused(newcomer: Newcomer, tmp_path: Path) -> None:
    newcomer("--dry-run")
    other = NetworkProgram(tmp_path / "other", newcomer.network)
    other.ok("init", "other", "--simulated", "--chain-id", "net-2", *newcomer.network.roots)
    genesis = str(other.home / "config" / "genesis.json")

    got = newcomer.program("join", "--genesis", genesis, "-o", "json")

    assert (got.code, got.error["code"]) == (3, "genesis")


def test_an_empty_home_wants_to_know_the_network(network: NetworkInMemory) -> None:
    got = NetworkProgram(network.folder / "nothing", network)("join", "-o", "json")

    assert (got.code, got.error["code"]) == (3, "home-missing")
    assert "--genesis" in got.error["hint"]


def test_what_was_said_when_the_home_was_made_need_not_be_said_again(newcomer: Newcomer) -> None:
    address = newcomer.funded()

    told = newcomer.program.ok("join")

    assert (told["state"], told["address"]) == ("seeded", address)


def test_evidence_at_hand_is_used_again(newcomer: Newcomer) -> None:
    newcomer.funded()
    file = newcomer.program.home / "attestation_cert.der"
    before = file.read_bytes()

    told = newcomer().document

    assert told["phases"]["evidence"]["outcome"] == "kept"
    assert file.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"\x30\x00", b"evidence"])
def test_evidence_that_is_damaged_is_fetched_anew(newcomer: Newcomer, damage: bytes) -> None:
    newcomer.funded()
    (newcomer.program.home / "attestation_cert.der").write_bytes(damage)

    told = newcomer().document

    assert (told["state"], told["phases"]["evidence"]["outcome"]) == ("seeded", "done")


def test_a_note_that_is_damaged_is_no_note(newcomer: Newcomer) -> None:
    newcomer.funded()
    node_id = bytes.fromhex(newcomer.program.ok("enclave", "status")["node_id"])
    registration_note.write(newcomer.program.home, node_id, b"no transaction")

    assert newcomer().document["state"] == "seeded"
    assert newcomer.registrations() == 1


def test_where_coins_may_have_a_value_no_faucet_is_asked_but_people_are(newcomer: Newcomer) -> None:
    newcomer("--dry-run")
    file = newcomer.program.home / "config" / "genesis.json"
    document = json.loads(file.read_text())
    params = document["app_state"]["register"]["params"]
    file.write_text(
        json.dumps(document).replace(
            json.dumps(params), json.dumps(params | {"simulation": False, "trust_roots": ["intel"]})
        )
    )

    got = newcomer.program("join", "--faucet", "http://127.0.0.1:1", "-y", "-o", "json")
    unasked = newcomer.program("join", "-o", "json")

    assert (unasked.code, unasked.error["hint"]) == (2, "add -y to say yes in advance")
    assert got.code == 3
    assert "simulated networks only" in got.error["message"]
