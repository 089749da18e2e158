"""The command blocks of ``docs/migrating.md``, one line after the other."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from enigmacli.cli import start
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.corpus import ROOT
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram, network_in_memory

PAGE = (ROOT / "docs" / "migrating.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
ASSIGNMENT = re.compile(r"([A-Z_]+)=\$\((.*) \| cut -c 3-\)")
SUBSTITUTION = re.compile(r"\$\((.*?)\)")


class Shell:
    """As much of a shell as the page needs; ``enigmad`` is the program in this process."""

    def __init__(self, program: NetworkProgram, replaced: dict[str, list[str]]) -> None:
        self._program = program
        self._replaced = replaced
        self._values: dict[str, str] = {}

    def __call__(self, line: str) -> str:
        assignment = ASSIGNMENT.fullmatch(line)
        if assignment:
            name, typed = assignment.groups()
            self._values[name] = self(typed).strip()[2:]
            return ""
        line = SUBSTITUTION.sub(lambda found: self(found[1]).strip(), line)
        for name, value in self._values.items():
            line = line.replace(f"${name}", value)
        called, *words = shlex.split(line)
        assert called == "enigmad"
        return self._run([part for word in words for part in self._replaced.get(word, [word])])

    def _run(self, words: list[str]) -> str:
        if words[0] == "start":  # its options are right; that a node runs, processes show
            start.command.make_context("start", words[1:])
            return ""
        outcome = self._program(*words)
        assert outcome.code == 0, outcome.err
        return outcome.out


@pytest.fixture
def network(
    tmp_path: Path, pki: SimulatedPki, root_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NetworkInMemory]:
    monkeypatch.chdir(tmp_path)
    with network_in_memory(tmp_path, pki, root_file) as made:
        yield made


def test_the_page_shows_a_first_node_and_a_newcomer() -> None:
    assert len(BLOCKS) == PAGE.count("```sh") == 2


def test_a_network_begins_in_the_peers_words(network: NetworkInMemory) -> None:
    first = NetworkProgram(network.folder / "first", network)
    shell = Shell(first, {"--simulated": ["--simulated", *network.roots]})

    for line in BLOCKS[0].splitlines():
        shell(line)

    assert first.ok("seed", "status")["matches_genesis"]
    assert first.ok("config", "show", "chain.chain_id")["chain"]["chain_id"] == "enigma-testnet"
    assert not (first.home / "config" / "client.toml").exists()


def test_a_node_joins_in_the_peers_words(network: NetworkInMemory) -> None:
    genesis = str(network.first.home / "config" / "genesis.json")
    newcomer = NetworkProgram(network.folder / "newcomer", network)
    shell = Shell(newcomer, {"enigma-testnet": ["net-1"], "--genesis": ["--genesis", genesis]})
    lines = BLOCKS[1].replace("--genesis http://127.0.0.1:26657", "--genesis").splitlines()

    for line in lines:
        shell(line)
        if "keys add" in line:
            (key,) = newcomer.ok("keys", "list")["keys"]
            sent = ("tx", "bank", "send", "alice", key["address"], "10000000uscrt", "-y")
            network.first.ok(*sent)

    assert newcomer.ok("seed", "status")["matches_genesis"]


def test_a_line_that_fails_is_noticed(network: NetworkInMemory) -> None:
    shell = Shell(NetworkProgram(network.folder / "x", network), {})

    with pytest.raises(AssertionError, match="there is no home"):
        shell("enigmad validate-genesis")
    with pytest.raises(click.UsageError):
        shell("enigmad start --nonsense")
