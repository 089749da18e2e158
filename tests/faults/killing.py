"""kill -9 at a random moment, then the same command again.

A *strike* runs one command with real processes, kills one of them at a moment drawn from a
seeded generator, waits until the command has ended, and runs the same command again. A command
that serves until it is told to stop must, the second time, serve and then end politely.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

PROGRAM: Final = (sys.executable, "-m", "enigmacli")
PATIENCE_S: Final = 600
"""For one run; a busy machine is slow, and nothing may hang."""
ROOT: Final = "cli"
"""The victim that is the command itself."""
NOBODY: Final = "none"
"""The victim of a strike that came too late: the command had ended."""

_POLL_S: Final = 0.005
_GRACE_S: Final = 1.0
"""How long a server whose child was killed may go on before it is told to stop."""
_SERVING_S: Final = 1.0
"""Kills may hit a server until so long after it said that it serves."""
_BUG: Final = 1  # exit code
_ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")
}


@dataclass(frozen=True)
class Trial:
    """One command line in a home that was just laid out, and what must hold afterwards."""

    arguments: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    """Error codes that the second run may end with."""
    check: Callable[[], Sequence[str]] = tuple
    """What does not hold after the second run."""
    ready: str = ""
    """For a command that serves: the event that says that it does."""


@dataclass(frozen=True)
class Case:
    """A command that is struck, each time in a home that is laid out anew."""

    name: str
    lay_out: Callable[[random.Random], Trial]


@dataclass(frozen=True)
class Strike:
    """One kill: whom it hit, when, and how the two runs ended."""

    command: str
    victim: str
    after_s: float
    first_exit: int
    second_exit: int
    faults: tuple[str, ...] = ()
    """What does not hold; empty is good."""

    @property
    def is_hit(self) -> bool:
        """A process was killed before the command had ended."""
        return self.victim != NOBODY

    def but(self, *faults: str) -> "Strike":
        """The same with more faults."""
        return replace(self, faults=(*self.faults, *faults))


@dataclass
class Pace:
    """How long a command takes here; follows what is seen while the machine is busy or idle."""

    usual_s: float

    def draw(self, generator: random.Random) -> float:
        """A moment within the command's usual duration."""
        return generator.uniform(0.0, self.usual_s)

    def learn(self, struck: Strike) -> None:
        """Expect less where the command was faster, more where it lived up to the very end."""
        if not struck.is_hit:
            self.usual_s = (self.usual_s + struck.after_s) / 2
        elif struck.after_s > 0.9 * self.usual_s:
            self.usual_s *= 1.05


@dataclass
class Tree:
    """A process and all that descend from it, by what they are."""

    members: dict[int, str] = field(default_factory=dict)

    @classmethod
    def below(cls, root: int) -> Self:
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                parents[int(entry.name)] = _living_child_of(entry)
        tree = cls({root: ROOT})
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


def _living_child_of(entry: Path) -> int:
    try:
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state == "Z" else int(parent)


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


class Running:
    """The program at work; what it prints is kept."""

    def __init__(
        self, arguments: Sequence[str], *, stdout: int | None = None, alone: bool = False
    ) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 -- closed on exit
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            (*PROGRAM, *arguments, "-o", "json"),
            stdin=subprocess.DEVNULL, stdout=self._out if stdout is None else stdout,
            stderr=self._err, env=_ENVIRONMENT, start_new_session=alone,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            for pid in Tree.below(self.process.pid).members:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self._out.close()
        self._err.close()

    def events(self) -> list[dict[str, Any]]:
        """The documents that it has printed, one a line."""
        whole, _, _ = _content(self._out).rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def complaint(self) -> str:
        """The end of what it wrote to standard error."""
        return _content(self._err)[-1500:]

    def wait_for(self, name: str, **members: Any) -> dict[str, Any]:
        """The first event of that name and with those members.

        Raises:
            TimeoutError: it ended, or did not come so far in time.
        """
        wanted = {"event": name, **members}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            has_ended = self.process.poll() is not None
            for event in self.events():
                if wanted.items() <= event.items():
                    return event
            if has_ended:
                break
            time.sleep(_POLL_S)
        raise TimeoutError(f"{wanted} did not happen: {self.process.poll()} {self.complaint()}")

    def end(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def told_height(self) -> int:
        """The highest block that it has announced."""
        return max((one["height"] for one in self.events() if one.get("event") == "block"),
                   default=0)  # fmt: skip


def _content(file: Any) -> str:
    """All of a file that a child still writes, whose offset must stay where it is."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command to its end, with what it prints."""
    return subprocess.run(
        (*PROGRAM, *arguments, "-o", "json"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=_ENVIRONMENT, timeout=PATIENCE_S,
    )  # fmt: skip


def must(*arguments: str) -> dict[str, Any]:
    """The result of a command that has to end well for anything to be tried at all."""
    done = run(*arguments)
    if done.returncode:
        raise AssertionError(f"{arguments}: {done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(trial: Trial) -> float:
    """How long the command takes here when nothing is killed, in seconds."""
    started = time.monotonic()
    if not trial.ready:
        must(*trial.arguments)
        return time.monotonic() - started
    with Running(trial.arguments) as server:
        server.wait_for(trial.ready)
        took_s = time.monotonic() - started + _SERVING_S
        server.end()
    return took_s


def strike(name: str, trial: Trial, pace: Pace, generator: random.Random) -> Strike:
    """Run, kill at a moment of its usual duration, run again, look at what is left."""
    struck = Strike(name, "unknown", round(pace.draw(generator), 3), 0, 0)
    try:
        struck, told = _first_run(struck, trial, generator)
        struck = serve_again(struck, trial, told) if trial.ready else run_again(struck, trial)
        return struck if struck.faults else struck.but(*trial.check())
    except (subprocess.TimeoutExpired, TimeoutError, AssertionError) as error:
        return struck.but(str(error)[-1500:])


def _first_run(struck: Strike, trial: Trial, generator: random.Random) -> tuple[Strike, int]:
    """Whom the kill hit and how the run ended, and the highest block that it announced."""
    moment = time.monotonic() + struck.after_s
    with Running(trial.arguments) as first:
        victim = _kill_one(first.process, generator, moment)
        if trial.ready:
            let_stop(first)
        code = first.process.wait(PATIENCE_S)
        if victim == ROOT and code != -signal.SIGKILL:
            victim = NOBODY
        done = replace(struck, victim=victim, first_exit=code)
        if code == _BUG or (code < 0 and -code not in (signal.SIGKILL, signal.SIGTERM)):
            done = done.but(f"the first run: exit {code}: {first.complaint()}")
        elif trial.ready and not done.is_hit:
            done = done.but(f"it ended by itself: {first.complaint()}")
        return done, first.told_height()


def let_stop(server: Running) -> None:
    """A server goes on without a child that was killed, or ends; both are well."""
    try:
        server.process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        server.process.terminate()


def _kill_one(process: "subprocess.Popen[bytes]", generator: random.Random, moment: float) -> str:
    while time.monotonic() < moment:
        if process.poll() is not None:
            return NOBODY
        time.sleep(_POLL_S)
    pid, kind = Tree.below(process.pid).draw(generator)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return NOBODY
    return kind


def run_again(struck: Strike, trial: Trial) -> Strike:
    again = run(*trial.arguments)
    done = replace(struck, second_exit=again.returncode)
    if again.returncode == 0 or _error_code(again.stderr) in trial.allowed:
        return done
    return done.but(f"run again: exit {again.returncode}: {again.stderr[-1500:]}")


def _error_code(stderr: str) -> str:
    for line in reversed(stderr.splitlines()):
        try:
            return str(json.loads(line)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            continue
    return "no code"


def serve_again(struck: Strike, trial: Trial, told: int) -> Strike:
    with Running(trial.arguments) as again:
        again.wait_for(trial.ready)
        held = max((one["height"] for one in again.events()
                    if one.get("event") in ("chain_ready", "block")), default=told)  # fmt: skip
        done = replace(struck, second_exit=again.end())
        if held < told:
            done = done.but(f"block {told} was announced, {held} is the newest")
        if done.second_exit:
            done = done.but(f"told to stop: exit {done.second_exit}: {again.complaint()}")
        return done
