"""The peer's way to a network, word by word in the peer's names (``scripts/peer/``)."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from enigmacli.localnet.ports import free_addresses
from tests.e2e.cometbft import cometbft
from tests.e2e.peer_script import PeerScript, surroundings
from tests.e2e.story_processes import ProgramHome, running

pytestmark = pytest.mark.e2e

BLOCK = r"^block {height}  transactions \d+  app hash (\w+)$"


@dataclass
class Story:
    """A bootstrap script and a node script, not started yet."""

    bootstrap: PeerScript
    node: PeerScript
    url: str

    def give_coins(self) -> None:
        """Do what the node script waits for."""
        address = self.node.wait_for(r"waiting for coins: (\w+)")[1]
        self.bootstrap.run(
            "tx", "bank", "send", "a", address, "10000000uscrt", "-y", "--node", self.url
        )

    def block_hash(self, height: int) -> str:
        return self.bootstrap.wait_for(BLOCK.format(height=height))[1]


@contextmanager
def story(folder: Path, **named: str) -> Iterator[Story]:
    rpc, *others = free_addresses(4)
    with ExitStack() as processes:
        service = processes.enter_context(
            running(ProgramHome(folder / "intel"), "ias", "serve", "--listen", "127.0.0.1:0")
        )
        environment = surroundings(
            INTEL_URL=str(service.wait_for("listening")["url"]),
            BOOTSTRAP_RPC=f"http://{rpc}",
            ENIGMA_NODE_BLOCK_INTERVAL_S="0.2",
            **named,
        )
        addresses = [f"tcp://{address}" for address in (rpc, *others)]
        first = {"RPC_LADDR": addresses[0], "P2P_LADDR": addresses[1]}
        second = {"RPC_LADDR": addresses[2], "P2P_LADDR": addresses[3]}
        bootstrap = PeerScript("bootstrap.sh", folder / "bootstrap", environment | first)
        node = PeerScript("node.sh", folder / "node", environment | second)
        processes.callback(bootstrap.kill)
        processes.callback(node.kill)
        yield Story(bootstrap, node, f"http://{rpc}")


def test_a_node_joins_under_the_peers_names_and_after_kills(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        bootstrap, node = told.bootstrap, told.node
        bootstrap.start()
        node.start()
        told.give_coins()
        node.wait_for("^included at height")
        node.kill()
        node.start()
        bootstrap.kill()
        bootstrap.start()

        node_id = node.wait_for(r"^public key: (\w{64})$")[1]
        node.wait_for(f"^node {node_id} is registered since height .* nothing was sent$")
        caught_up = node.wait_for(r"^caught up at height (\d+)  app hash (\w+)$")
        height = int(caught_up[1]) + 1
        assert node.wait_for(BLOCK.format(height=height))[1] == told.block_hash(height)
        known = json.loads(
            bootstrap.run("q", "register", "nodes", "--node", told.url, "-o", "json")
        )
        assert [one["node_id"] for one in known["nodes"]] == [node_id]
        node.kill(signal.SIGTERM)
        assert node.said().endswith("stopped")

    evidence = (node.folder / "attestation_cert.der").read_bytes()
    assert evidence == (node.folder / "attestation_combined.bin").read_bytes()
    assert evidence == (node.home / "attestation_cert.der").read_bytes()
    for name in ("node-master-key.txt", "io-master-key.txt"):
        key = (node.folder / name).read_bytes()
        assert (len(key), key) == (44, (bootstrap.folder / name).read_bytes())


def test_a_node_connects_by_p2p_under_the_peers_names(tmp_path: Path) -> None:
    engine = {"ENGINE": "cometbft", "ENIGMA_COMETBFT_PATH": cometbft()}
    with story(tmp_path, ENIGMA_P2P_ONE_MACHINE="true", **engine) as told:
        told.bootstrap.start()
        told.bootstrap.wait_for("^block 2 ")
        peer = httpx.get(f"{told.url}/status").json()["result"]["node_info"]
        address = told.bootstrap.environment["P2P_LADDR"].removeprefix("tcp://")
        told.node.start(PERSISTENT_PEERS=f"{peer['id']}@{address}")
        told.give_coins()

        height = int(told.node.wait_for(r"^block (\d+) ")[1])
        synced = told.node.wait_for(BLOCK.format(height=height))[1]

        assert synced == told.block_hash(height)
