"""A simulated Intel and one bootstrapped home, for nodes on CometBFT."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cometbft import cometbft
from tests.e2e.story_processes import ProgramHome, Running, running

ANY_PORT = "127.0.0.1:0"
CHAIN_ID = "real-1"


@dataclass
class Network:
    """A simulated Intel and one bootstrapped home, not running."""

    folder: Path
    intel: str
    home: ProgramHome
    program: str
    """CometBFT."""

    @contextmanager
    def node(self, *options: str) -> Iterator[tuple[Running, str]]:
        """The home's node, and where it answers."""
        with self.starting(self.home, *options) as process:
            yield process, str(process.wait_for("listening")["rpc"])

    @contextmanager
    def starting(self, home: ProgramHome, *options: str) -> Iterator[Running]:
        """A node that may not have come far."""
        with running(
            home, "start", *options, "--url", self.intel, "--rpc-listen", ANY_PORT,
            "--p2p-listen", ANY_PORT, "--block-interval", "0.1", "--cometbft", self.program,
        ) as process:  # fmt: skip
            yield process

    def stranger(self, name: str) -> ProgramHome:
        """A home of the same network whose enclave has no seed."""
        home = ProgramHome(self.folder / name)
        home.ok("init", name, "--genesis", str(self.home.path / "config" / "genesis.json"))
        return home


@contextmanager
def bootstrapped(folder: Path, program: str | None = None) -> Iterator[Network]:
    """A network, on the CometBFT of the first line; the simulated Intel ends with the block."""
    program = program or cometbft()
    with ExitStack() as processes:
        intel_home = ProgramHome(folder / "intel")
        service = processes.enter_context(running(intel_home, "ias", "serve", "--listen", ANY_PORT))
        intel = str(service.wait_for("listening")["url"])
        home = ProgramHome(folder / "first")
        home.ok("init", "first", "--simulated", "--chain-id", CHAIN_ID, "--ias-root", intel)
        home.ok("genesis", "add-account", home.account("alice"), "1000000000uscrt")
        home.ok("bootstrap", "--url", intel)
        yield Network(folder, intel, home, program)
