"""The same application under an unmodified CometBFT, and CometBFT's judgement of our engine."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.app.genesis import GenesisDocument
from tests.e2e.cometbft import ask, cometbft, light_client, processes_of, wait_until_ended
from tests.e2e.cometbft_network import ANY_PORT, CHAIN_ID, Network, bootstrapped

pytestmark = pytest.mark.e2e

EXCHANGE_KEY = b"\x02NodeExchMasterKey"  # protocol.md section 9, store register


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with bootstrapped(tmp_path) as made:
        yield made


def quickstart(folder: Path) -> dict[str, Any]:
    ran = subprocess.run(
        (
            sys.executable, "-m", "enigmacli", "quickstart", "--keep", str(folder),
            "--engine", "cometbft", "--cometbft", cometbft(), "-o", "json",
        ),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def test_the_whole_story_happens_on_cometbft_and_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    story = quickstart(folder)

    again = quickstart(folder)

    assert story["height"] >= 3
    assert (again["node_id"], again["app_hash"]) == (story["node_id"], story["app_hash"])
    assert again["height"] >= story["height"]  # an idle chain may not have made a block since
    assert processes_of(folder / "first") == []
    stored = folder / "first" / "cometbft" / "config" / "priv_validator_key.json"
    assert stored.stat().st_mode & 0o077 == 0


def test_kill_9_of_either_process_ends_the_other_and_loses_nothing(network: Network) -> None:
    engine = ("--engine", "cometbft")
    with network.node(*engine) as (node, url):
        sent = network.home.ok(
            "tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", url
        )
        node.wait_for("block", height=sent["height"])
        node.end(signal.SIGKILL)
    wait_until_ended(network.home.path)

    with network.node(*engine) as (node, url):
        found = network.home.ok("query", "tx", sent["tx_hash"], "--node", url)
        (child,) = processes_of(network.home.path)
        os.kill(child, signal.SIGKILL)
        code = node.process.wait(timeout=30)
        error = json.loads(node.log.with_suffix(".err").read_text().splitlines()[-1])["error"]

    with network.node(*engine) as (node, url):
        more = network.home.ok(
            "tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", url
        )
        ended = node.end()

    assert found["height"] == sent["height"]
    assert (code, error["code"]) == (3, "engine-stopped")
    assert more["height"] > sent["height"]
    assert ended == 0
    assert node.events()[-1] == {"event": "stopped"}
    assert processes_of(network.home.path) == []


@pytest.mark.parametrize("engine", ["cometbft", "embedded"])
def test_cometbfts_light_client_verifies_the_chain_and_a_value_of_the_store(
    network: Network, tmp_path: Path, engine: str
) -> None:
    with network.node("--engine", engine, "--empty-blocks-interval", "0.5") as (node, url):
        node.wait_for("block", height=3)
        with light_client(url, CHAIN_ID, tmp_path) as verified:
            header = ask(verified, "commit", height="3")["result"]["signed_header"]["header"]
            found = ask(
                verified, "abci_query", path='"/store/register/key"',
                data=f"0x{EXCHANGE_KEY.hex()}", prove="true",
            )["result"]["response"]  # fmt: skip
        plain = ask(url, "commit", height="3")["result"]["signed_header"]["header"]
    genesis = (network.home.path / "config" / "genesis.json").read_bytes()
    keys = GenesisDocument.parse(genesis).app_state.keys

    assert header == plain
    assert base64.b64decode(found["key"]) == EXCHANGE_KEY
    assert found["proofOps"]["ops"]
    assert keys is not None
    assert base64.b64decode(found["value"]) == b"\x0a\x20" + keys.exchange_pk  # MasterKey


def test_without_a_seed_or_with_a_busy_port_no_chain_starts(network: Network) -> None:
    stranger = network.stranger("stranger")
    options = ("start", "--engine", "cometbft", "--cometbft", cometbft(), "--p2p-listen", ANY_PORT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        busy = stranger.error(*options, "--rpc-listen", address)
    seedless = stranger.error(*options, "--rpc-listen", ANY_PORT)

    assert (busy[0], busy[1]["code"]) == (3, "port-busy")
    assert (seedless[0], seedless[1]["code"]) == (3, "seed-missing")
    assert processes_of(stranger.path) == []


def test_a_home_keeps_the_engine_that_made_its_blocks(network: Network) -> None:
    with network.node() as (node, _):
        node.wait_for("block", height=1)
        node.end()

    code, error = network.home.error(
        "start", "--engine", "cometbft", "--cometbft", cometbft(), "--rpc-listen", ANY_PORT
    )

    assert (code, error["code"]) == (3, "config")
    assert "--engine embedded" in error["hint"]
