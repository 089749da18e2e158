"""``localnet`` as it is typed, where no process runs."""

from pathlib import Path
from typing import Any

import pytest

from enigmacli.cli.start import ENGINES as STARTED
from enigmacli.localnet.folder import ENGINES, Network, Wanted
from enigmacli.localnet.words import PARTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a network of two nodes that was never brought up."""
    made = tmp_path / "net"
    made.mkdir()
    Network.made(made, Wanted(2), lambda wanted: [f"127.0.0.1:{one + 1}" for one in range(wanted)])
    return made


def test_the_command_lines_words_are_the_networks() -> None:
    assert STARTED == ENGINES


@pytest.mark.parametrize(
    "arguments", [("status",), ("logs",), ("kill", "node1"), ("restart",), ("fund", "node1")]
)
def test_without_a_network_up_comes_first(
    program: Any, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    got = program("localnet", *arguments, "--dir", str(tmp_path / "net"), "-o", "json")

    assert (got.code, got.error["code"]) == (3, "home-missing")
    assert got.error["hint"] == "enigmacli localnet up"


def test_down_where_there_is_nothing_is_done(program: Any, tmp_path: Path) -> None:
    told = program.ok("localnet", "down", "--dir", str(tmp_path / "net"))

    assert told == {"ended": {}, "removed": False}


def test_a_folder_that_is_no_network_is_never_removed(program: Any, tmp_path: Path) -> None:
    (tmp_path / "dear").mkdir()
    (tmp_path / "dear" / "file").touch()

    got = program("localnet", "down", "--remove", "--dir", str(tmp_path / "dear"), "-o", "json")

    assert (got.code, got.error["code"]) == (3, "config")
    assert (tmp_path / "dear" / "file").exists()


def test_status_of_what_does_not_run(program: Any, folder: Path) -> None:
    told = program.ok("localnet", "status", "--dir", str(folder))
    text = program("localnet", "status", "--dir", str(folder)).out

    assert told["simulation"] is True
    assert told["intel"]["pid"] is None
    assert [(one["name"], one["pid"], one["height"]) for one in told["nodes"]] == [
        ("node1", None, None), ("node2", None, None),
    ]  # fmt: skip
    assert "node2" in text


def test_removing_a_network_removes_its_folder(program: Any, folder: Path) -> None:
    (folder / "node1").mkdir()

    told = program.ok("localnet", "down", "--remove", "--dir", str(folder))

    assert told["ended"] == dict.fromkeys(("faucet", "node2", "node1", "intel"), "not running")
    assert not folder.exists()


@pytest.mark.parametrize("part", PARTS)
def test_what_does_not_run_is_not_killed(program: Any, folder: Path, part: str) -> None:
    got = program(
        "localnet", "kill", "node1", "--process", part, "--dir", str(folder), "-o", "json"
    )

    assert (got.code, got.error["message"]) == (3, f"{part} of node1 does not run")


@pytest.mark.parametrize("verb", ["kill", "restart", "logs"])
def test_an_unknown_node_is_named(program: Any, folder: Path, verb: str) -> None:
    got = program("localnet", verb, "node9", "--dir", str(folder), "-o", "json")

    assert (got.code, got.error["code"]) == (3, "config")
    assert "node9" in got.error["message"]


def test_logs_are_the_last_events_of_each(program: Any, folder: Path) -> None:
    (folder / "logs").mkdir()
    lines = [f'{{"event":"block","height":{height}}}\n' for height in range(1, 8)]
    (folder / "logs" / "node1.log").write_text("".join(lines))

    told = program.ok("localnet", "logs", "--lines", "2", "--dir", str(folder))

    assert told["logs"] == {
        "node1": [{"event": "block", "height": 6}, {"event": "block", "height": 7}]
    }


@pytest.mark.parametrize("address", ["0.0.0.0:0", "example.com:1", "7", "127.0.0.1:70000"])
def test_a_faucet_listens_on_this_machine_only(simulated: Any, address: str) -> None:
    got = simulated("localnet", "faucet", "--listen", address, "-o", "json")

    assert (got.code, got.error["code"]) == (2, "usage")


def test_a_network_that_is_not_simulated_has_no_faucet(program: Any) -> None:
    program.ok("init", "alpha", "--chain-id", "net-1")

    got = program("localnet", "faucet", "-o", "json")

    assert got.code == 3
    assert "simulated networks only" in got.error["message"]
