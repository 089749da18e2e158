"""A pseudo-terminal with a program on it, and what a person would see."""

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PROGRAM = (sys.executable, "-m", "enigmacli")
PATIENCE_S = 60
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Screen:
    """The terminal's side of a running program."""

    process: "subprocess.Popen[bytes]"
    descriptor: int
    seen: bytes = field(default=b"")

    def wait_for(self, wanted: str) -> str:
        """Read until a text has come; returns all that was shown."""
        deadline = time.monotonic() + PATIENCE_S
        while wanted.encode() not in self.seen:
            assert time.monotonic() < deadline, f"{wanted!r} did not come: {self.seen!r}"
            assert self._read(deadline), f"{wanted!r} did not come: {self.seen!r}"
        return self.text

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        return self.process.wait(timeout=PATIENCE_S)

    @property
    def text(self) -> str:
        return self.seen.decode(errors="replace").replace("\r\n", "\n")

    @property
    def words(self) -> str:
        """The text without what moves the cursor or colours."""
        return _CONTROLS.sub("", self.text)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], deadline - time.monotonic())
        assert ready, f"nothing more came: {self.seen!r}"
        try:
            data = os.read(self.descriptor, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # that is how the end of a terminal looks
                raise
            data = b""
        self.seen += data
        return bool(data)


@contextmanager
def on_terminal(
    command: Sequence[str], environ: Mapping[str, str], *, columns: int = 80
) -> Iterator[Screen]:
    """Run a command with all three streams on a terminal of its own, which is its controlling one.

    Args:
        command: the program and its arguments.
        environ: all of the environment.
        columns: how wide the terminal is.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environ),
        start_new_session=True, preexec_fn=_take_terminal,  # noqa: PLW1509 -- one thread
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Screen(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(ours)


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that its ^C is an interruption."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def environment(**variables: str) -> dict[str, str]:
    """A bare environment, in which nothing says how output should look."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "TERM": "xterm-256color"} | variables
