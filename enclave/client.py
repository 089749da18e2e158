"""The one door to the trusted process: start it, call it, time out, start it again.

Everything that goes wrong with the process itself is an :class:`EnclaveUnavailableError`;
what the enclave refuses comes back as the class of :mod:`enclave.errors` that it raised.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from enclave import calls, codec, frames
from enclave.errors import BY_CODE, CallError, EnclaveError, EnclaveUnavailableError
from enclave.process import EnclaveProcess

JUDGING_TIMEOUT_S: Final = 1.0
ADVANCE_TIMEOUT_S: Final = 3.0
"""Every commit waits for this call, so a hung enclave must not hold its validator up for long; a
file is synced in it, so it may take longer than a judgement."""
CALL_TIMEOUT_S: Final = 30.0
START_TIMEOUT_S: Final = 10.0
RETRY_AFTER_S: Final = 30.0
"""How long calls fail at once after two starts in a row have failed."""

_JUDGING: Final = (calls.Judge, calls.JudgeBootstrap, calls.Admit, calls.Recheck)
_INSTALLED: Final = Path(__file__).resolve().parent.parent

R = TypeVar("R")


class EnclaveClient:
    """Calls of one role; the process is started by the first of them.

    One call runs at a time; a second thread waits. A process that ended between two calls is
    started anew, once, before the second is sent. After death, a time-out or nonsense *during*
    a call that call fails, and the next one starts the process once more: what was asked may
    be what killed it.

    Args:
        package: the folder that contains the ``enclave`` package.
        arguments: the program's command line.
        greeting: the first call after every start, answered when the process is ready.
        stderr: a file descriptor for the process's standard error, else nowhere.
    """

    def __init__(
        self,
        package: Path | None,
        arguments: Sequence[str],
        greeting: calls.Status | calls.Configure,
        stderr: int | None = None,
    ) -> None:
        self._package = (package or _INSTALLED).absolute()
        self._arguments = tuple(arguments)
        self._greeting = greeting
        self._stderr = stderr
        self._lock = threading.Lock()
        self._process: EnclaveProcess | None = None
        self._early: EnclaveProcess | None = None
        self._failed_starts = 0
        self._retry_at = 0.0
        self._cause = ""

    @classmethod
    def keys(
        cls,
        *,
        package: Path | None,
        state: Path,
        backend: str = "simulation",
        stderr: int | None = None,
    ) -> Self:
        """The role with keys, over the sealed files in the folder ``state``."""
        arguments = ["--role", "keys", "--backend", backend, "--state", str(state.absolute())]
        return cls(package, arguments, calls.Status(), stderr)

    @classmethod
    def judge_role(
        cls, *, package: Path | None, chain_id: str, policy: bytes, stderr: int | None = None
    ) -> Self:
        """The role without keys, told after every start for which network it judges.

        Args:
            package: the folder that contains the ``enclave`` package, else the installed one.
            chain_id: from genesis.
            policy: canonical JSON, from genesis.
            stderr: a file descriptor for the process's standard error, else nowhere.
        """
        return cls(package, ["--role", "judge"], calls.Configure(chain_id, policy), stderr)

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def start_early(self) -> None:
        """Start the process without waiting until it is ready, so that a first call waits less.

        Raises:
            EnclaveUnavailableError: no process could be made.
        """
        with self._lock:
            if self._process is None and self._early is None:
                self._early = self._spawn()

    def close(self) -> None:
        """End the process, if one runs; a later call starts another."""
        with self._lock:
            for process in (self._process, self._early):
                if process is not None:
                    process.close()
            self._process = self._early = None
            self._failed_starts = 0

    # --- one method per call, named like it ---------------------------------------------

    def status(self) -> calls.StatusReply:
        """See :class:`enclave.calls.Status`."""
        return self._typed(calls.Status(), calls.StatusReply)

    def keygen(self, chain_id: str, policy: bytes) -> calls.KeygenReply:
        """See :class:`enclave.calls.Keygen`."""
        return self._typed(calls.Keygen(chain_id, policy), calls.KeygenReply)

    def evidence(
        self,
        purpose: str,
        kind: str,
        owner: bytes,
        sig_rl: bytes = b"",
        certification_data: bytes = b"",
    ) -> calls.EvidenceReply:
        """See :class:`enclave.calls.Evidence`."""
        request = calls.Evidence(purpose, kind, owner, sig_rl, certification_data)
        return self._typed(request, calls.EvidenceReply)

    def bootstrap(self, chain_id: str, policy: bytes) -> calls.PublicKeysReply:
        """See :class:`enclave.calls.Bootstrap`."""
        return self._typed(calls.Bootstrap(chain_id, policy), calls.PublicKeysReply)

    def public_keys(self) -> calls.PublicKeysReply:
        """See :class:`enclave.calls.PublicKeys`."""
        return self._typed(calls.PublicKeys(), calls.PublicKeysReply)

    def judge(
        self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool = False
    ) -> calls.JudgeReply:
        """See :class:`enclave.calls.Judge`."""
        return self._typed(calls.Judge(certificate, owner, at_us, catch_up), calls.JudgeReply)

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> calls.JudgeReply:
        """See :class:`enclave.calls.JudgeBootstrap`."""
        request = calls.JudgeBootstrap(certificate, at_us, exchange_pk, io_pk)
        return self._typed(request, calls.JudgeReply)

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> calls.AdmitReply:
        """See :class:`enclave.calls.Admit`."""
        return self._typed(calls.Admit(certificate, owner, at_us), calls.AdmitReply)

    def recheck(
        self, certificate: bytes, owner: bytes, at_us: int, confirm: calls.AdmitReply
    ) -> bool:
        """Whether the committed ``confirm`` is what this enclave computes."""
        request = calls.Recheck(certificate, owner, at_us, confirm)
        return self._typed(request, calls.RecheckReply).equal

    def install(
        self,
        *,
        genesis_exchange_pk: bytes,
        genesis_io_pk: bytes,
        bootstrap_certificate: bytes,
        bootstrap_at_us: int,
        exchange_pk: bytes,
        encrypted_seed: bytes,
    ) -> calls.PublicKeysReply:
        """See :class:`enclave.calls.Install`."""
        request = calls.Install(
            genesis_exchange_pk,
            genesis_io_pk,
            bootstrap_certificate,
            bootstrap_at_us,
            exchange_pk,
            encrypted_seed,
        )
        return self._typed(request, calls.PublicKeysReply)

    def advance(self, at_us: int) -> None:
        """See :class:`enclave.calls.Advance`."""
        self._typed(calls.Advance(at_us), calls.Done, ADVANCE_TIMEOUT_S)

    def seal(self) -> tuple[calls.SealedFile, ...]:
        """See :class:`enclave.calls.Seal`."""
        return self._typed(calls.Seal(), calls.SealReply).files

    def backup(self) -> calls.BackupBundle:
        """See :class:`enclave.calls.Backup`."""
        return self._typed(calls.Backup(), calls.BackupBundle)

    def verify_backup(self, bundle: calls.BackupBundle) -> tuple[calls.SealedFile, ...]:
        """See :class:`enclave.calls.VerifyBackup`."""
        return self._typed(calls.VerifyBackup(bundle), calls.SealReply).files

    def restore(self, bundle: calls.BackupBundle) -> tuple[str, ...]:
        """The names of the files that :class:`enclave.calls.Restore` wrote."""
        return self._typed(calls.Restore(bundle), calls.RestoreReply).restored

    # --- the process ------------------------------------------------------------------------

    def call(self, request: Any, timeout_s: float | None = None) -> Any:
        """Carry out one request of :mod:`enclave.calls`; the answer is its ``REPLY``.

        Args:
            request: any of :data:`enclave.calls.REQUESTS`.
            timeout_s: counts from a ready process; by default 1 s for what judges evidence,
                else 30 s.

        Raises:
            EnclaveUnavailableError: the process could not be started, died, did not answer
                in time, or answered nonsense.
            EnclaveError: the class that the enclave raised.
        """
        if timeout_s is None:
            timeout_s = JUDGING_TIMEOUT_S if isinstance(request, _JUDGING) else CALL_TIMEOUT_S
        frame = frames.encode(request.NUMBER, request)
        with self._lock:
            return self._exchange(self._ready(), request, frame, timeout_s)

    def _typed(self, request: Any, reply: type[R], timeout_s: float | None = None) -> R:
        answer = self.call(request, timeout_s)
        if not isinstance(answer, reply):  # the class named here is the request's REPLY
            raise EnclaveUnavailableError("the enclave answered another call")
        return answer

    def _exchange(
        self, process: EnclaveProcess, request: Any, frame: bytes, timeout_s: float
    ) -> Any:
        try:
            number, body = process.exchange(frame, timeout_s)
            error, answer = _decode(request, number, body)
        except BaseException:  # an interrupt leaves the two sides out of step as well
            self._process = None
            process.kill()
            raise
        if error is not None:
            raise error
        return answer

    def _ready(self) -> EnclaveProcess:
        if self._process is not None and self._process.has_ended:
            self._process.kill()  # what is left of it: its pipes
            self._process = None
        if self._process is not None:
            return self._process
        if self._failed_starts > 1 and time.monotonic() < self._retry_at:
            raise EnclaveUnavailableError(f"the enclave does not start: {self._cause}")
        try:
            self._start()
        except EnclaveUnavailableError as error:
            self._failed_starts += 1
            self._retry_at = time.monotonic() + RETRY_AFTER_S
            self._cause = error.message
            raise
        self._failed_starts = 0
        return self._started()

    def _start(self) -> None:
        self._process, self._early = self._early or self._spawn(), None
        frame = frames.encode(self._greeting.NUMBER, self._greeting)
        try:
            self._exchange(self._process, self._greeting, frame, START_TIMEOUT_S)
        except EnclaveUnavailableError:
            raise
        except EnclaveError:
            # An answer: the process is ready. Sealed files that do not open stop neither
            # a restore nor a question; the judge, though, is of no use unconfigured.
            if isinstance(self._greeting, calls.Configure):
                self._started().close()
                self._process = None
                raise

    def _spawn(self) -> EnclaveProcess:
        return EnclaveProcess.spawn(self._package, self._arguments, self._stderr)

    def _started(self) -> EnclaveProcess:
        if self._process is None:
            raise EnclaveUnavailableError("the enclave process has ended")
        return self._process


def _decode(request: Any, number: int, body: bytes) -> tuple[EnclaveError | None, Any]:
    try:
        if number == calls.ErrorReply.NUMBER:
            return _error(codec.decode(calls.ErrorReply, body)), None
        if number == request.NUMBER:
            return None, codec.decode(request.REPLY, body)
    except CallError as error:
        raise EnclaveUnavailableError("the enclave's answer is malformed") from error
    raise EnclaveUnavailableError("the enclave answered another call")


def _error(reply: calls.ErrorReply) -> EnclaveError:
    kind = BY_CODE.get(reply.code, EnclaveError)
    return kind(reply.message, expected=reply.expected, seen=reply.seen)
