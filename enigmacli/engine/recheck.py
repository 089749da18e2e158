"""Re-checking committed admissions with the own enclave, beside consensus.

protocol.md section 8 rule 5: ``recheck`` answers only equal or not, never a wrap. A confirm
that is not what this enclave computes means that more than 2/3 of the power agreed on a
seed that the newcomer cannot open, or opened to somebody else: an alarm, not a stop.
"""

import queue
import threading
from contextlib import suppress
from typing import Final, Protocol

from enclave.calls import AdmitReply
from enclave.errors import EnclaveError
from enigmacli.app.block import CommittedConfirm
from enigmacli.engine.events import Alarm, AppReason, Report

_WAITING: Final = 1_000
"""Admissions that may wait; more than a chain of ours commits in an hour of catching up."""


class Rechecker(Protocol):
    """The keyed enclave, as far as this module asks it."""

    def recheck(self, certificate: bytes, owner: bytes, at_us: int, confirm: AdmitReply) -> bool:
        """Whether the committed ``confirm`` is what this enclave computes."""
        ...


class BackgroundRecheck:
    """A thread of its own that asks the enclave about every committed admission."""

    def __init__(self, enclave: Rechecker, report: Report) -> None:
        self._enclave = enclave
        self._report = report
        self._queue: queue.Queue[tuple[int, CommittedConfirm] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="recheck", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def add(self, height: int, admission: CommittedConfirm) -> None:
        """Queue an admission; never waits."""
        try:
            self._queue.put_nowait((height, admission))
        except queue.Full:
            self._report(AppReason(f"admission of height {height} is not re-checked: too many"))

    def close(self) -> None:
        """Finish what is being asked, forget the rest."""
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def check(self, height: int, admission: CommittedConfirm) -> None:
        """Ask the enclave about one admission, and raise the alarm if it disagrees."""
        node_id = admission.confirm.node_id.hex()
        try:
            equal = self._enclave.recheck(
                admission.certificate, admission.owner, admission.at_us, admission.confirm
            )
        except EnclaveError as error:
            self._report(AppReason(f"admission of {node_id} was not re-checked: {error}"))
            return
        if not equal:
            self._report(Alarm(f"the chain admitted {node_id} with another seed than ours", height))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self.check(*item)
            self._queue.task_done()
