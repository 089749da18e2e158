"""A local network made for measuring: the genesis that ``localnet up`` is to find, and its end."""

import base64
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bench.network_newcomers import COINS, Newcomer, Registrar
from enigmacli import home as homes
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.messages import Coin
from enigmacli.home import Home
from enigmacli.localnet.folder import CHAIN_ID, Network
from enigmacli.localnet.processes import command_line, descendants
from enigmacli.localnet.words import COMETBFT, INTEL
from enigmacli.simulated_intel.pki import ROOT_FILE_NAME, SimulatedPki
from tests.simulators.dcap_factory import SGX_V3, make

_PATIENCE_S: Final = 600
_ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")
}


@dataclass(frozen=True)
class Prepared:
    """A network whose newcomers have coins since genesis."""

    folder: Path

    @property
    def network(self) -> Network:
        return Network.load(self.folder)

    @property
    def urls(self) -> list[str]:
        """Each node's JSON-RPC, in the order of joining."""
        return [member.url for member in self.network.members]

    @property
    def first_home(self) -> Home:
        return Home(self.folder / "node1")

    @cached_property
    def genesis(self) -> GenesisDocument:
        return GenesisDocument.parse(self.first_home.read_genesis())

    @cached_property
    def registrar(self) -> Registrar:
        state = self.genesis.app_state
        assert state.policy is not None
        numbers = {account: number for number, account in enumerate(state.accounts)}
        return Registrar(CHAIN_ID, state.policy, self.folder / INTEL, numbers)


@contextmanager
def running(
    folder: Path, validators: int, newcomers: Sequence[Newcomer], *, block_interval_s: float,
    registrations_per_block: int = 16,
) -> Iterator[Prepared]:  # fmt: skip
    """That many validators on the real CometBFT, made by ``localnet up``; gone afterwards.

    Args:
        folder: an empty one.
        validators: how many.
        newcomers: who has an account in genesis; numbered from 0, in their order.
        block_interval_s: CometBFT's ``timeout_commit``.
        registrations_per_block: of the policy.
    """
    prepared = Prepared(folder)
    _make_first_home(prepared, newcomers, registrations_per_block)
    where = ("--dir", str(folder))
    try:
        _run("localnet", "up", *where, "-n", str(validators), "--engine", COMETBFT,
             "--block-interval", str(block_interval_s), *_engine())  # fmt: skip
        yield prepared
    finally:
        _run("localnet", "down", *where)


@contextmanager
def post(prepared: Prepared) -> Iterator[Callable[[Sequence[bytes]], list[dict[str, Any]]]]:
    """Sends transactions to the first node over one connection; what CheckTx said of each."""
    connection = http.client.HTTPConnection(prepared.network.first.rpc)

    def send(raws: Sequence[bytes]) -> list[dict[str, Any]]:
        calls = [
            {"jsonrpc": "2.0", "id": number, "method": "broadcast_tx_sync",
             "params": {"tx": base64.b64encode(raw).decode()}}
            for number, raw in enumerate(raws)
        ]  # fmt: skip
        connection.request("POST", "/", json.dumps(calls), {"Content-Type": "application/json"})
        return [answer["result"] for answer in json.loads(connection.getresponse().read())]

    yield send
    connection.close()


def cpu_seconds(prepared: Prepared) -> float:
    """What the first node's own processes, CometBFT not among them, have computed so far."""
    owner = prepared.network.process("node1").owner()
    if owner is None:
        raise RuntimeError("node1 does not run")
    ours = [one.pid for one in descendants(owner.pid) if COMETBFT not in _program(one.pid)]
    return sum(_cpu_seconds(pid) for pid in (owner.pid, *ours))


def _program(pid: int) -> str:
    words = command_line(pid)
    return Path(words[0]).name if words else ""


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime


def _make_first_home(prepared: Prepared, newcomers: Sequence[Newcomer], most: int) -> None:
    homes.make_folder(prepared.folder)
    intel, dcap_root = prepared.folder / INTEL, prepared.folder / "dcap_root.der"
    SimulatedPki.load_or_create(intel, datetime.now(UTC))
    homes.write_new(dcap_root, make(SGX_V3).root_der)
    home = prepared.first_home
    _run("init", home.path.name, "--simulated", "--chain-id", CHAIN_ID,
         "--ias-root", str(intel / ROOT_FILE_NAME), "--pccs-root", str(dcap_root),
         "--home", str(home.path))  # fmt: skip
    document = GenesisDocument.parse(home.read_genesis())
    policy = document.app_state.policy
    assert policy is not None
    document = document.with_policy(replace(policy, max_registrations_per_block=most))
    for one in newcomers:
        document = document.with_account(one.account, (Coin("uscrt", COINS),))
    homes.replace(home.genesis_file, document.encode())


def _engine() -> tuple[str, ...]:
    named = os.environ.get("ENIGMA_COMETBFT")
    return ("--cometbft", named) if named else ()


def _run(*arguments: str) -> dict[str, Any]:
    ran = subprocess.run(
        (sys.executable, "-m", "enigmacli", *arguments, "-o", "json"),
        env=_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(f"enigmacli {' '.join(arguments)}: {ran.stderr}")
    document: dict[str, Any] = json.loads(ran.stdout)
    return document
