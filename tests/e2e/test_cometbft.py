"""The same application under an unmodified CometBFT, and CometBFT's judgement of our engine."""

import asyncio
import base64
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from enigmacli.app.genesis import GenesisDocument
from tests.e2e.cometbft import (
    PATIENCE_S,
    ask,
    cometbft,
    light_client,
    processes_of,
    second_cometbft,
    wait_until_ended,
)
from tests.e2e.cometbft_network import ANY_PORT, CHAIN_ID, Network, bootstrapped
from tests.e2e.story_processes import ProgramHome, running

pytestmark = pytest.mark.e2e

EXCHANGE_KEY = b"\x02NodeExchMasterKey"  # protocol.md section 9, store register


LINES = {"first line": cometbft, "second line": second_cometbft}
on_both_lines = pytest.mark.parametrize("program", LINES, indirect=True)


@pytest.fixture
def program(request: pytest.FixtureRequest) -> str:
    """CometBFT: of the first line, unless the test asks for both."""
    return LINES[getattr(request, "param", "first line")]()


@pytest.fixture
def network(tmp_path: Path, program: str) -> Iterator[Network]:
    with bootstrapped(tmp_path, program) as made:
        yield made


def registrations(home: ProgramHome, program: str, node_id: str) -> list[dict[str, Any]]:
    """What a client finds when it looks for the registrations of a node by their events."""
    query = f"message.module='register' AND message.node_id='0x{node_id}'"
    with running(
        home, "start", "--engine", "cometbft", "--cometbft", program,
        "--rpc-listen", ANY_PORT, "--p2p-listen", ANY_PORT,
    ) as node:  # fmt: skip
        url = str(node.wait_for("listening")["rpc"])
        answer = ask(url, "tx_search", query=f'"{query}"')["result"]
    assert answer["total_count"] == str(len(answer["txs"]))
    found: list[dict[str, Any]] = answer["txs"]
    return found


async def hear_one(url: str, query: str, act: Callable[[], dict[str, Any]]) -> tuple[Any, Any]:
    """What ``act`` gives, and the first event of a subscription that is told meanwhile."""
    subscribe = {"jsonrpc": "2.0", "id": 7, "method": "subscribe", "params": {"query": query}}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session,
        session.ws_connect(f"{url}/websocket") as client,
    ):
        await client.send_json(subscribe)
        assert (await client.receive_json())["result"] == {}
        done = await asyncio.to_thread(act)
        return done, (await client.receive_json())["result"]


def quickstart(folder: Path, program: str) -> dict[str, Any]:
    ran = subprocess.run(
        (
            sys.executable, "-m", "enigmacli", "quickstart", "--keep", str(folder),
            "--engine", "cometbft", "--cometbft", program, "-o", "json",
        ),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


@on_both_lines
def test_the_whole_story_happens_on_cometbft_and_is_resumed(tmp_path: Path, program: str) -> None:
    folder = tmp_path / "kept"
    story = quickstart(folder, program)

    again = quickstart(folder, program)
    registered = registrations(ProgramHome(folder / "first"), program, story["node_id"])

    assert story["height"] >= 3
    assert (again["node_id"], again["app_hash"]) == (story["node_id"], story["app_hash"])
    # sent once: the second run found the node registered
    assert [one["tx_result"]["code"] for one in registered] == [0]
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


def test_a_killed_node_goes_on_under_the_other_line_and_back(network: Network) -> None:
    other = dataclasses.replace(network, program=second_cometbft())
    heights: list[int] = []
    for one, number in (
        (network, signal.SIGKILL),
        (other, signal.SIGTERM),
        (network, signal.SIGTERM),
    ):
        with one.node("--engine", "cometbft") as (node, url):
            sent = network.home.ok(
                "tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", url
            )
            heights.append(sent["height"])
            node.wait_for("block", height=sent["height"] + 1)
            node.end(number)
        wait_until_ended(network.home.path)

    assert heights == sorted(set(heights))


@pytest.mark.parametrize(
    ("engine", "program"),
    [("cometbft", "first line"), ("embedded", "first line"), ("cometbft", "second line")],
    indirect=["program"],
)
def test_cometbfts_light_client_verifies_the_chain_and_a_value_of_the_store(
    network: Network, tmp_path: Path, engine: str
) -> None:
    with network.node("--engine", engine, "--empty-blocks-interval", "0.5") as (node, url):
        node.wait_for("block", height=3)
        with light_client(network.program, url, CHAIN_ID, tmp_path) as verified:
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


def test_clients_hear_of_transactions_by_their_events(network: Network) -> None:
    home = network.home
    address = str(home.ok("keys", "show", "alice")["address"])
    with network.node("--engine", "cometbft") as (_, url):
        send = ("tx", "bank", "send", "alice", "alice", "3uscrt", "-y", "--node", url)
        sent, told = asyncio.run(
            hear_one(
                url,
                f"tm.event='Tx' AND transfer.sender='{address}' AND transfer.amount='3uscrt'",
                lambda: home.ok(*send),
            )
        )

    assert told["events"]["tx.hash"] == [sent["tx_hash"]]
    assert told["events"]["tx.height"] == [str(sent["height"])]
    assert told["events"]["transfer.recipient"] == [address]


def test_without_a_seed_or_with_a_busy_port_no_chain_starts(network: Network) -> None:
    stranger = network.stranger("stranger")
    options = (
        "start",
        "--engine",
        "cometbft",
        "--cometbft",
        network.program,
        "--p2p-listen",
        ANY_PORT,
    )
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
        "start", "--engine", "cometbft", "--cometbft", network.program, "--rpc-listen", ANY_PORT
    )

    assert (code, error["code"]) == (3, "config")
    assert "--engine embedded" in error["hint"]
