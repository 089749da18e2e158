"""An enclave in memory: judges evidence of a made-up form and answers deterministically.

Evidence is 69 bytes: verdict (1), node_id (32), owner (20), first and last microsecond at
which it is acceptable (8 each). It has no keys and no cryptography, but obeys the same
interface and raises the same errors as the real one.
"""

import hashlib
import struct
from dataclasses import dataclass, field

from enclave.calls import AdmitReply, JudgeReply
from enclave.errors import (
    BindingError,
    ContainerFormatError,
    EnclaveError,
    EnclaveUnavailableError,
    EvidenceTooOldError,
    MeasurementNotAllowedError,
    NotYetValidError,
    ReportSignatureError,
)

FOREVER_US = 2**62
_LAYOUT = struct.Struct(">B32s20sQQ")
_VERDICTS: dict[int, type[EnclaveError] | None] = {
    0: None,
    1: ReportSignatureError,
    2: MeasurementNotAllowedError,
}
MEASUREMENT = bytes.fromhex("9b" * 32)


def evidence(
    node_id: bytes,
    owner: bytes,
    *,
    verdict: int = 0,
    valid_from_us: int = 0,
    valid_until_us: int = FOREVER_US,
) -> bytes:
    """Evidence of the made-up form; verdict 1 is forged, 2 is of another measurement."""
    return _LAYOUT.pack(verdict, node_id, owner, valid_from_us, valid_until_us)


@dataclass
class SimulatedEnclave:
    """Judge and admitter in one."""

    seed: bytes = b"the seed"
    available: bool = True
    seeded: bool = True
    bug: Exception | None = None
    """What every call raises: a fault of the client's, not a verdict."""
    clock_us: int = 0
    judged_at_us: int = 0
    """The time that the last evidence was to be judged at."""
    calls: list[str] = field(default_factory=list)
    bootstraps: list[tuple[bytes, int, bytes, bytes]] = field(default_factory=list)

    def judge(
        self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool = False
    ) -> JudgeReply:
        self._called("judge")
        self.judged_at_us = at_us
        try:
            verdict, node_id, bound, valid_from_us, valid_until_us = _LAYOUT.unpack(certificate)
        except struct.error as error:
            raise ContainerFormatError("evidence has another size") from error
        refusal = _VERDICTS.get(verdict, ContainerFormatError)
        if refusal is not None:
            raise refusal("evidence is refused", expected="verdict 0", seen=f"verdict {verdict}")
        if bound != owner:
            raise BindingError("another owner", expected=owner.hex(), seen=bound.hex())
        at_us = max(at_us, valid_from_us) if catch_up else at_us
        if at_us < valid_from_us:
            raise NotYetValidError("evidence is of the future")
        if at_us > valid_until_us:
            raise EvidenceTooOldError("evidence is too old")
        return JudgeReply(node_id, "epid", MEASUREMENT, "OK", valid_from_us, valid_until_us)

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        self._called("admit")
        if not self.seeded:
            raise EnclaveUnavailableError("no seed is held")
        verdict = self.judge(certificate, owner, at_us)
        wrap = hashlib.sha384(self.seed + verdict.node_id).digest()
        return AdmitReply(verdict.node_id, wrap, 0, "epid", MEASUREMENT, "OK")

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        self._called("judge_bootstrap")
        self.bootstraps.append((certificate, at_us, exchange_pk, io_pk))
        if certificate != b"bootstrap evidence":
            raise ReportSignatureError("the bootstrap evidence is forged")
        return JudgeReply(exchange_pk, "epid", MEASUREMENT, "OK", 0, FOREVER_US)

    def advance(self, at_us: int) -> None:
        self._called("advance")
        self.clock_us = max(self.clock_us, at_us)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.bug is not None:
            raise self.bug
        if not self.available:
            raise EnclaveUnavailableError("the process does not answer")
