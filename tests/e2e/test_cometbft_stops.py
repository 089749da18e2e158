"""Waiting for the seed and being interrupted, with CometBFT as the engine."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.cometbft import processes_of
from tests.e2e.cometbft_network import Network, bootstrapped
from tests.e2e.story_processes import ProgramHome, Running
from tests.faults.killing import Tree

pytestmark = pytest.mark.e2e

ENGINE = ("--engine", "cometbft")
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with bootstrapped(tmp_path_factory.mktemp("network")) as made:
        yield made


def newcomer(network: Network, url: str) -> ProgramHome:
    """A home with coins, a registration key and evidence."""
    home = network.stranger("newcomer")
    address = home.account("bob")
    network.home.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y", "--node", url)
    home.ok("enclave", "keygen")
    home.ok("attest", "fetch", "--url", network.intel)
    return home


def wait_for_cometbft(home: Path, node: Running) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not processes_of(home):
        assert node.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)


def interrupt_from_terminal(node: Running) -> int:
    """Signal everybody whom Ctrl-C reaches, not the node alone; its exit code."""
    terminal = os.getpgid(node.process.pid)
    for pid in Tree.below(node.process.pid).members:
        with suppress(ProcessLookupError):
            if os.getpgid(pid) == terminal:
                os.kill(pid, signal.SIGINT)
    return node.process.wait(PATIENCE_S)


def test_an_interrupted_node_ends_in_order_and_starts_again(network: Network) -> None:
    with network.starting(network.home, *ENGINE) as node:
        wait_for_cometbft(network.home.path, node)
        at_start = node.end(signal.SIGINT)
    left_at_start = processes_of(network.home.path)
    with network.node(*ENGINE) as (node, _):
        height = node.wait_for("block")["height"]
        while_running = interrupt_from_terminal(node)
    left_while_running = processes_of(network.home.path)

    with network.node(*ENGINE) as (again, _):
        again.wait_for("block", height=height + 1)

    assert (at_start, left_at_start) == (130, [])
    assert (while_running, left_while_running) == (130, [])
    assert node.events()[-1] == {"event": "stopped"}


def test_a_node_that_waits_for_its_seed_may_be_interrupted_and_goes_on_once_it_is_there(
    network: Network,
) -> None:
    with network.node(*ENGINE) as (_, url):
        bob = newcomer(network, url)
        wait = (*ENGINE, "--wait-for-seed", "--node", url)
        with network.starting(bob, *wait) as node:
            node.wait_for("waiting_for_seed")
            interrupted = interrupt_from_terminal(node)
        left_interrupted = processes_of(bob.path)
        with network.starting(bob, *wait) as node:
            node.wait_for("waiting_for_seed")
            evidence = str(bob.path / "attestation_cert.der")
            bob.ok("tx", "register", "auth", evidence, "-y", "--node", url)
            node.wait_for("seed_ready")
            wait_for_cometbft(bob.path, node)
            ended = node.end()

    assert (interrupted, left_interrupted) == (130, [])
    assert (ended, processes_of(bob.path)) == (0, [])
    assert bob.ok("seed", "status")["matches_genesis"] is True
