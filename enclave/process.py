"""The host's end of one trusted process: spawn it, exchange frames with it, kill it."""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from enclave import frames
from enclave.errors import CallError, EnclaveUnavailableError

DIE_WITH_PARENT: Final = "--die-with-parent"

# Runs before anything of the package is imported. The package comes from the folder named
# first and from its sources, which are what is measured: never from a cached .pyc, and
# nothing else in that folder can be imported.
_START: Final = """\
import importlib.machinery, importlib.util, os, sys

class Source(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

def hook(path):
    if path != package and not path.startswith(package + os.sep):
        raise ImportError
    return importlib.machinery.FileFinder(path, (Source, [".py"]))

package = os.path.join(os.path.realpath(sys.argv.pop(1)), "enclave")
sys.path_hooks.insert(0, hook)
first = os.path.join(package, "__init__.py")
spec = importlib.util.spec_from_file_location(
    "enclave", first, loader=Source("enclave", first), submodule_search_locations=[package]
)
sys.modules["enclave"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from enclave.__main__ import main
status = main()
sys.stderr.flush()
os._exit(status)  # nothing is left to tear down, and somebody waits
"""
_CHUNK_BYTES: Final = 64 * 1024
_GRACE_S: Final = 1.0


class EnclaveProcess:
    """One running process and its two pipes; every wait has a deadline.

    The process ends when its standard input does, so also when this process dies. Spawned
    from the main thread it is killed with it too, even in the middle of a call; from another
    thread that cannot be asked for, since Linux would kill it as soon as that *thread* ends.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        if popen.stdin is None or popen.stdout is None:
            raise EnclaveUnavailableError("the enclave process has no pipes")
        self._stdin = popen.stdin.fileno()
        self._stdout = popen.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)

    @classmethod
    def spawn(cls, package: Path, arguments: Sequence[str], stderr: int | None = None) -> Self:
        """Start the trusted program from ``package``, with a clean environment.

        Args:
            package: the folder that contains the ``enclave`` package.
            arguments: the program's own.
            stderr: a file descriptor for its standard error, else nowhere.

        Raises:
            EnclaveUnavailableError: there is no such package, or no process could be made.
        """
        if not (package / "enclave" / "__main__.py").is_file():
            raise EnclaveUnavailableError(f"no enclave package in {package}")
        # -I: neither environment nor user site; -B: never write into the measured folder
        command = [sys.executable, "-I", "-B", "-c", _START, str(package), *arguments]
        if threading.current_thread() is threading.main_thread():
            command.append(DIE_WITH_PARENT)
        try:
            popen = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if stderr is None else stderr,
                close_fds=True,
                cwd="/",
                env={"LANG": "C.UTF-8"},
                process_group=0,  # an interrupt at the terminal is the host's business
            )
        except OSError as error:
            raise EnclaveUnavailableError(
                f"the enclave process could not be started: {error.strerror}"
            ) from error
        return cls(popen)

    def exchange(self, frame: bytes, timeout_s: float) -> tuple[int, bytes]:
        """Send one frame and read the answer: its number and its body.

        After any error the two sides may be out of step, so the process has to go.

        Raises:
            EnclaveUnavailableError: it died, did not answer in time, or sent no frame.
        """
        deadline = time.monotonic() + timeout_s
        self._send(frame, deadline)
        try:
            size = frames.parse_length(self._receive(frames.HEADER_BYTES, deadline))
        except CallError as error:
            raise EnclaveUnavailableError("the enclave answered with no frame") from error
        answer = self._receive(size, deadline)
        return answer[0], answer[1:]

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, whoever ended it."""
        return self._popen.poll() is not None

    def kill(self) -> None:
        """End the process at once."""
        self._popen.kill()
        self._release()

    def close(self) -> None:
        """End the process by closing its input; kill it if it lingers."""
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        try:
            self._popen.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        self._release()

    def _release(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        self._popen.wait()

    def _send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            self._wait(self._stdin, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._stdin, rest[:_CHUNK_BYTES]) :]
            except BlockingIOError:  # room for less than one pipe buffer
                continue
            except BrokenPipeError as error:
                raise EnclaveUnavailableError(self._ended()) from error

    def _receive(self, size: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < size:
            self._wait(self._stdout, select.POLLIN, deadline)
            chunk = os.read(self._stdout, min(_CHUNK_BYTES, size - len(received)))
            if not chunk:
                raise EnclaveUnavailableError(self._ended())
            received += chunk
        return bytes(received)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left_ms = max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(left_ms):
            raise EnclaveUnavailableError("the enclave did not answer in time")

    def _ended(self) -> str:
        try:
            status = self._popen.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return "the enclave process closed its pipes"
        return f"the enclave process ended with status {status}"
