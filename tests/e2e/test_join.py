"""``join`` with real processes: a local network, its faucet, interruptions, refusals, receipts."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

import enclave
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.localnet.faucet import AMOUNT, PATH
from tests.e2e.localnet import LocalNetwork
from tests.e2e.story_processes import ProgramHome, running
from tests.e2e.test_quickstart import wait_until_none_is_left

pytestmark = pytest.mark.e2e

_NUMBERS = count(1)
ONE_SCREEN = 24


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    network = LocalNetwork(tmp_path_factory.mktemp("join") / "net")
    network.command("up", "-n", "1", "--block-interval", "0.2")
    yield network
    ended = network.command("down")["ended"]
    wait_until_none_is_left(network.folder)
    assert ended == dict.fromkeys(("faucet", "node1", "intel"), "stopped")


@pytest.fixture
def home(net: LocalNetwork) -> ProgramHome:
    """A folder that does not exist yet."""
    return ProgramHome(net.folder.parent / f"home-{next(_NUMBERS)}")


def join(net: LocalNetwork, *options: str) -> tuple[str, ...]:
    return ("join", "--localnet", str(net.folder), *options)


def by_hand(net: LocalNetwork, *options: str) -> tuple[str, ...]:
    """Without the local network's folder, and so without its faucet."""
    return ("join", "--genesis", str(net.genesis_file), "--node", net.urls["node1"],
            "--url", net.command("status")["intel"]["url"], "--keyring-backend", "test",
            *options)  # fmt: skip


def check_one_registration_and_fee(net: LocalNetwork, told: dict[str, Any]) -> None:
    with RpcClient(net.urls["node1"]) as node:
        held = Queries(node).balance(told["address"], "uscrt")
        made = sum(
            ("node_id", f"0x{told['node_id']}")
            in {(one.key, one.value) for event in result.events for one in event.attributes}
            for height in range(1, node.status().latest_block_height + 1)
            for result in node.block_results(height).tx_results
        )
    assert AMOUNT - held == int(told["fee"].removesuffix("uscrt"))
    assert made == 1


def test_one_command_from_an_empty_home_to_a_syncing_node(
    net: LocalNetwork, home: ProgramHome
) -> None:
    home.path.parent.mkdir(exist_ok=True)
    with running(home, *join(net, "--start", "--rpc-listen", "127.0.0.1:0")) as node:
        joined = node.wait_for("joined")
        node.wait_for("caught_up")
        assert node.end(signal.SIGINT) == 130

    assert joined["state"] == "seeded"
    check_one_registration_and_fee(net, joined)


def test_a_receipt_is_checked_elsewhere_and_a_tampered_one_refused(
    net: LocalNetwork, home: ProgramHome, tmp_path: Path
) -> None:
    told = home.ok(*join(net))
    elsewhere = ProgramHome(tmp_path / "elsewhere")
    genesis = ("--genesis", str(net.genesis_file))

    verified = elsewhere.ok("receipt", "verify", told["receipt"], *genesis)
    tampered = tmp_path / "tampered.json"
    tampered.write_text(
        Path(told["receipt"]).read_text().replace(told["node_id"], "00" * 32)
    )  # fmt: skip
    code, error = elsewhere.error("receipt", "verify", str(tampered), *genesis)
    header = verified["headers"][-2]
    trusted = elsewhere.ok(
        "receipt", "verify", told["receipt"], "--trust-height", str(header["height"]),
        "--trust-hash", header["hash"],
    )  # fmt: skip

    assert (verified["node_id"], verified["height"]) == (told["node_id"], told["height"])
    assert (code, error["code"]) == (5, "untrusted-answer")
    assert (trusted["judged"], trusted["trusted_from"]) == (False, f"header {told['height']}")


def end_at(home: ProgramHome, line: tuple[str, ...], words: str, number: int) -> int:
    """Begin, and send a signal as soon as it says ``words``; the exit code."""
    with subprocess.Popen(
        (sys.executable, "-m", "enigmacli", "--home", str(home.path), *line),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as begun:  # fmt: skip
        assert begun.stderr is not None
        for said in begun.stderr:
            if words in said:
                begun.send_signal(number)
                break
        begun.stderr.read()
        return begun.wait(60)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("  account", signal.SIGKILL),
        ("funds:", signal.SIGKILL),
        ("register:", signal.SIGINT),
        ("register:", signal.SIGKILL),
        ("unseal:", signal.SIGKILL),
        ("receipt:", signal.SIGINT),
    ],
)
def test_an_interrupted_join_goes_on_and_pays_once(
    net: LocalNetwork, home: ProgramHome, words: str, number: int
) -> None:
    code = end_at(home, join(net), words, number)

    told = home.ok(*join(net))

    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert told["state"] == "seeded"
    check_one_registration_and_fee(net, told)


def test_without_coins_it_says_in_one_screen_what_to_do(
    net: LocalNetwork, home: ProgramHome
) -> None:
    rehearsal = home.ok(*by_hand(net, "--dry-run"))

    ran = home(*by_hand(net, "--wait", "0.5"))

    assert ran.returncode == 9
    assert len(ran.stderr.splitlines()) < ONE_SCREEN
    hint = ran.stderr.splitlines()[-1]
    assert rehearsal["address"] in hint
    assert rehearsal["fee"] == rehearsal["short"]
    assert f"{rehearsal['address']} {rehearsal['fee']}" in hint


def test_code_that_is_not_allowed_is_told_so_in_one_screen(
    net: LocalNetwork, home: ProgramHome, tmp_path: Path
) -> None:
    package = tmp_path / "trusted"
    shutil.copytree(Path(enclave.__file__).parent, package / "enclave",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    with (package / "enclave" / "__init__.py").open("a") as file:
        file.write("#")
    home.ok("init", "changed", "--genesis", str(net.genesis_file))
    home.ok("config", "set", "enclave.path", str(package))

    ran = home(*join(net))

    assert ran.returncode == 6
    assert len(ran.stderr.splitlines()) < ONE_SCREEN
    assert "hint:" in ran.stderr
    assert not re.search("register: |funds: ", ran.stderr)


def test_the_faucet_gives_once_and_survives_nonsense(net: LocalNetwork, home: ProgramHome) -> None:
    url = net.command("status")["faucet"]["url"]
    home.ok("init", "poor", "--genesis", str(net.genesis_file))
    address = home.ok("keys", "add", "poor", "--keyring-backend", "test")["address"]

    about = httpx.get(url, trust_env=False)
    nonsense = httpx.post(f"{url}{PATH}", content=b"\x00" * 100, trust_env=False)
    first, second = (
        httpx.post(f"{url}{PATH}", json={"address": address}, trust_env=False, timeout=30)
        for _ in range(2)
    )

    assert about.json()["simulation"] is True
    assert nonsense.status_code == 400
    assert (first.json()["given"], second.json()["given"]) == (True, False)
    with RpcClient(net.urls["node1"]) as node:
        assert Queries(node).balance(address, "uscrt") == AMOUNT


def test_a_killed_faucet_comes_back(net: LocalNetwork) -> None:
    before = net.command("status")["faucet"]
    net.command("kill", "faucet")

    after = net.command("restart", "faucet")["faucet"]

    assert after["url"] == before["url"]
    assert after["pid"] not in (None, before["pid"])
    assert json.loads(httpx.get(after["url"], trust_env=False).text)["chain_id"]
