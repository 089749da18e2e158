"""kill -9 at a random moment, then the same command again: what must hold afterwards.

A *strike* runs one command with real processes, kills one of them at a moment drawn from a
seeded generator, waits until all of them have ended, and runs the same command again.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.chain.blocks import Block
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.results import TxResult
from enigmacli.chain.tx import decode_tx, is_confirm
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore

PROGRAM: Final = (sys.executable, "-m", "enigmacli")
PATIENCE_S: Final = 180
_POLL_S: Final = 0.005
_ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")
}


@dataclass(frozen=True)
class Strike:
    """One kill: whom it hit, when, and how the two runs ended."""

    command: str
    victim: str
    """``none`` where the command was faster than the kill."""
    after_s: float
    first_exit: int
    second_exit: int
    faults: tuple[str, ...] = ()
    """What does not hold; empty is good."""


@dataclass
class Tree:
    """A process and all that descend from it, by what they are."""

    members: dict[int, str] = field(default_factory=dict)

    @classmethod
    def below(cls, root: int) -> "Tree":
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                parents[int(entry.name)] = _parent(entry)
        tree = cls({root: "cli"})
        waiting = [root]
        while waiting:
            parent = waiting.pop()
            for pid in (one for one, its in parents.items() if its == parent):
                tree.members[pid] = _kind(pid)
                waiting.append(pid)
        return tree

    def draw(self, generator: random.Random) -> tuple[int, str]:
        """Each kind with equal chance, so that the many do not hide the few."""
        kind = generator.choice(sorted(set(self.members.values())))
        return generator.choice(sorted(p for p, its in self.members.items() if its == kind)), kind


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = []
    if "--role" in words:
        return "judge" if "judge" in words else "enclave"
    if "ias" in words and "serve" in words:
        return "intel"
    return "node" if "start" in words else "command"


def strike(
    arguments: Sequence[str], generator: random.Random, longest_s: float, **wanted: Any
) -> Strike:
    """Run, kill at a moment up to ``longest_s``, run again."""
    after_s = generator.uniform(0.0, longest_s)
    started = time.monotonic()
    with subprocess.Popen(
        (*PROGRAM, *arguments),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
    ) as process:  # fmt: skip
        victim = _kill_one(process, generator, started + after_s)
        first = process.wait(PATIENCE_S)
    again = run(*arguments)
    faults = []
    if again.returncode not in wanted.get("codes", (0,)):
        faults.append(f"run again: exit {again.returncode}: {again.stderr[-600:]}")
    return Strike(arguments[0], victim, round(after_s, 3), first, again.returncode, tuple(faults))


def _kill_one(process: "subprocess.Popen[bytes]", generator: random.Random, moment: float) -> str:
    while time.monotonic() < moment:
        if process.poll() is not None:
            return "none"
        time.sleep(_POLL_S)
    pid, kind = Tree.below(process.pid).draw(generator)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return "none"
    return kind


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command to its end, with what it prints."""
    return subprocess.run(
        (*PROGRAM, *arguments, "-o", "json"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=_ENVIRONMENT, timeout=PATIENCE_S,
    )  # fmt: skip


# --- what must hold of a story -----------------------------------------------------------------


class Story:
    """The folder of one ``quickstart --keep``, and what has been seen in it so far."""

    SEALED = (
        "first/enclave/platform.key",
        "first/enclave/seed.sealed",
        "second/enclave/platform.key",
        "second/enclave/registration.sealed",
        "second/enclave/seed.sealed",
        "first/config/priv_validator_key.json",
        "second/config/priv_validator_key.json",
        "intel/ias_pki.pem",
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, bytes] = {}

    @property
    def command(self) -> tuple[str, ...]:
        return ("quickstart", "--keep", str(self.folder))

    def strike(self, generator: random.Random, longest_s: float) -> Strike:
        """One kill in this story; files that exist afterwards must exist for good."""
        done = strike(self.command, generator, longest_s)
        faults = (*done.faults, *(self._faults() if not done.faults else ()))
        return Strike(
            "quickstart", done.victim, done.after_s, done.first_exit, done.second_exit, faults
        )

    def _faults(self) -> list[str]:
        faults = []
        for name in self.SEALED:
            path = self.folder / name
            if not path.exists():
                faults.append(f"{name} is missing")
            elif self._seen.setdefault(name, path.read_bytes()) != path.read_bytes():
                faults.append(f"{name} is another one")
        return [*faults, *self._seed_faults(), *self._registration_faults()]

    def _seed_faults(self) -> list[str]:
        keys = set()
        for home in ("first", "second"):
            shown = run("seed", "status", "--home", str(self.folder / home))
            if shown.returncode:
                return [f"seed status of {home}: exit {shown.returncode}"]
            status = json.loads(shown.stdout)
            if not status["matches_genesis"]:
                return [f"the seed of {home} is not that of genesis"]
            keys.add(status["exchange_pk"])
        return [] if len(keys) == 1 else ["two seeds"]

    def _registration_faults(self) -> list[str]:
        made = successful_registrations(self.folder / "first" / "data")
        return [] if made == 1 else [f"{made} registrations on the chain"]


def successful_registrations(data_dir: Path) -> int:
    """How many register transactions the chain of a node has executed with code 0."""
    store = BlockStore(data_dir / BLOCKS_FILE)
    try:
        return sum(_registered(store, height) for height in range(1, store.height + 1))
    finally:
        store.close()


def _registered(store: BlockStore, height: int) -> int:
    row, response = store.block(height), store.result(height)
    if row is None or response is None:
        return 0
    results = protobuf.parse("tendermint.abci.ResponseFinalizeBlock", response).tx_results
    found = 0
    for raw, result in zip(Block.parse(row.block).txs, results, strict=True):
        if TxResult.of(result).code == 0 and _is_register(raw):
            found += 1
    return found


def _is_register(raw: bytes) -> bool:
    if is_confirm(raw):
        return False
    return any(isinstance(message, RaAuthenticate) for message in decode_tx(raw).messages)
