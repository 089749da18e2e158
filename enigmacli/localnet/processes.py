"""Processes that outlive the command that started them, found again by the locks they hold.

A *record* names a process by its pid and the moment it started, and is locked by it. A record
that nobody locks is of a process that has ended, so a pid that the system gave to somebody else
is never signalled.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from enigmacli import home as homes
from enigmacli.child import PROGRAM, clean_environment, named_error
from enigmacli.errors import HomeBusyError, StorageError, WaitTimeoutError
from enigmacli.localnet import recorded_exec

START_TIMEOUT_S: Final = 90.0
STOP_TIMEOUT_S: Final = 20.0
_RECORD_TIMEOUT_S: Final = 2.0
_POLL_S: Final = 0.02
_STARTED_FIELD: Final = 19  # of /proc/PID/stat behind the name, proc_pid_stat(5)
_PARENT_FIELD: Final = 1


@dataclass(frozen=True, slots=True)
class Owner:
    """A running process."""

    pid: int
    started: int
    """Clock ticks between the machine's start and the process's."""

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has ended; never to another one of its pid."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if started_at(self.pid) == self.started:
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)


class Background:
    """One process of a network, running or not.

    Args:
        folder: of the network.
        name: of the process.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        """Its events, one a line, of all its lives."""
        self.errors = folder / "logs" / f"{name}.err"
        self._record = folder / "run" / f"{name}.json"

    def owner(self) -> Owner | None:
        """Who runs; ``None`` where nobody does.

        Raises:
            HomeBusyError: somebody holds the record and does not say who it is.
        """
        deadline = time.monotonic() + _RECORD_TIMEOUT_S
        while self._is_held():
            named = self._read_record()
            if named is not None and started_at(named.pid) == named.started:
                return named
            if time.monotonic() > deadline:
                raise HomeBusyError(f"{self._record} is held by a process that it does not name")
            time.sleep(_POLL_S)
        return None

    def start(self, *arguments: str) -> dict[str, Any]:
        """Start this program with ``arguments``, and wait until it says where it listens.

        Returns:
            The event in which it says so.

        Raises:
            EnigmaError, EnclaveError: it ended; what it named as its failure.
            WaitTimeoutError: it said nothing in time.
            StorageError: a file cannot be made.
        """
        homes.make_folder(self.log.parent)
        homes.make_folder(self._record.parent)
        process, log_from, errors_from = self._spawn(arguments)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            status = process.poll()
            for event in self.events(log_from):
                if event.get("event") == "listening":
                    return event
            if status is not None:
                raise named_error(self.name, _text_from(self.errors, errors_from), status)
            time.sleep(_POLL_S)
        raise WaitTimeoutError(
            f"{self.name} did not start within {START_TIMEOUT_S:.0f} s", hint=f"see {self.errors}"
        )

    def _spawn(self, arguments: Sequence[str]) -> tuple["subprocess.Popen[bytes]", int, int]:
        try:
            with self.log.open("ab") as out, self.errors.open("ab") as err:
                sizes = out.tell(), err.tell()
                process = subprocess.Popen(
                    (sys.executable, "-I", recorded_exec.__file__, str(self._record),
                     *PROGRAM, *arguments, "-o", "json"),
                    stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    env=clean_environment(), start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise homes.storage_error("write", self.log, error) from error
        return process, *sizes

    def events(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """What it has said so far, from the byte ``since`` of its log on."""
        whole, _, _ = _text_from(self.log, since).rpartition("\n")
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> str:
        """End it, politely at first.

        Returns:
            ``stopped``, ``killed`` where it did not obey in time, ``not running``.
        """
        owner = self.owner()
        if owner is None:
            return "not running"
        offspring = descendants(owner.pid)
        owner.signal(signal.SIGTERM)
        how = "stopped"
        if not self._ends_within(timeout_s):
            owner.signal(signal.SIGKILL)
            how = "killed"
        self._wait_for_all(offspring)
        return how

    def kill(self) -> Owner | None:
        """Kill it without a warning; its children end by themselves."""
        owner = self.owner()
        if owner is not None:
            offspring = descendants(owner.pid)
            owner.signal(signal.SIGKILL)
            self._wait_for_all(offspring)
        return owner

    def _wait_for_all(self, offspring: Sequence[Owner]) -> None:
        """Wait for the process and its children.

        Raises:
            WaitTimeoutError: one outlives the patience.
        """
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self._is_held() or any(started_at(one.pid) == one.started for one in offspring):
            if time.monotonic() > deadline:
                raise WaitTimeoutError(f"processes of {self.name} do not end")
            time.sleep(_POLL_S)

    def _ends_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self._is_held():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _is_held(self) -> bool:
        try:
            with self._record.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        except OSError as error:
            raise homes.storage_error("read", self._record, error) from error
        return False

    def _read_record(self) -> Owner | None:
        try:
            document = json.loads(self._record.read_bytes())
            return Owner(int(document["pid"]), int(document["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def started_at(pid: int) -> int | None:
    """When a process started; ``None`` where there is none, or a dead one nobody asked after."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[_STARTED_FIELD])


def descendants(root: int) -> tuple[Owner, ...]:
    """The living processes below one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PARENT_FIELD]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            started = started_at(pid)
            if started is not None:
                found.append(Owner(pid, started))
            waiting.append(pid)
    return tuple(found)


def command_line(pid: int) -> tuple[str, ...]:
    """A process's arguments; none where it has ended."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(raw.decode(errors="replace").split("\0"))


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _text_from(path: Path, start: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StorageError(f"cannot read {path}: {(error.strerror or '').lower()}") from error
