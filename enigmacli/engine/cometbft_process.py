"""CometBFT as a child: found, checked, started, heard, ended."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from enigmacli.engine import tied_exec
from enigmacli.errors import ConfigError, PortBusyError

TESTED_VERSION: Final = "v0.38.25"
_LINES: Final = ("0.38.", "0.39.", "0.40.")
"""All speak ABCI 2.0.0 with the same messages; the first is the one that is meant."""
_HINT: Final = (
    f"go install github.com/cometbft/cometbft/cmd/cometbft@{TESTED_VERSION}, "
    "then put it on PATH or name it in [cometbft] path"
)
_VERSION_TIMEOUT_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 10.0
_LAST_LINES: Final = 10
_LONGEST_LINE: Final = 2_000

Hear = Callable[[str, str], None]
"""Takes the level and the text of a line of CometBFT's log."""


def find_program(configured: str) -> Path:
    """CometBFT of a line that this program works with.

    Args:
        configured: its path; empty looks on ``PATH``.

    Raises:
        ConfigError: there is none, or it is of another line.
    """
    found = shutil.which(configured or "cometbft")
    if found is None:
        where = f"at {configured}" if configured else "on PATH"
        raise ConfigError(f"there is no CometBFT {where}", hint=_HINT)
    path = Path(found).absolute()
    version = _version(path)
    if not version.startswith(_LINES):
        raise ConfigError(
            f"{path} is CometBFT {version}, not of the 0.38, 0.39 or 0.40 line", hint=_HINT
        )
    return path


def _version(path: Path) -> str:
    try:
        ran = subprocess.run(
            (path, "version"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
            timeout=_VERSION_TIMEOUT_S, env=_environment(path.parent),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} does not tell its version: {error}", hint=_HINT) from error
    return ran.stdout.strip().removeprefix("v")


def real_address(listen: str) -> str:
    """``host:port`` with a port that was free a moment ago in place of port 0.

    Raises:
        PortBusyError: the address is taken or not ours.
    """
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            return f"{host}:{probe.getsockname()[1]}"
    except OSError as error:
        raise PortBusyError(
            f"cannot listen on {listen}: {error.strerror or error}",
            hint="choose another port, or port 0 for a free one",
        ) from error


class CometbftProcess:
    """A running CometBFT; it is killed when this process ends, however that ends.

    To be made in the main thread, whose end is the process's.

    Args:
        program: the binary.
        folder: its home, where its configuration is complete; it runs there.
        hear: told every line of its log, in a thread of its own.
    """

    def __init__(self, program: Path, folder: Path, hear: Hear) -> None:
        self._hear = hear
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        tie = (sys.executable, "-I", tied_exec.__file__, str(os.getpid()))
        self._process = subprocess.Popen(
            (*tie, str(program), "start", "--home", str(folder)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=folder, env=_environment(folder), start_new_session=True,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, name="cometbft-log", daemon=True)
        self._listener.start()

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The last lines of its log."""
        self._listener.join(1.0)
        return "\n".join(self._last)

    def stop(self) -> None:
        """End it, politely at first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()

    def _listen(self) -> None:
        with self._process.stdout or open(os.devnull, "rb") as lines:  # noqa: PTH123 -- never None
            for line in lines:
                level, text = read_log_line(line.decode(errors="replace").rstrip("\n"))
                self._last.append(text)
                self._hear(level, text)


def read_log_line(line: str) -> tuple[str, str]:
    """Level and text of a line; one that is no document, as of a panic, is an error's."""
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError):
        return "error", line[:_LONGEST_LINE]
    if not isinstance(document, dict):
        return "error", line[:_LONGEST_LINE]
    level = str(document.pop("level", "error"))
    message = str(document.pop("_msg", ""))
    document.pop("ts", None)
    rest = (f"{name}={value}" for name, value in document.items())
    return level, " ".join((message, *rest))[:_LONGEST_LINE]


def _environment(home: Path) -> dict[str, str]:
    """Nothing that could configure CometBFT beside its file (it reads ``CMT_*``)."""
    return {"HOME": str(home), "PATH": os.defpath}
