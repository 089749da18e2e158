"""What a policy accepts and what it refuses, in words, member by member (protocol.md section 6)."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from enclave.appraise.policy import EPID_QUOTE_STATUSES, EVIDENCE_KINDS, TCB_STATUSES, Policy
from enclave.appraise.reference_values import SgxMeasurement, TdxMeasurement
from enclave.verify.roots import INTEL, SIMULATION_PREFIX

_DAY_S: Final = 24 * 3600
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Explained:
    """One member of a policy in words."""

    member: str
    accepts: str
    refuses: str


def explain_policy(policy: Policy) -> tuple[Explained, ...]:
    """Every member that decides something, in the order in which evidence meets the rules."""
    return tuple(Explained(member, *words(policy)) for member, words in _WORDS.items())


def duration(seconds: int) -> str:
    """Seconds as people say them: ``86400 s (1 day)``."""
    for size, unit in ((_DAY_S, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{seconds} s ({count} {unit}{'s' if count > 1 else ''})"
    return f"{seconds} s"


def measurement_words(item: SgxMeasurement | TdxMeasurement) -> str:
    """One code identity with all that is asked of it."""
    return ", ".join(f"{name} {value}" for name, value in item.to_value().items())


def root_words(root: str) -> str:
    """A trust root by what tells it apart."""
    if root == INTEL:
        return "Intel's roots"
    der = base64.b64decode(root.removeprefix(SIMULATION_PREFIX))
    return f"the simulated root with SHA-256 {hashlib.sha256(der).hexdigest()}"


Words = tuple[str, str]


def _trust_roots(policy: Policy) -> Words:
    if policy.simulation:
        return _any_of(map(root_words, policy.trust_roots)), "evidence of real hardware"
    return "evidence of hardware that Intel vouches for", "evidence under any simulated root"


def _simulation(policy: Policy) -> Words:
    if policy.simulation:
        return "enclaves that are simulated, which nothing protects", "hardware enclaves as hosts"
    return "hardware enclaves as hosts of keys", "the simulation backend"


def _evidence_kinds(policy: Policy) -> Words:
    return _list(policy.evidence_kinds, EVIDENCE_KINDS)


def _epid_quote_statuses(policy: Policy) -> Words:
    accepts, refuses = _list(policy.epid_quote_statuses, EPID_QUOTE_STATUSES)
    return f"reports of version 4 or 5 with status {accepts}", f"{refuses}; revoked in every case"


def _platform_tcb_statuses(policy: Policy) -> Words:
    accepts, refuses = _list(policy.platform_tcb_statuses, TCB_STATUSES)
    return f"DCAP platforms that are {accepts}", f"{refuses}; Revoked in every case"


def _qe_tcb_statuses(policy: Policy) -> Words:
    accepts, refuses = _list(policy.qe_tcb_statuses, TCB_STATUSES)
    return f"DCAP quoting enclaves that are {accepts}", f"{refuses}; Revoked in every case"


def _advisories(policy: Policy) -> Words:
    if not policy.advisories:
        return "evidence to which no advisory applies", "evidence to which any advisory applies"
    return f"the advisories {_any_of(policy.advisories)}", "evidence to which any other applies"


def _min_evaluation(policy: Policy) -> Words:
    least = policy.min_tcb_evaluation_data_number
    if least == 0:
        return "collateral of every TCB evaluation data number", _NOTHING
    return (
        f"collateral of TCB evaluation data number {least} or later; EPID reports of version 4",
        f"collateral below {least}; EPID reports of version 5 without a number",
    )


def _allow_debug(policy: Policy) -> Words:
    if policy.allow_debug:
        return "debug enclaves in EPID reports", "debug enclaves and domains in DCAP quotes"
    return "production enclaves", "enclaves that can be debugged"


def _measurements(policy: Policy) -> Words:
    listed = _any_of(map(measurement_words, policy.measurements), "; or ")
    return listed, "every other code identity; a member that is not named is not judged"


def _max_evidence_age(policy: Policy) -> Words:
    age = duration(policy.max_evidence_age_s)
    return f"evidence at most {age} old at the block's time", "evidence that is older"


def _max_clock_skew(policy: Policy) -> Words:
    skew = duration(policy.max_clock_skew_s)
    return f"start dates at most {skew} after the block's time", "evidence from later than that"


def _require_owner(policy: Policy) -> Words:
    if policy.require_owner:
        return "evidence that binds the sender's account", "evidence that binds no or another one"
    return "evidence that binds no account, whoever sends it", "evidence that binds an account"


def _max_registrations(policy: Policy) -> Words:
    most = policy.max_registrations_per_block
    return f"at most {most} registrations in a block", "a proposal with more"


def _min_gas_price(policy: Policy) -> Words:
    price = policy.min_gas_price
    return f"fees of at least {price} for each unit of gas", "transactions that pay less"


_WORDS: Final[Mapping[str, Callable[[Policy], Words]]] = MappingProxyType(
    {
        "simulation": _simulation,
        "trust_roots": _trust_roots,
        "evidence_kinds": _evidence_kinds,
        "epid_quote_statuses": _epid_quote_statuses,
        "platform_tcb_statuses": _platform_tcb_statuses,
        "qe_tcb_statuses": _qe_tcb_statuses,
        "advisories": _advisories,
        "min_tcb_evaluation_data_number": _min_evaluation,
        "allow_debug": _allow_debug,
        "measurements": _measurements,
        "max_evidence_age_s": _max_evidence_age,
        "max_clock_skew_s": _max_clock_skew,
        "require_owner": _require_owner,
        "max_registrations_per_block": _max_registrations,
        "min_gas_price": _min_gas_price,
    }
)


def _list(listed: tuple[str, ...], possible: frozenset[str]) -> Words:
    return _any_of(listed), _any_of(sorted(possible - set(listed)), ", ")


def _any_of(words: Iterable[str], between: str = " or ") -> str:
    return between.join(words) or _NOTHING
