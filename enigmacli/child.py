"""This program as a child of itself: one command to its end, or one that keeps running."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from enclave.errors import BY_CODE, EnclaveError
from enigmacli import errors
from enigmacli.errors import (
    EnigmaError,
    HomeBusyError,
    ServiceUnavailableError,
    StorageError,
    WaitTimeoutError,
)

START_TIMEOUT_S: Final = 60.0
COMMAND_TIMEOUT_S: Final = 120.0
ORPHANS_TIMEOUT_S: Final = 30.0
"""How long children of a killed process may take to end."""

_POLL_S: Final = 0.02
PROGRAM: Final = (sys.executable, "-m", "enigmacli")


class ChildError(EnigmaError):
    """A command of this program failed in a way that it did not name."""

    code = "child-failed"


@contextmanager
def family_lock(path: Path) -> Iterator[int]:
    """Hold ``path`` among processes until this one *and its children* have ended.

    The children inherit the descriptor, so after a kill -9 of this process the same command
    waits for the orphans, who end by themselves, and never works beside one.

    Returns:
        The descriptor, for :func:`run_command` and :class:`Child`.

    Raises:
        HomeBusyError: another family still holds it after a while.
        StorageError: the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _storage_error(path, error) from error
    try:
        deadline = time.monotonic() + ORPHANS_TIMEOUT_S
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise HomeBusyError(
                    f"another command is at work in {path.parent}",
                    hint="wait for it to end, or stop it",
                )
            time.sleep(_POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write {path}: {(error.strerror or 'unknown error').lower()}")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run_command(*arguments: str, keeps: Sequence[int] = ()) -> dict[str, Any]:
    """Run one command to its end.

    Args:
        arguments: the command line.
        keeps: descriptors that it inherits.

    Returns:
        Its result, as ``-o json`` prints it.

    Raises:
        EnigmaError, EnclaveError: what the command named as its own failure.
        WaitTimeoutError: it did not end in time.
    """
    try:
        done = subprocess.run(
            (*PROGRAM, *arguments, "-o", "json"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env=clean_environment(), timeout=COMMAND_TIMEOUT_S, pass_fds=keeps,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise WaitTimeoutError(f"{arguments[0]} did not end in {error.timeout:.0f} s") from error
    if done.returncode:
        raise named_error(arguments[0], done.stderr, done.returncode)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class Child:
    """A command that keeps running, and ends when this process does, however that ends."""

    def __init__(
        self, name: str, arguments: Sequence[str], logs: Path, keeps: Sequence[int] = ()
    ) -> None:
        self.name = name
        self._log = logs / f"{name}.log"
        self._errors = logs / f"{name}.err"
        try:
            logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._log.open("wb") as out, self._errors.open("wb") as err:
                self._process = subprocess.Popen(
                    (*PROGRAM, *arguments, "--die-with-parent", "-o", "json"),
                    stdin=subprocess.PIPE, stdout=out, stderr=err, env=clean_environment(),
                    start_new_session=True, pass_fds=keeps,
                )  # fmt: skip
        except OSError as error:
            raise _storage_error(self._log, error) from error

    def __enter__(self) -> Self:
        """Nothing more: the child runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the child, politely at first."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def listening(self) -> dict[str, Any]:
        """Wait for the line that says where the child listens.

        Raises:
            EnigmaError, EnclaveError: the child ended; what it named as its failure.
            WaitTimeoutError: it said nothing in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            for line in self._log.read_text(errors="replace").splitlines():
                event = _document(line)
                if event.get("event") == "listening":
                    return event
            if ended:
                told = self._errors.read_text(errors="replace")
                raise named_error(self.name, told, self._process.returncode)
            time.sleep(_POLL_S)
        raise WaitTimeoutError(
            f"{self.name} did not start within {START_TIMEOUT_S:.0f} s", hint=f"see {self._errors}"
        )


def named_error(name: str, stderr: str, status: int) -> EnigmaError | EnclaveError:
    """The failure that a child named on standard error, as the error it was there."""
    if status < 0:
        return ServiceUnavailableError(
            f"{name} was killed by signal {-status}", hint="run the same command again"
        )
    for line in reversed(stderr.splitlines()):
        told = _document(line).get("error")
        if isinstance(told, dict):
            return _rebuilt(name, told)
    return ChildError(f"{name} failed and did not say why", details={"stderr": stderr[-2000:]})


def _rebuilt(name: str, told: dict[str, Any]) -> EnigmaError | EnclaveError:
    code, message = str(told.get("code")), f"{name}: {told.get('message')}"
    details = told.get("details") or {}
    if code in BY_CODE:
        return BY_CODE[code](
            message, expected=str(details.get("expected", "")), seen=str(details.get("seen", ""))
        )
    kinds = {cls.code: cls for cls in vars(errors).values() if isinstance(cls, type)
             and issubclass(cls, EnigmaError)}  # fmt: skip
    return kinds.get(code, ChildError)(message, hint=str(told.get("hint") or ""), details=details)


def _document(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def clean_environment() -> dict[str, str]:
    """The environment without this program's own settings: a child gets flags."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")}
