"""A CometBFT that the operator runs: the node serves it, writes nothing of it, and outlives it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enigmacli.engine.cometbft_process import real_address
from tests.e2e.cometbft import PATIENCE_S, ask, cometbft
from tests.e2e.cometbft_network import ANY_PORT, bootstrapped
from tests.e2e.story_processes import ProgramHome, running

pytestmark = pytest.mark.e2e


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ProgramHome]:
    """A bootstrapped home, not running."""
    with bootstrapped(tmp_path) as network:
        yield network.home


@contextmanager
def operators_cometbft(folder: Path, home: ProgramHome, address: str) -> Iterator[str]:
    """CometBFT as an operator runs it, with a home of its own; its JSON-RPC's URL."""
    environment = {"HOME": str(folder), "PATH": os.defpath}
    if not folder.exists():
        subprocess.run(
            (cometbft(), "init", "--home", str(folder)),
            check=True, capture_output=True, env=environment,
        )  # fmt: skip
        for name in ("genesis.json", "priv_validator_key.json"):
            shutil.copy(home.path / "config" / name, folder / "config" / name)
    rpc = real_address(ANY_PORT)
    process = subprocess.Popen(
        (cometbft(), "start", "--home", str(folder), "--proxy_app", address,
         "--rpc.laddr", f"tcp://{rpc}", "--p2p.laddr", f"tcp://{real_address(ANY_PORT)}"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    try:
        yield f"http://{rpc}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def height(url: str) -> int:
    try:
        told = ask(url, "status")
    except OSError:
        return 0
    return int(told["result"]["sync_info"]["latest_block_height"])


def wait_for_height(url: str, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while height(url) < wanted:
        assert time.monotonic() < deadline, f"no height {wanted} at {url}"
        time.sleep(0.05)


def test_the_node_outlives_a_cometbft_that_somebody_else_runs(
    home: ProgramHome, tmp_path: Path
) -> None:
    options = ("--engine", "cometbft", "--comet-external", "--cometbft", "/none")
    with running(home, "start", *options) as node:
        address = str(node.wait_for("abci_listening")["address"])
        with operators_cometbft(tmp_path / "own", home, address) as url:
            wait_for_height(url, 1)
            sent = home.ok("tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", url)
        with operators_cometbft(tmp_path / "own", home, address) as url:
            wait_for_height(url, sent["height"] + 2)
            found = home.ok("query", "tx", sent["tx_hash"], "--node", url)
        second = home.error("start", *options)
        ended = node.end()

    assert address == f"unix://{home.path}/data/abci.sock"
    assert found["height"] == sent["height"]
    assert (second[0], second[1]["code"]) == (3, "home-busy")
    assert ended == 0
    assert not (home.path / "cometbft").exists()
    blocks = [event["height"] for event in node.events() if event["event"] == "block"]
    assert blocks == sorted(set(blocks))


def test_an_address_that_others_may_reach_is_warned_of(home: ProgramHome) -> None:
    port = real_address("0.0.0.0:0").rpartition(":")[2]

    with running(
        home, "start", "--engine", "cometbft", "--comet-external",
        "--abci-listen", f"tcp://0.0.0.0:{port}",
    ) as node:  # fmt: skip
        node.wait_for("abci_listening")
        said = node.log.with_suffix(".err").read_text()

    assert any("ABCI" in json.loads(line)["warning"]["message"] for line in said.splitlines())
