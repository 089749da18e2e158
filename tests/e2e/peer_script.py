"""A script that speaks in the peer's names, as a process group; its log is what it said."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.corpus import ROOT

PATIENCE_S = 120
PROGRAMS = str(Path(sys.executable).parent)
"""The folder that holds enigmacli and enigmad."""


def surroundings(**named: str) -> dict[str, str]:
    """An environment that finds the program and configures nothing but what is named."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")}
    return kept | {"PATH": f"{PROGRAMS}:{kept['PATH']}", **named}


@dataclass
class PeerScript:
    """One of ``scripts/peer/``, with a folder to work in; started again it has a new log."""

    name: str
    folder: Path
    environment: dict[str, str]
    runs: list[Path] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, **named: str) -> None:
        self.folder.mkdir(exist_ok=True)
        self.runs.append(self.folder / f"run-{len(self.runs)}.log")
        with self.runs[-1].open("wb") as log:
            self.process = subprocess.Popen(
                [str(ROOT / "scripts" / "peer" / self.name)],
                env=self.environment | {"ENIGMA_HOME": str(self.home)} | named,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        whole, _, _ = self.runs[-1].read_text().rpartition("\n")
        return whole

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first place of its log, in this run, that matches."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            ended = self.process.poll()
            found = re.search(pattern, self.said(), re.MULTILINE)
            if found:
                return found
            assert ended is None, f"{self.name} ended with {ended}:\n{self.said()}"
            time.sleep(0.02)
        raise AssertionError(f"{self.name} did not say {pattern!r}:\n{self.said()}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the script and all that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(timeout=60)

    def run(self, *arguments: str) -> str:
        """What another command prints, called for this script's home."""
        ran = subprocess.run(
            [f"{PROGRAMS}/enigmad", "--home", str(self.home), *arguments],
            env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout
