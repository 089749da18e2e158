"""Single commands under kill -9: from a prepared home, killed, run again, compared."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from enigmacli.child import Child
from tests.faults.killing import Strike, run, strike

_TEST_KEYS: Final = ("--keyring-backend", "test")
_PRECIOUS: Final = (
    "config/*key.json", "enclave/*.key", "enclave/registration.sealed", "enclave/seed.sealed",
    "keyring-test/*.key",
)  # fmt: skip
_SUCCESS_OR_THERE: Final = (0, 3)
"""What makes a thing that is never overwritten says exit 3 where the killed run had made it."""


@dataclass(frozen=True)
class Case:
    """One command, and the home that it starts from."""

    stage: str
    arguments: tuple[str, ...]
    codes: tuple[int, ...] = (0,)
    moves_keys: bool = False
    """Puts precious files aside on purpose."""


@dataclass(frozen=True)
class Workshop:
    """Homes at several stages, and a simulated Intel that answers."""

    folder: Path
    intel: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def cases(self) -> tuple[Case, ...]:
        evidence = ("--provider", "simulated", "--url", self.intel, *_TEST_KEYS)
        backup = str(self.folder / "backup")
        return (
            Case("none", self._init, _SUCCESS_OR_THERE),
            Case("made", ("keys", "add", "operator", *_TEST_KEYS), _SUCCESS_OR_THERE),
            Case("made", ("config", "set", "node.moniker", "beta")),
            Case("made", ("enclave", "keygen")),
            Case("account", ("genesis", "add-account", "operator", "1000uscrt", *_TEST_KEYS)),
            Case("funded", ("bootstrap", "--url", self.intel, *_TEST_KEYS)),
            Case("whole", ("attest", "fetch", *evidence)),
            Case("whole", ("enclave", "backup", "--out", backup), _SUCCESS_OR_THERE),
            Case("emptied", ("enclave", "restore", str(self.folder / "kept-backup"))),
            Case("whole", ("enclave", "reset", "-y"), moves_keys=True),
        )

    @property
    def _init(self) -> tuple[str, ...]:
        return (
            "init", "alpha", "--simulated", "--chain-id", "kills-1", "--ias-root", self.intel,
        )  # fmt: skip

    def prepare(self) -> None:
        """Make the home of every stage, in the order in which a person would."""
        (self.folder / "none").mkdir()
        steps = (
            ("made", self._init),
            ("account", ("keys", "add", "operator", *_TEST_KEYS)),
            ("funded", ("genesis", "add-account", "operator", "1000uscrt", *_TEST_KEYS)),
            ("whole", ("bootstrap", "--url", self.intel, *_TEST_KEYS)),
        )
        for stage, arguments in steps:
            self._must(*arguments)
            if stage == "whole":
                self._must("enclave", "keygen")
            shutil.copytree(self.home, self.folder / stage)
        self._must("enclave", "backup", "--out", str(self.folder / "kept-backup"))
        for sealed in (self.home / "enclave").glob("*.sealed"):
            sealed.unlink()
        shutil.copytree(self.home, self.folder / "emptied")

    def _must(self, *arguments: str) -> None:
        done = run(*arguments, "--home", str(self.home))
        if done.returncode:
            raise AssertionError(f"{arguments}: {done.stderr}")

    def strike(self, case: Case, generator: random.Random, longest_s: float) -> Strike:
        """One kill of one command, in a fresh copy of its home."""
        self._lay_out(case)
        before = self._precious()
        line = (*case.arguments, "--home", str(self.home))
        done = strike(line, generator, longest_s, codes=case.codes)
        named = replace(done, command=" ".join(case.arguments[:2]))
        if case.moves_keys:
            return replace(named, faults=(*done.faults, *self._moved_faults(before)))
        after = self._precious()
        lost = [name for name, data in before.items() if after.get(name) != data]
        broken = [] if run("status", "--home", str(self.home)).returncode in (0, 4) else ["status"]
        return replace(named, faults=(*done.faults, *(f"lost: {name}" for name in lost), *broken))

    def _lay_out(self, case: Case) -> None:
        for name in ("home", "backup"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        if case.stage != "none":
            shutil.copytree(self.folder / case.stage, self.home)

    def _precious(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for pattern in _PRECIOUS
            for path in self.home.glob(pattern)
        }

    def _moved_faults(self, before: dict[str, bytes]) -> list[str]:
        held = {path.read_bytes() for path in self.home.glob("enclave*/*")}
        return [f"lost: {name}" for name, data in before.items()
                if name.startswith("enclave/") and data not in held]  # fmt: skip


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Homes at every stage; the simulated Intel ends with the block."""
    state = folder / "intel"
    arguments = ("ias", "serve", "--listen", "127.0.0.1:0", "--state", str(state))
    with Child("intel", arguments, folder / "logs") as intel:
        made = Workshop(folder, str(intel.listening()["url"]))
        made.prepare()
        yield made


def usual_s(folder: Path) -> float:
    """How long a command that asks the enclave takes here, in seconds."""
    started = time.monotonic()
    run("enclave", "status", "--home", str(folder / "whole"))
    return time.monotonic() - started
