"""SIMULATION ONLY: how a fault changes an answer."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from enigmacli.attestation.ias_answer import CERTIFICATE_HEADER, SIGNATURE_HEADER
from enigmacli.simulated_intel.exchange import Answer, Delivery
from enigmacli.simulated_intel.faults import Fault, FaultKind, failure, note_of

_OK: Final = 200
_MISSING: Final = {
    FaultKind.MISSING_SIGNATURE: SIGNATURE_HEADER,
    FaultKind.MISSING_CERTIFICATE: CERTIFICATE_HEADER,
}


@dataclass
class Spoiler:
    """Spoils answers, and remembers the last good report for replaying."""

    last_report: Answer | None = None

    def answer(self, fault: Fault | None, decide: Callable[[], Answer]) -> Answer:
        """What is sent in the place of what ``decide`` answers.

        Args:
            fault: ``None`` sends that answer itself.
            decide: not called where the fault needs no true answer.
        """
        if fault is None:
            return self._remembered(decide())
        failed = failure(fault)
        if failed is not None:
            return failed
        note = note_of(fault)
        if fault.kind is FaultKind.REPLAYED_REPORT and self.last_report is not None:
            return replace(self.last_report, note=note)
        return replace(_spoiled(fault.kind, decide()), note=note)

    def _remembered(self, answer: Answer) -> Answer:
        if answer.status == _OK and SIGNATURE_HEADER in answer.headers:
            self.last_report = answer
        return answer


def _spoiled(kind: FaultKind, answer: Answer) -> Answer:
    if kind is FaultKind.TRUNCATED_BODY:
        return replace(answer, delivery=Delivery.TRUNCATED)
    headers = dict(answer.headers)
    if kind in _MISSING:
        headers.pop(_MISSING[kind], None)
    if kind is FaultKind.WRONG_SIGNATURE and SIGNATURE_HEADER in headers:
        signature = bytearray(base64.b64decode(headers[SIGNATURE_HEADER]))
        signature[-1] ^= 1
        headers[SIGNATURE_HEADER] = base64.b64encode(signature).decode()
    return replace(answer, headers=headers)
