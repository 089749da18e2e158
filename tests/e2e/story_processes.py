"""The program as processes: commands that end, and commands that run until they are told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_TIMEOUT_S = 60
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")
} | {"ENIGMA_ACCOUNT_KEYRING_BACKEND": "test"}


@dataclass(frozen=True)
class ProgramHome:
    """One home; calling it runs one command to its end."""

    path: Path

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "enigmacli", "--home", str(self.path), *arguments],
            env=_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def ok(self, *arguments: str) -> dict[str, Any]:
        ran = self(*arguments, "-o", "json")
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def error(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and error of a command that must fail."""
        ran = self(*arguments, "-o", "json")
        assert ran.returncode != 0
        return ran.returncode, json.loads(ran.stderr.splitlines()[-1])["error"]

    def account(self, name: str) -> str:
        return str(self.ok("keys", "add", name)["address"])


@dataclass
class Running:
    """A command that serves; its events are the lines of its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def events(self) -> list[dict[str, Any]]:
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def wait_for(self, name: str, **members: Any) -> dict[str, Any]:
        """The first event of that name and with those members."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        wanted = {"event": name, **members}
        while time.monotonic() < deadline:
            for event in self.events():
                if wanted.items() <= event.items():
                    return event
            assert self.process.poll() is None, self.log.with_suffix(".err").read_text()
            time.sleep(0.02)
        raise AssertionError(f"{wanted} did not happen: {self.events()[-3:]}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait for the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def running(home: ProgramHome, *arguments: str) -> Iterator[Running]:
    """A command that serves until the block is left."""
    home.path.mkdir(mode=0o700, exist_ok=True)
    log = home.path.parent / f"{home.path.name}-{arguments[0]}-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "enigmacli", "--home", str(home.path), *arguments]
    with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            [*command, "-o", "json"],
            env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
