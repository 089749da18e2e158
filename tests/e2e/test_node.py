"""Real nodes as processes: a producing node, a follower, their ends and their restarts."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from enigmacli.child import Child, run_command

pytestmark = pytest.mark.e2e

ANY_PORT = "127.0.0.1:0"
TEST_KEYS = ("--keyring-backend", "test")
WAIT_S = 60


class NodeProcess:
    """``enigmacli start`` with its events, one JSON document a line."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.log = home / "events.log"
        self.errors = home / "errors.log"
        with self.log.open("wb") as out, self.errors.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "enigmacli", "start", "--home", str(home),
                    "--rpc-listen", ANY_PORT, "-o", "json", *arguments,
                ],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        documents = [json.loads(line) for line in lines if line.endswith("}")]
        return [document for document in documents if document.get("event") == name]

    def wait_for(self, name: str, **values: Any) -> dict[str, Any]:
        """The first event of that name with these values; the process must live meanwhile."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for event in self.events(name):
                if event.items() >= values.items():
                    return event
            assert self.process.poll() is None, self.errors.read_text()
            time.sleep(0.05)
        raise AssertionError(f"no {name} {values} in {self.log.read_text()}")

    @property
    def url(self) -> str:
        return str(self.wait_for("listening")["rpc"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code, and no child left behind."""
        children = child_pids(self.process.pid)
        self.process.send_signal(number)
        code = self.process.wait(WAIT_S)
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
        return code


def child_pids(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


@dataclass
class Network:
    """A simulated Intel and a home that is bootstrapped."""

    folder: Path
    intel: str

    @property
    def first(self) -> Path:
        return self.folder / "first"

    def run(self, home: Path, *arguments: str) -> dict[str, Any]:
        return run_command(*arguments, "--home", str(home))

    def start_first(self, *arguments: str) -> NodeProcess:
        return NodeProcess(
            self.first, "--block-interval", "0.2", "--empty-blocks-interval", "0.5", *arguments
        )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    listen = ("--listen", ANY_PORT, "--state", str(folder / "intel"))
    with Child("intel", ("ias", "serve", *listen), folder / "logs") as child:
        made = Network(folder, str(child.listening()["url"]))
        made.run(
            made.first, "init", "first", "--simulated", "--chain-id", "e2e-node",
            "--ias-root", made.intel,
        )  # fmt: skip
        address = made.run(made.first, "keys", "add", "first", *TEST_KEYS)["address"]
        made.run(made.first, "genesis", "add-account", address, "1000000000uscrt")
        made.run(made.first, "bootstrap", "--url", made.intel, *TEST_KEYS)
        yield made


@pytest.fixture
def first(network: Network) -> Iterator[NodeProcess]:
    node = network.start_first()
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.stop()


@dataclass
class SecondHome:
    """A home that registered while its node waited for the seed."""

    home: Path
    waiting: tuple[str, ...]
    """The events of that node, from its start to its end."""


@pytest.fixture(scope="module")
def second(network: Network) -> SecondHome:
    home = network.folder / "second"
    first = network.start_first()
    try:
        genesis = network.first / "config" / "genesis.json"
        network.run(home, "init", "second", "--genesis", str(genesis))
        network.run(home, "enclave", "keygen")
        waiting = NodeProcess(home, "--follow", first.url, "--wait-for-seed", "--node", first.url)
        waiting.wait_for("waiting_for_seed")
        register(network, home, first.url)
        waiting.wait_for("caught_up")
        assert waiting.stop() == 0
    finally:
        first.stop()
    lines = waiting.log.read_text().splitlines()  # now: the home's next node begins a new log
    return SecondHome(home, tuple(json.loads(line)["event"] for line in lines))


def register(network: Network, home: Path, url: str) -> None:
    """Fund an account of ``home``, fetch evidence and send it."""
    address = network.run(home, "keys", "add", "second", *TEST_KEYS)["address"]
    gift = ("tx", "bank", "send", "first", address, "10000000uscrt")
    network.run(network.first, *gift, "--node", url, "-y", *TEST_KEYS)
    service = ("--provider", "simulated", "--url", network.intel)
    network.run(home, "attest", "fetch", *service, *TEST_KEYS)
    evidence = str(home / "attestation_cert.der")
    network.run(home, "tx", "register", "auth", evidence, "--node", url, "-y", *TEST_KEYS)


def rpc(url: str, method: str, **params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    with httpx.Client(trust_env=False) as client:
        return client.post(url, json=request, timeout=20).json()


def height(url: str) -> int:
    return int(rpc(url, "status")["result"]["sync_info"]["latest_block_height"])


def test_a_node_serves_and_ends_cleanly_on_sigterm(first: NodeProcess) -> None:
    first.wait_for("block")

    assert height(first.url) >= 1
    assert first.stop() == 0
    assert first.events("stopped")
    assert first.errors.read_text().count("Traceback") == 0


def test_a_node_that_is_interrupted_ends_its_enclaves(first: NodeProcess) -> None:
    first.wait_for("block")
    assert child_pids(first.process.pid)

    assert first.stop(signal.SIGINT) == 130


def test_a_restarted_node_goes_on_where_it_stopped(network: Network, first: NodeProcess) -> None:
    first.wait_for("block")
    first.stop()
    last = first.events("block")[-1]

    again = network.start_first()
    try:
        ready = again.wait_for("chain_ready")
        following = again.wait_for("block")
    finally:
        again.stop()

    assert (ready["height"], ready["app_hash"]) == (last["height"], last["app_hash"])
    assert following["height"] == last["height"] + 1


def test_a_killed_node_recovers(network: Network, first: NodeProcess) -> None:
    first.wait_for("block")
    first.process.kill()
    first.process.wait(WAIT_S)
    before = first.events("block")[-1]["height"]

    again = network.start_first()
    try:
        assert again.wait_for("block")["height"] > before
    finally:
        assert again.stop() == 0


def test_a_busy_port_is_refused_with_a_hint(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        node = network.start_first("--rpc-listen", f"127.0.0.1:{port}")
        code = node.process.wait(WAIT_S)

    error = json.loads(node.errors.read_text().splitlines()[-1])["error"]
    assert code == 3
    assert error["code"] == "port-busy"
    assert "port 0" in error["hint"]


def test_a_second_node_on_the_same_home_is_refused(network: Network, first: NodeProcess) -> None:
    first.wait_for("block")

    command = [sys.executable, "-m", "enigmacli", "start", "--home", str(network.first)]
    done = subprocess.run(
        [*command, "--rpc-listen", ANY_PORT], capture_output=True, timeout=WAIT_S, check=False
    )

    assert done.returncode == 3


def test_malformed_http_requests_get_json_rpc_errors(first: NodeProcess) -> None:
    with httpx.Client(base_url=first.url, trust_env=False) as client:
        nonsense = client.post("/", content=b"{")
        large = client.post("/", content=b"x" * 1_000_001)
        batch = client.post("/", json=[{"id": 1, "method": "health"}] * 11)
        uri = client.get("/block", params={"height": "-5"})
        unknown = client.get("/unknown")
        listed = client.get("/")
        quoted = client.get("/abci_query", params={"path": '"/store/register/key"', "data": "0x01"})

    assert (nonsense.status_code, nonsense.json()["error"]["code"]) == (500, -32700)
    assert (large.status_code, large.json()["error"]["code"]) == (400, -32600)
    assert (batch.status_code, batch.json()["error"]["code"]) == (200, -32600)
    assert (uri.status_code, uri.json()["id"], uri.json()["error"]["code"]) == (500, -1, -32603)
    assert unknown.status_code == 404
    assert "/status" in listed.text
    assert quoted.status_code == 200
    assert first.process.poll() is None


def test_a_node_without_a_seed_is_refused_at_the_gate(network: Network) -> None:
    home = network.folder / "unregistered"
    genesis = network.first / "config" / "genesis.json"
    network.run(home, "init", "unregistered", "--genesis", str(genesis))
    network.run(home, "enclave", "keygen")

    node = NodeProcess(home, "--follow", "http://127.0.0.1:9")

    assert node.process.wait(WAIT_S) == 3
    assert json.loads(node.errors.read_text().splitlines()[-1])["error"]["code"] == "seed-missing"


def test_a_waiting_node_starts_as_soon_as_it_is_admitted(second: SecondHome) -> None:
    names = second.waiting

    assert names[0] == "waiting_for_seed"
    assert names.index("seed_ready") < names.index("chain_ready") < names.index("listening")
    assert names[-1] == "stopped"


def test_a_follower_keeps_up_forwards_and_survives_the_loss_of_its_source(
    network: Network, second: SecondHome
) -> None:
    first = network.start_first()
    follower = NodeProcess(second.home, "--follow", first.url)
    port = first.url.rpartition(":")[2]
    try:
        caught_up = follower.wait_for("caught_up")
        first.wait_for("block", height=caught_up["height"] + 2)
        seen = follower.wait_for("block", height=caught_up["height"] + 2)
        made = first.wait_for("block", height=caught_up["height"] + 2)
        assert (seen["block_hash"], seen["app_hash"]) == (made["block_hash"], made["app_hash"])

        answer = rpc(follower.url, "broadcast_tx_sync", tx="AQID")
        assert answer["result"]["code"] == rpc(first.url, "check_tx", tx="AQID")["result"]["code"]

        first.stop()
        follower.wait_for("source_lost")
        assert rpc(follower.url, "status")["result"]["sync_info"]["catching_up"] is True
        first = network.start_first("--rpc-listen", f"127.0.0.1:{port}")
        follower.wait_for("source_back")
        reached = first.wait_for("block", height=made["height"] + 4)["height"]
        follower.wait_for("block", height=reached)

        assert follower.stop() == 0
        follower = NodeProcess(second.home, "--follow", first.url)
        assert follower.wait_for("chain_ready")["height"] >= reached
        follower.wait_for("caught_up")
    finally:
        for node in (follower, first):
            if node.process.poll() is None:
                node.stop()


def test_no_environment_of_a_node_reaches_its_enclave(first: NodeProcess) -> None:
    first.wait_for("block")

    environments = [
        Path(f"/proc/{pid}/environ").read_bytes() for pid in child_pids(first.process.pid)
    ]

    assert environments
    assert all(b"HOME=" + os.environb.get(b"HOME", b"?") not in one for one in environments)
