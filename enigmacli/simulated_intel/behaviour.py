"""SIMULATION ONLY: what a simulated attestation service was told to do, and how it is told.

``POST /simulation/v1/faults`` takes a JSON object; each member replaces one setting::

    {"quote_status": "GROUP_OUT_OF_DATE", "advisory_ids": ["INTEL-SA-00334"],
     "tcb_evaluation_data_number": 17, "latency_ms": 250, "sig_rl": "<base64>",
     "next": ["503,times=2,retry-after=1", "drop-connection,endpoint=sigrl"]}

``advisory_ids`` may be ``null``: those that usually come with the status.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.faults import IAS_FAULTS, Fault, FaultQueue, FaultRules
from enigmacli.simulated_intel.report_body import Finding, QuoteStatus

MAX_LATENCY_MS: Final = 60_000
MAX_SIGRL_BYTES: Final = 32 * 1024
MAX_EVALUATION_NUMBER: Final = 2**31 - 1
MAX_LISTED: Final = 64

_ADVISORY: Final = re.compile(r"INTEL-SA-[0-9]{5}")


B = TypeVar("B")


def change(
    behaviour: B, settings: Mapping[str, Callable[[B, Any], B]], members: Mapping[str, Any]
) -> B:
    """A service's behaviour with the settings that a control request names.

    Raises:
        ConfigError: an unknown setting, or a value out of bounds; nothing is changed.
    """
    for name, value in members.items():
        if name not in settings:
            raise ConfigError(
                f"no setting {name[:80]!r}", hint=f"one of {', '.join(sorted(settings))}"
            )
        behaviour = settings[name](behaviour, value)
    return behaviour


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Every setting that can change while the service runs."""

    finding: Finding = field(default_factory=Finding)
    latency_ms: int = 0
    sig_rl: bytes = b""
    """The signature revocation list of the one group, empty where there is none."""
    faults: FaultQueue = field(default_factory=FaultQueue)

    def changed(self, members: Mapping[str, Any]) -> "Behaviour":
        """This behaviour with the settings that a control request names.

        Raises:
            ConfigError: an unknown setting, or a value out of bounds; nothing is changed.
        """
        return change(self, _SETTINGS, members)

    def shown(self) -> dict[str, Any]:
        """The settings by name, and how many requests are still to fail."""
        advisories = self.finding.advisory_ids
        return {
            "quote_status": self.finding.status.value,
            "advisory_ids": None if advisories is None else list(advisories),
            "tcb_evaluation_data_number": self.finding.tcb_evaluation_data_number,
            "latency_ms": self.latency_ms,
            "sig_rl": base64.b64encode(self.sig_rl).decode(),
            "faults_left": len(self.faults),
        }


def parse_status(text: Any) -> QuoteStatus:
    """A quote status by its name.

    Raises:
        ConfigError: there is no such status.
    """
    if text not in list(QuoteStatus):
        raise ConfigError(
            f"no quote status {str(text)[:80]!r}", hint=f"one of {', '.join(QuoteStatus)}"
        )
    return QuoteStatus(text)


def parse_advisories(values: Any) -> tuple[str, ...] | None:
    """Advisory ids such as ``INTEL-SA-00334``.

    Raises:
        ConfigError: not a list of them.
    """
    if values is None:
        return None
    if not isinstance(values, (list, tuple)) or len(values) > MAX_LISTED:
        raise ConfigError("advisory ids are a short list, or null for the usual ones")
    for value in values:
        if not isinstance(value, str) or not _ADVISORY.fullmatch(value):
            raise ConfigError(f"not an advisory id: {str(value)[:80]!r}")
    return tuple(values)


def parse_integer(name: str, value: Any, most: int) -> int:
    """An integer from 0 to ``most``.

    Raises:
        ConfigError: anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ConfigError(f"{name} is an integer from 0 to {most}")
    return value


def parse_faults(value: Any, rules: FaultRules) -> FaultQueue:
    """Faults to come, as text.

    Raises:
        ConfigError: not a short list of them.
    """
    if (
        not isinstance(value, list)
        or len(value) > MAX_LISTED
        or not all(isinstance(text, str) for text in value)
    ):
        raise ConfigError(f"next is a list of at most {MAX_LISTED} faults as text")
    return FaultQueue(Fault.parse(text, rules) for text in value)


def _with_status(behaviour: Behaviour, value: Any) -> Behaviour:
    return replace(behaviour, finding=replace(behaviour.finding, status=parse_status(value)))


def _with_advisories(behaviour: Behaviour, value: Any) -> Behaviour:
    advisories = parse_advisories(value)
    return replace(behaviour, finding=replace(behaviour.finding, advisory_ids=advisories))


def _with_evaluation_number(behaviour: Behaviour, value: Any) -> Behaviour:
    number = parse_integer("tcb_evaluation_data_number", value, MAX_EVALUATION_NUMBER)
    finding = replace(behaviour.finding, tcb_evaluation_data_number=number)
    return replace(behaviour, finding=finding)


def _with_latency(behaviour: Behaviour, value: Any) -> Behaviour:
    return replace(behaviour, latency_ms=parse_integer("latency_ms", value, MAX_LATENCY_MS))


def _with_sig_rl(behaviour: Behaviour, value: Any) -> Behaviour:
    try:
        sig_rl = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise ConfigError("sig_rl is not base64") from error
    if len(sig_rl) > MAX_SIGRL_BYTES:
        raise ConfigError(f"sig_rl is longer than {MAX_SIGRL_BYTES} bytes")
    return replace(behaviour, sig_rl=sig_rl)


def _with_faults(behaviour: Behaviour, value: Any) -> Behaviour:
    return replace(behaviour, faults=parse_faults(value, IAS_FAULTS))


_SETTINGS: Final[Mapping[str, Callable[[Behaviour, Any], Behaviour]]] = {
    "quote_status": _with_status,
    "advisory_ids": _with_advisories,
    "tcb_evaluation_data_number": _with_evaluation_number,
    "latency_ms": _with_latency,
    "sig_rl": _with_sig_rl,
    "next": _with_faults,
}
