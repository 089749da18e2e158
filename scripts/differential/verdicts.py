# ruff: noqa: INP001 -- a part of a program, in no package
"""Two verdicts on the same evidence at the same time: ours, and another implementation's."""

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from enclave.appraise.policy import STRICT_PRODUCTION, TCB_STATUSES
from enclave.appraise.rules import appraise_dcap
from enclave.appraise.scope import PRODUCTION_ONLY
from enclave.checks import Check
from enclave.errors import EnclaveError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral
from enclave.times import US_PER_S
from enclave.verify.dcap import verify_quote
from enclave.verify.roots import TrustRoots

LENIENT: Final = replace(
    STRICT_PRODUCTION,
    platform_tcb_statuses=tuple(sorted(TCB_STATUSES)),
    qe_tcb_statuses=tuple(sorted(TCB_STATUSES)),
    max_clock_skew_s=0,
)
"""Any status but Revoked, as the other implementation has it."""


@dataclass(frozen=True)
class Case:
    """Evidence, and when it is judged."""

    name: str
    family: str
    """What sort of change made it."""
    quote: bytes
    collateral: Mapping[str, Any]
    """In the JSON form of dcap-qvl."""
    at_s: int
    root: bytes | None = None
    """DER of a simulated root; None: Intel's."""


@dataclass(frozen=True)
class Verdict:
    """What an implementation says."""

    accepted: bool
    status: str = ""
    advisories: tuple[str, ...] = ()
    reason: str = ""
    """Ours: the error code. The other's: its message."""


def ours(case: Case) -> Verdict:
    """By the code that validators run, under a policy that accepts any status."""
    checks: list[Check] = []
    at_us = case.at_s * US_PER_S
    try:
        roots = TrustRoots.standing_in(case.root) if case.root else TrustRoots.of_intel()
        collateral = Collateral.parse_json(json.dumps(case.collateral).encode())
        evidence = QuoteWithCollateral(case.quote, collateral.encode_intel())
        verified = verify_quote(evidence, roots, checks, at_us=at_us, max_clock_skew_s=0)
        appraise_dcap(verified, LENIENT, at_us, checks, PRODUCTION_ONLY)
    except EnclaveError as error:
        return Verdict(accepted=False, reason=error.code)
    return Verdict(
        accepted=True, status=verified.status or "", advisories=tuple(verified.advisory_ids)
    )


class Other:
    """The other implementation, a process that answers line by line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "oracle.js"],  # noqa: S607 -- whichever node the machine has
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def judge(self, case: Case) -> Verdict:
        """What it says."""
        question = {
            "quote": base64.b64encode(case.quote).decode(),
            "collateral": case.collateral,
            "now": case.at_s,
            "root": base64.b64encode(case.root).decode() if case.root else None,
        }
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            raise RuntimeError("the other implementation has no pipes")
        into.write(json.dumps(question) + "\n")
        into.flush()
        answer = json.loads(out.readline())
        if "error" in answer:
            return Verdict(accepted=False, reason=answer["error"])
        return Verdict(
            accepted=True, status=answer["status"], advisories=tuple(answer["advisories"])
        )
