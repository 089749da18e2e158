"""``localnet up`` again: after a kill -9 of itself, and where everything runs; and ``down``."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigmacli.localnet.ports import free_addresses
from tests.e2e.localnet import LocalNetwork
from tests.e2e.story_processes import ProgramHome
from tests.e2e.test_quickstart import wait_until_none_is_left

pytestmark = pytest.mark.e2e

NAMES = ("node1", "node2")


@pytest.fixture
def net(tmp_path: Path) -> Iterator[LocalNetwork]:
    """A folder in which a network may be made; nothing of it runs afterwards."""
    network = LocalNetwork(tmp_path / "net")
    yield network
    network.command("down")
    wait_until_none_is_left(network.folder)


def kill_up_at(net: LocalNetwork, words: str) -> None:
    """Begin ``up``, and kill it -9 as soon as it says ``words``."""
    with subprocess.Popen(
        (sys.executable, "-m", "enigmacli", "localnet", "up", "-n", "2", "--dir", str(net.folder),
         "--block-interval", "0.2"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as begun:  # fmt: skip
        assert begun.stderr is not None
        for line in begun.stderr:
            if words in line:
                break
        begun.kill()


def test_up_goes_on_where_a_killed_one_stopped(net: LocalNetwork) -> None:
    kill_up_at(net, "enclave keygen")

    made = net.command("up")
    node_id = ProgramHome(net.home("node2").path).ok("seed", "status")["node_id"]
    again = net.command("up")
    net.wait_for_blocks(NAMES, 1)
    net.app_hash(NAMES)

    assert [one["name"] for one in made["nodes"]] == list(NAMES)
    assert [one["pid"] for one in again["nodes"]] == [one["pid"] for one in made["nodes"]]
    assert again["intel"] == made["intel"]
    assert ProgramHome(net.home("node2").path).ok("seed", "status")["node_id"] == node_id
    assert len([event for event in net.events("node1") if event["event"] == "listening"]) == 1


def test_addresses_are_below_those_of_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    ports = [int(one.rpartition(":")[2]) for one in free_addresses(50)]

    assert len(set(ports)) == 50
    assert max(ports) < first
