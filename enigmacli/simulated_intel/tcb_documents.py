"""SIMULATION ONLY: TCB Info, enclave identities and evaluation numbers, as Intel writes them.

Source: Intel SGX and TDX Provisioning Certification Service, API version 4: "Get TCB Info",
"Get Quoting Enclave Identity", "Retrieve TCB Evaluation Data Numbers". A document is one JSON
object of a single member and ``signature``: hex of r ‖ s (ECDSA, P-256, SHA-256) over exactly
the member's text as served.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from enclave.evidence import simulated_dcap
from enclave.evidence.simulated_dcap import TEE_SGX, TEE_TDX

TCB_INFO: Final = "tcbInfo"
IDENTITY: Final = "enclaveIdentity"
EVALUATION_NUMBERS: Final = "tcbEvaluationDataNumbers"

TEE_NAMES: Final = {TEE_SGX: "SGX", TEE_TDX: "TDX"}
QE_NAMES: Final = {TEE_SGX: "QE", TEE_TDX: "TD_QE"}

UP_TO_DATE: Final = "UpToDate"
DEFAULT_ADVISORIES: Final = ("INTEL-SA-00615",)
"""Come with every other status where no others were asked for."""

CURRENT_TCB_DATE: Final = "2024-03-13T00:00:00Z"
FORMER_TCB_DATE: Final = "2023-08-09T00:00:00Z"
FORMER_ADVISORIES: Final = ("INTEL-SA-00960", "INTEL-SA-00982")
MODULE_SVN: Final = 4
"""Of the TDX module that is up to date."""

_COMPONENTS: Final[Sequence[Mapping[str, str]]] = (
    {"category": "BIOS", "type": "Early Microcode Update"},
    {"category": "OS/VMM", "type": "SGX Late Microcode Update"},
    {"category": "OS/VMM", "type": "TXT SINIT"},
    {"category": "BIOS"},
    {"category": "BIOS"},
    {"category": "BIOS"},
    {},
    {"category": "OS/VMM", "type": "SEAMLDR ACM"},
    *({},) * 8,
)
_TDX_COMPONENTS: Final[Sequence[Mapping[str, str]]] = (
    {"category": "OS/VMM", "type": "TDX Module"},
    {"category": "OS/VMM", "type": "TDX Module"},
    {"category": "OS/VMM", "type": "TDX Late Microcode Update"},
    *({},) * 13,
)
_TDX_LEVEL: Final = bytes((5, 0, 7)) + bytes(13)  # the module's own SVN has levels of its own


@dataclass(frozen=True, slots=True)
class Finding:
    """What the documents say about every SIMULATED platform.

    Advisories that are ``None`` are those that usually come with the status.

    Attributes:
        tcb_status: of the platform's own level, in Intel's spelling.
        advisory_ids: of that level.
        qe_status: of the quoting enclave's own level.
        qe_advisory_ids: of that level.
        evaluation_number: tcbEvaluationDataNumber of both documents.
        module_status: of the TDX module's own level.
    """

    tcb_status: str = UP_TO_DATE
    advisory_ids: tuple[str, ...] | None = None
    qe_status: str = UP_TO_DATE
    qe_advisory_ids: tuple[str, ...] | None = None
    evaluation_number: int = 17
    module_status: str = UP_TO_DATE


@dataclass(frozen=True, slots=True)
class Validity:
    """When a document was issued, and when the next one is due; aware."""

    issued: datetime
    next_update: datetime

    def members(self) -> dict[str, str]:
        """As documents say it, in whole seconds."""
        return {"issueDate": _time(self.issued), "nextUpdate": _time(self.next_update)}


def tcb_info(tee_type: int, finding: Finding, validity: Validity) -> dict[str, Any]:
    """The TCB Info of the SIMULATED platforms: their own level, and a former one below it."""
    members: dict[str, Any] = {"id": TEE_NAMES[tee_type], "version": 3}
    members |= validity.members()
    members |= {
        "fmspc": simulated_dcap.FMSPC.hex().upper(),
        "pceId": simulated_dcap.PCE_ID.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": finding.evaluation_number,
    }
    if tee_type == TEE_TDX:
        members |= {
            "tdxModule": _module(),
            "tdxModuleIdentities": [_module_identity(finding.module_status)],
        }
    current = level(
        _platform_tcb(tee_type, simulated_dcap.PCE_SVN),
        CURRENT_TCB_DATE,
        finding.tcb_status,
        usual_advisories(finding.tcb_status, finding.advisory_ids),
    )
    former = level(_platform_tcb(tee_type, 5), FORMER_TCB_DATE, "OutOfDate", FORMER_ADVISORIES)
    return members | {"tcbLevels": [current, former]}


def identity(
    tee_type: int, finding: Finding, validity: Validity, enclave: str | None = None
) -> dict[str, Any]:
    """The identity of a SIMULATED quoting enclave.

    Args:
        tee_type: whose.
        finding: the status of its level.
        validity: of the document.
        enclave: its id, ``QVE`` for instance; None for the quoting enclave itself.
    """
    members: dict[str, Any] = {"id": enclave or QE_NAMES[tee_type], "version": 2}
    members |= validity.members()
    svn = simulated_dcap.QE_SVN[tee_type]
    former = level({"isvsvn": svn - 2}, FORMER_TCB_DATE, "OutOfDate", FORMER_ADVISORIES)
    advisory_ids = usual_advisories(finding.qe_status, finding.qe_advisory_ids)
    current = level({"isvsvn": svn}, CURRENT_TCB_DATE, finding.qe_status, advisory_ids)
    return members | {
        "tcbEvaluationDataNumber": finding.evaluation_number,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": simulated_dcap.QE_SIGNER.hex().upper(),
        "isvprodid": simulated_dcap.QE_PROD_ID[tee_type],
        "tcbLevels": [current, former],
    }


def evaluation_numbers(tee_type: int, numbers: Sequence[int], validity: Validity) -> dict[str, Any]:
    """Which evaluation data sets there are, the newest first."""
    listed = [
        {
            "tcbEvaluationDataNumber": number,
            "tcbRecoveryEventDate": CURRENT_TCB_DATE,
            "tcbDate": CURRENT_TCB_DATE,
        }
        for number in sorted(numbers, reverse=True)
    ]
    members: dict[str, Any] = {"id": TEE_NAMES[tee_type], "version": 1}
    return members | validity.members() | {"tcbEvalNumbers": listed}


def level(
    tcb: Mapping[str, Any], tcb_date: str, status: str, advisory_ids: Sequence[str] = ()
) -> dict[str, Any]:
    """One entry of ``tcbLevels``; without advisories it has no member for them."""
    entry: dict[str, Any] = {"tcb": dict(tcb), "tcbDate": tcb_date, "tcbStatus": status}
    return entry | ({"advisoryIDs": list(advisory_ids)} if advisory_ids else {})


def usual_advisories(status: str, asked_for: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """What a level names: what was asked for, or else what usually comes with its status."""
    if asked_for is not None:
        return asked_for
    return () if status == UP_TO_DATE else DEFAULT_ADVISORIES


def text_of(members: Mapping[str, Any]) -> str:
    """The text that is signed and served: no white space, members in their order."""
    return json.dumps(members, separators=(",", ":"))


def sign(text: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """64 bytes, r ‖ s, without randomness (RFC 6979)."""
    return simulated_dcap.sign(text.encode(), key)


def served(kind: str, text: str, signature: bytes) -> bytes:
    """The whole body of an answer.

    Args:
        kind: the one member's name, such as :data:`TCB_INFO`.
        text: that member's exact text.
        signature: 64 bytes.
    """
    return f'{{"{kind}":{text},"signature":"{signature.hex()}"}}'.encode()


def _platform_tcb(tee_type: int, pce_svn: int) -> dict[str, Any]:
    tcb: dict[str, Any] = {
        "sgxtcbcomponents": components(simulated_dcap.CPU_SVN, _COMPONENTS),
        "pcesvn": pce_svn,
    }
    if tee_type == TEE_TDX:
        tcb["tdxtcbcomponents"] = components(_TDX_LEVEL, _TDX_COMPONENTS)
    return tcb


def components(
    svns: bytes, names: Sequence[Mapping[str, str]] = ({},) * 16
) -> list[dict[str, Any]]:
    """16 security versions, each with what Intel says about it."""
    return [{"svn": svn, **named} for svn, named in zip(svns, names, strict=True)]


def _module() -> dict[str, str]:
    return {
        "mrsigner": bytes(48).hex(),
        "attributes": bytes(8).hex(),
        "attributesMask": (b"\xff" * 8).hex().upper(),
    }


def _module_identity(status: str) -> dict[str, Any]:
    levels = [
        level({"isvsvn": MODULE_SVN}, CURRENT_TCB_DATE, status, usual_advisories(status)),
        level({"isvsvn": MODULE_SVN - 2}, FORMER_TCB_DATE, "OutOfDate"),
    ]
    return {"id": "TDX_01", **_module(), "tcbLevels": levels}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
