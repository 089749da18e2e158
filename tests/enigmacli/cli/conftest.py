"""The program as tests call it: in this process, with a home of its own and no configuration."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from enigmacli.cli import cli
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.simulators.network_in_memory import NetworkInMemory, network_in_memory


@dataclass(frozen=True)
class Outcome:
    """What one call of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as its one JSON document."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def error(self) -> dict[str, Any]:
        """The error on standard error, which holds nothing else."""
        value: dict[str, Any] = json.loads(self.err)["error"]
        return value


class Program:
    """Calls the program for one home, which need not exist."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Outcome:
        result = CliRunner().invoke(cli, ["--home", str(self.home), *arguments], input=stdin)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str, stdin: str | bytes | None = None) -> dict[str, Any]:
        """The document of a call that must succeed."""
        outcome = self(*arguments, "-o", "json", stdin=stdin)
        assert outcome.code == 0, outcome.err
        return outcome.document


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ENIGMA_"):
            monkeypatch.delenv(name)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, for a home that does not exist yet."""
    return Program(tmp_path / "home")


@pytest.fixture(scope="session")
def root_file(pki: SimulatedPki, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root certificate of a simulated Intel, as PEM."""
    file = tmp_path_factory.mktemp("root") / "root.pem"
    file.write_bytes(pki.root_pem)
    return file


@pytest.fixture
def simulated(program: Program, root_file: Path) -> Program:
    """The program with a new simulated network's home."""
    program.ok("init", "alpha", "--simulated", "--chain-id", "net-1", "--ias-root", str(root_file))
    return program


@pytest.fixture(scope="module")
def network(
    tmp_path_factory: pytest.TempPathFactory, pki: SimulatedPki, root_file: Path
) -> Iterator[NetworkInMemory]:
    """A network of this file's own."""
    folder = tmp_path_factory.mktemp("network")
    with network_in_memory(folder, pki, root_file) as made:
        yield made
