"""SIMULATION ONLY: what a simulated PCS was told to say, and how it is told.

``POST /simulation/v1/faults`` takes a JSON object; each member replaces one setting::

    {"tcb_status": "SWHardeningNeeded", "advisory_ids": ["INTEL-SA-00615"],
     "qe_status": "OutOfDate", "qe_advisory_ids": null, "module_status": "UpToDate",
     "tcb_evaluation_data_number": 17, "documents": {"tcb": "rolled-back", "pckcrl": "expired"},
     "revoked": ["tcb-signing", "<128 hex of a PCK>"], "pck_ca": "processor", "caching": true,
     "latency_ms": 250, "next": ["503,times=2,retry-after=1", "wrong-signature,endpoint=tcb"]}

Advisories may be ``null``: those that usually come with the status. ``documents`` may be one
word for all of them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.behaviour import (
    MAX_EVALUATION_NUMBER,
    MAX_LATENCY_MS,
    MAX_LISTED,
    change,
    parse_advisories,
    parse_faults,
    parse_integer,
)
from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES, ROLES, Ca
from enigmacli.simulated_intel.faults import FaultKind, FaultQueue, FaultRules
from enigmacli.simulated_intel.tcb_documents import UP_TO_DATE, Finding

PLATFORM_STATUSES: Final = (
    UP_TO_DATE,
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
ENCLAVE_STATUSES: Final = (UP_TO_DATE, "OutOfDate", "Revoked")
"""Of quoting enclaves and of the TDX module."""

_PCK_KEY: Final = re.compile(rf"[0-9a-f]{{{2 * PCK_KEY_BYTES}}}")


class Document(StrEnum):
    """What can be served, and can fail."""

    PCK_CERT = "pckcert"
    PCK_CRL = "pckcrl"
    ROOT_CRL = "rootcacrl"
    TCB = "tcb"
    IDENTITY = "identity"
    NUMBERS = "evaluation-numbers"
    FMSPCS = "fmspcs"


DATED: Final = (Document.PCK_CRL, Document.ROOT_CRL, Document.TCB, Document.IDENTITY)


class Edition(StrEnum):
    """Which issue of a dated document is served."""

    CURRENT = "current"
    EXPIRED = "expired"
    """The last one, long after the next was due."""
    ROLLED_BACK = "rolled-back"
    """An earlier one that still holds: lower numbers, earlier dates."""


_WITH_CHAIN: Final = (Document.TCB, Document.IDENTITY, Document.PCK_CRL, Document.PCK_CERT)
PCS_FAULTS: Final = FaultRules(
    tuple(Document),
    {
        FaultKind.WRONG_SIGNATURE: (Document.TCB, Document.IDENTITY, Document.NUMBERS),
        FaultKind.MISSING_CHAIN: (*_WITH_CHAIN, Document.NUMBERS),
        FaultKind.WRONG_CHAIN: (*_WITH_CHAIN, Document.NUMBERS),
        FaultKind.OLD_HEADER: (Document.TCB,),
    },
)


@dataclass(frozen=True, slots=True)
class PcsBehaviour:
    """Every setting that can change while the service runs."""

    finding: Finding = field(default_factory=Finding)
    editions: Mapping[Document, Edition] = field(default_factory=dict)
    """The current one where a document is not named."""
    revoked: tuple[str, ...] = ()
    """Of :data:`dcap_pki.ROLES`, and PCKs in hex."""
    pck_ca: Ca = Ca.PLATFORM
    """Which authority issues PCK certificates."""
    caching: bool = False
    """Answer as a PCCS where it differs from Intel's PCS: CRLs in hex, status 461."""
    latency_ms: int = 0
    faults: FaultQueue = field(default_factory=FaultQueue)

    def edition(self, document: Document) -> Edition:
        """Which issue of a dated document is served."""
        return self.editions.get(document, Edition.CURRENT)

    def changed(self, members: Mapping[str, Any]) -> "PcsBehaviour":
        """This behaviour with the settings that a control request names.

        Raises:
            ConfigError: an unknown setting, or a value out of bounds; nothing is changed.
        """
        return change(self, _SETTINGS, members)

    def shown(self) -> dict[str, Any]:
        """The settings by name, and how many requests are still to fail."""
        finding = self.finding
        return {
            "tcb_status": finding.tcb_status,
            "advisory_ids": _shown_advisories(finding.advisory_ids),
            "qe_status": finding.qe_status,
            "qe_advisory_ids": _shown_advisories(finding.qe_advisory_ids),
            "module_status": finding.module_status,
            "tcb_evaluation_data_number": finding.evaluation_number,
            "documents": {document.value: self.edition(document).value for document in DATED},
            "revoked": list(self.revoked),
            "pck_ca": self.pck_ca.value,
            "caching": self.caching,
            "latency_ms": self.latency_ms,
            "faults_left": len(self.faults),
        }


def _shown_advisories(advisory_ids: tuple[str, ...] | None) -> list[str] | None:
    return None if advisory_ids is None else list(advisory_ids)


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    for word in allowed:
        if word == value:
            return word
    raise ConfigError(f"no {name} {str(value)[:80]!r}", hint=f"one of {', '.join(allowed)}")


def _finding(member: str, parse: Callable[[Any], Any]) -> Callable[[PcsBehaviour, Any], Any]:
    def change(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
        finding = replace(behaviour.finding, **{member: parse(value)})
        return replace(behaviour, finding=finding)

    return change


def _evaluation_number(value: Any) -> int:
    number = parse_integer("tcb_evaluation_data_number", value, MAX_EVALUATION_NUMBER)
    if number == 0:
        raise ConfigError("tcb_evaluation_data_number begins with 1")
    return number


def _with_documents(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    words = value if isinstance(value, dict) else dict.fromkeys(DATED, value)
    names, editions = tuple(DATED), tuple(Edition)
    given = {
        Document(_one_of("dated document", name, names)): Edition(
            _one_of("edition", word, editions)
        )
        for name, word in words.items()
    }
    return replace(behaviour, editions={**behaviour.editions, **given})


def _with_revoked(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise ConfigError("revoked is a short list")
    for one in value:
        if not isinstance(one, str) or not (one in ROLES or _PCK_KEY.fullmatch(one)):
            raise ConfigError(
                f"nothing to revoke: {str(one)[:80]!r}",
                hint=f"a PCK as {2 * PCK_KEY_BYTES} lower-case hex characters, {', '.join(ROLES)}",
            )
    return replace(behaviour, revoked=tuple(dict.fromkeys(value)))


def _with_ca(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    return replace(behaviour, pck_ca=Ca(_one_of("authority", value, tuple(Ca))))


def _with_caching(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    if not isinstance(value, bool):
        raise ConfigError("caching is true or false")
    return replace(behaviour, caching=value)


def _with_latency(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    return replace(behaviour, latency_ms=parse_integer("latency_ms", value, MAX_LATENCY_MS))


def _with_faults(behaviour: PcsBehaviour, value: Any) -> PcsBehaviour:
    return replace(behaviour, faults=parse_faults(value, PCS_FAULTS))


_SETTINGS: Final[Mapping[str, Callable[[PcsBehaviour, Any], PcsBehaviour]]] = {
    "tcb_status": _finding(
        "tcb_status", lambda value: _one_of("TCB status", value, PLATFORM_STATUSES)
    ),
    "advisory_ids": _finding("advisory_ids", parse_advisories),
    "qe_status": _finding("qe_status", lambda value: _one_of("status", value, ENCLAVE_STATUSES)),
    "qe_advisory_ids": _finding("qe_advisory_ids", parse_advisories),
    "module_status": _finding(
        "module_status", lambda value: _one_of("status", value, ENCLAVE_STATUSES)
    ),
    "tcb_evaluation_data_number": _finding("evaluation_number", _evaluation_number),
    "documents": _with_documents,
    "revoked": _with_revoked,
    "pck_ca": _with_ca,
    "caching": _with_caching,
    "latency_ms": _with_latency,
    "next": _with_faults,
}
