"""The main job with real processes on loopback: one network, told in the order of its life."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.story_processes import ProgramHome, Running, running

pytestmark = pytest.mark.e2e

ANY_PORT = "127.0.0.1:0"


@dataclass
class Network:
    """A simulated Intel and a first node that makes blocks."""

    folder: Path
    intel: str
    first: ProgramHome
    node: Running
    url: str

    def newcomer(self, name: str) -> ProgramHome:
        """A home with coins, a registration key and evidence."""
        home = ProgramHome(self.folder / name)
        genesis = str(self.first.path / "config" / "genesis.json")
        home.ok("init", name, "--genesis", genesis)
        address = home.account(name)
        self.first.ok(
            "tx", "bank", "send", "alice", address, "10000000uscrt", "-y", "--node", self.url
        )
        home.ok("enclave", "keygen")
        home.ok("attest", "fetch", "--url", self.intel)
        return home

    def register(self, home: ProgramHome) -> dict[str, Any]:
        evidence = str(home.path / "attestation_cert.der")
        return home.ok("tx", "register", "auth", evidence, "-y", "--node", self.url)

    def follow(self, home: ProgramHome, *options: str) -> Any:
        return running(home, "start", "--follow", self.url, "--rpc-listen", ANY_PORT, *options)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    with ExitStack() as processes:
        intel_home = ProgramHome(folder / "intel")
        service = processes.enter_context(running(intel_home, "ias", "serve", "--listen", ANY_PORT))
        intel = str(service.wait_for("listening")["url"])
        first = ProgramHome(folder / "first")
        first.ok("init", "first", "--simulated", "--chain-id", "story-1", "--ias-root", intel)
        first.ok("genesis", "add-account", first.account("alice"), "1000000000uscrt")
        node = processes.enter_context(
            running(
                first, "start", "--bootstrap", "--url", intel, "--rpc-listen", ANY_PORT,
                "--block-interval", "0.1",
            )
        )  # fmt: skip
        url = str(node.wait_for("listening")["rpc"])
        yield Network(folder, intel, first, node, url)


def test_a_newcomer_registers_unseals_and_follows(network: Network) -> None:
    bob = network.newcomer("bob")

    registered = network.register(bob)
    block = bob.ok("query", "block", str(registered["height"]), "--node", network.url)
    bob.ok("seed", "wait", "--node", network.url)
    bob.ok("seed", "unseal", "--node", network.url)
    with network.follow(bob) as node:
        caught_up = node.wait_for("caught_up")
        same = network.node.wait_for("block", height=caught_up["height"])
        assert node.end() == 0

    register, _confirm = block["txs"]
    assert register == registered["tx_hash"]
    assert caught_up["height"] >= registered["height"]
    assert caught_up["app_hash"] == same["app_hash"]


@pytest.fixture(scope="module")
def carol(network: Network) -> ProgramHome:
    """A newcomer that may start."""
    home = network.newcomer("carol")
    network.register(home)
    home.ok("seed", "unseal", "--node", network.url)
    return home


def test_another_policy_is_tried_on_the_evidence_in_the_blocks(
    network: Network, carol: ProgramHome, tmp_path: Path
) -> None:
    genesis = carol.path / "config" / "genesis.json"
    stricter = tmp_path / "stricter.json"
    policy = json.loads(genesis.read_text())["app_state"]["register"]["params"]
    stricter.write_text(json.dumps(policy | {"epid_quote_statuses": []}))
    node_id = carol.ok("seed", "status")["node_id"]

    same = carol.ok("policy", "what-if", "--policy", str(genesis), "--node", network.url)
    refused = carol("policy", "what-if", "--policy", str(stricter), "--node", network.url)

    outcomes = {node["node_id"]: node for node in same["nodes"]}
    assert outcomes[node_id]["proven"]
    assert all(node["then"]["admitted"] and node["now"]["admitted"] for node in same["nodes"])
    assert refused.returncode == 6
    assert refused.stdout.count("quote-status-not-allowed") == 2 * len(outcomes)


def test_a_follower_resumes_where_it_was_stopped(network: Network, carol: ProgramHome) -> None:
    with network.follow(carol) as node:
        stopped_at = node.wait_for("caught_up")["height"]
        node.end()
    sent = network.first.ok(
        "tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", network.url
    )

    with network.follow(carol) as node:
        ready = node.wait_for("chain_ready")
        block = node.wait_for("block", height=sent["height"])

    assert ready["height"] >= stopped_at
    assert block["app_hash"] == network.node.wait_for("block", height=sent["height"])["app_hash"]


def test_a_node_that_waits_starts_once_the_network_has_answered(network: Network) -> None:
    erin = network.newcomer("erin")
    code, error = erin.error("start", "--follow", network.url, "--rpc-listen", ANY_PORT)

    with network.follow(erin, "--wait-for-seed", "--node", network.url) as node:
        node.wait_for("waiting_for_seed")
        assert not [one for one in node.events() if one["event"] == "block"]
        network.register(erin)
        node.wait_for("seed_ready")
        caught_up = node.wait_for("caught_up")

    same = network.node.wait_for("block", height=caught_up["height"])
    assert caught_up["app_hash"] == same["app_hash"]
    assert (code, error["code"]) == (3, "seed-missing")
    assert "--wait-for-seed" in error["hint"] or "seed unseal" in error["hint"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_a_node_in_order(
    network: Network, carol: ProgramHome, number: int, code: int
) -> None:
    with network.follow(carol) as node:
        node.wait_for("caught_up")
        assert node.end(number) == code

    assert node.events()[-1] == {"event": "stopped"}


def test_a_busy_port_and_a_busy_home_are_refused(network: Network, carol: ProgramHome) -> None:
    port = network.url.removeprefix("http://")

    busy_port = carol.error("start", "--follow", network.url, "--rpc-listen", port)
    busy_home = network.first.error("start", "--rpc-listen", ANY_PORT)

    assert (busy_port[0], busy_port[1]["code"]) == (3, "port-busy")
    assert (busy_home[0], busy_home[1]["code"]) == (3, "home-busy")


def test_blocks_replay_without_an_enclave_to_the_same_hashes(
    network: Network, carol: ProgramHome
) -> None:
    with network.follow(carol) as node:
        caught_up = node.wait_for("caught_up")
        node.end()

    replayed = carol("replay", "--without-enclave")

    assert replayed.returncode == 0, replayed.stderr
    assert "can neither vote nor serve" in replayed.stderr
    found = carol.ok("replay", "--without-enclave")["app_hashes"]
    assert {"height": caught_up["height"], "app_hash": caught_up["app_hash"]} in found


def test_a_proxy_keeps_the_key_of_the_attestation_service(tmp_path: Path) -> None:
    key = tmp_path / "api-key"
    key.write_text("the-key-of-the-service\n")
    home = ProgramHome(tmp_path / "home")
    with ExitStack() as processes:
        service = processes.enter_context(
            running(
                ProgramHome(tmp_path / "intel"), "ias", "serve", "--listen", ANY_PORT,
                "--client-key-file", str(key),
            )
        )  # fmt: skip
        intel = service.wait_for("listening")["url"]
        proxy = processes.enter_context(
            running(
                ProgramHome(tmp_path / "proxy"), "ias", "proxy", "--listen", ANY_PORT,
                "--upstream", intel, "--api-key-file", str(key),
            )
        ).wait_for("listening")["url"]  # fmt: skip
        home.ok("init", "home", "--simulated", "--chain-id", "proxied-1", "--ias-root", intel)
        home.account("alice")
        home.ok("enclave", "keygen")

        without_key = home.error("attest", "fetch", "--provider", "simulated", "--url", intel)
        home.ok("attest", "fetch", "--url", intel, "--api-key-file", str(key))
        through_proxy = home.ok("attest", "fetch", "--provider", "ias", "--url", proxy)

    assert (without_key[0], without_key[1]["code"]) == (3, "service-refused")
    assert through_proxy["provider"] == "ias"
    assert Path(through_proxy["path"]).exists()
