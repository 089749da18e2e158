"""What is legal in a policy and most likely a mistake: it refuses all, or lets too much in.

Nothing here decides anything: a network judges by the policy as it is written. Each warning
says what will come of a setting, so that whoever wrote it can say that this was meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import SgxMeasurement, TdxMeasurement
from enclave.verify.roots import INTEL

REFUSES: Final = "refuses"
"""Good evidence will be refused."""
ADMITS: Final = "admits"
"""Evidence will be accepted that deserves a second look."""

LONG_REPORT_AGE_S: Final = 30 * 24 * 3600
"""Nothing but its age ends an IAS report; DCAP evidence ends with its collateral."""
ROOT_CRL_AGE_S: Final = 380 * 24 * 3600
"""Intel issues its root's revocation list about once a year, and the age counts from it."""
LONG_SKEW_S: Final = 300
MANY_REGISTRATIONS: Final = 64
"""In a block; each costs every validator one judgement."""

_TD_DEBUG: Final = 1 << 0
_TD_SEPT_VE_DISABLE: Final = 1 << 28

_SGX_KINDS: Final = frozenset({"epid", "dcap-sgx"})
_DCAP_KINDS: Final = frozenset({"dcap-sgx", "dcap-tdx"})
_WITH_ADVISORIES: Final = frozenset(
    {
        "SW_HARDENING_NEEDED",
        "CONFIGURATION_AND_SW_HARDENING_NEEDED",
        "CONFIGURATION_NEEDED",
        "GROUP_OUT_OF_DATE",
    }
)
_WEAK: Final = frozenset(
    {
        "CONFIGURATION_AND_SW_HARDENING_NEEDED",
        "CONFIGURATION_NEEDED",
        "ConfigurationAndSWHardeningNeeded",
        "ConfigurationNeeded",
        "GROUP_OUT_OF_DATE",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "TDRelaunchAdvised",
        "TDRelaunchAdvisedConfigurationNeeded",
    }
)
"""Statuses of platforms whose known weaknesses somebody could mend and has not."""

_BEST: Final = {
    "epid_quote_statuses": "OK",
    "platform_tcb_statuses": "UpToDate",
    "qe_tcb_statuses": "UpToDate",
}

SAMPLE_SIGNERS: Final = frozenset(
    {
        "83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e",
        "9affcfae47b848ec2caf1c49b4b283531e1cc425f93582b36806e52a43d78d1a",
    }
)
"""mr_signer of private keys that are published with SDKs: anybody can sign with them."""


@dataclass(frozen=True, slots=True)
class PolicyWarning:
    """One setting that deserves a second look."""

    member: str
    effect: str
    """:data:`REFUSES` or :data:`ADMITS`."""
    message: str


def policy_warnings(policy: Policy) -> tuple[PolicyWarning, ...]:
    """All of them, what refuses first."""
    found = [*_refusing(policy), *_admitting(policy)]
    return tuple(sorted(found, key=lambda warning: warning.effect, reverse=True))


def _refusing(policy: Policy) -> Iterator[PolicyWarning]:
    yield from _refusing_everything(policy)
    yield from _refusing_kinds(policy)
    yield from _refusing_the_best(policy)
    yield from _refusing_measurements(policy)
    if _WITH_ADVISORIES & set(policy.epid_quote_statuses) and not policy.advisories:
        yield _refuses(
            "advisories",
            "is empty, and every report of a status other than OK names an advisory: "
            "of epid_quote_statuses only OK remains",
        )


def _refusing_everything(policy: Policy) -> Iterator[PolicyWarning]:
    for member in ("evidence_kinds", "measurements"):
        if not getattr(policy, member):
            yield _refuses(member, "is empty: no evidence is ever accepted")
    if policy.max_registrations_per_block == 0:
        yield _refuses("max_registrations_per_block", "is 0: no node can ever register")
    if policy.max_evidence_age_s == 0:
        yield _refuses(
            "max_evidence_age_s", "is 0: evidence is too old the instant after it was made"
        )
    elif _is_shorter_than_a_root_crl_lives(policy):
        yield _refuses(
            "max_evidence_age_s",
            f"is below {ROOT_CRL_AGE_S // 86400} days: DCAP evidence is as old as the revocation "
            "list of Intel's root, which is issued once a year",
        )


def _is_shorter_than_a_root_crl_lives(policy: Policy) -> bool:
    dcap = bool(_DCAP_KINDS & set(policy.evidence_kinds))
    intel = policy.trust_roots == (INTEL,)
    return dcap and intel and policy.max_evidence_age_s < ROOT_CRL_AGE_S


def _refusing_kinds(policy: Policy) -> Iterator[PolicyWarning]:
    kinds = set(policy.evidence_kinds)
    if "epid" in kinds and not policy.epid_quote_statuses:
        yield _refuses("epid_quote_statuses", "is empty: no evidence of kind epid is accepted")
    for member in ("platform_tcb_statuses", "qe_tcb_statuses"):
        if kinds & _DCAP_KINDS and not getattr(policy, member):
            yield _refuses(member, "is empty: no DCAP evidence is accepted")
    if "epid" in kinds and policy.trust_roots == (INTEL,):
        yield _refuses(
            "evidence_kinds",
            "lists epid, for which Intel's service ended on 2025-04-02: no new report exists",
        )


def _refusing_the_best(policy: Policy) -> Iterator[PolicyWarning]:
    for member, best in _BEST.items():
        listed = getattr(policy, member)
        if listed and best not in listed:
            yield _refuses(member, f"does not list {best}: what is in the best order is refused")


def _refusing_measurements(policy: Policy) -> Iterator[PolicyWarning]:
    kinds = set(policy.evidence_kinds)
    sgx = any(isinstance(item, SgxMeasurement) for item in policy.measurements)
    tdx = [item for item in policy.measurements if isinstance(item, TdxMeasurement)]
    if policy.measurements:
        yield from _unmatched("SGX enclave", sgx, ", ".join(sorted(kinds & _SGX_KINDS)))
        yield from _unmatched("trust domain", bool(tdx), ", ".join(kinds & {"dcap-tdx"}))
    for item in tdx:
        attributes = int.from_bytes(item.td_attributes, "little")
        if attributes & _TD_DEBUG:
            yield _refuses("measurements", f"has {_name(item)}, a debug domain: always refused")
        if not attributes & _TD_SEPT_VE_DISABLE:
            yield _refuses(
                "measurements", f"has {_name(item)} without SEPT_VE_DISABLE: always refused"
            )


def _unmatched(what: str, listed: bool, kinds: str) -> Iterator[PolicyWarning]:  # noqa: FBT001 -- one of two facts that must agree
    if kinds and not listed:
        yield _refuses("measurements", f"lists no {what}: no evidence of kind {kinds} is accepted")
    if listed and not kinds:
        yield _refuses("evidence_kinds", f"lists no kind for the {what} in measurements")


def _admitting(policy: Policy) -> Iterator[PolicyWarning]:
    yield from _admitting_anybody(policy)
    yield from _admitting_weak_platforms(policy)
    yield from _admitting_old(policy)
    if policy.max_registrations_per_block > MANY_REGISTRATIONS:
        yield _admits(
            "max_registrations_per_block",
            f"is above {MANY_REGISTRATIONS}: each costs every validator a judgement in the "
            "time that a block has",
        )
    if policy.gas_price()[0] == 0:
        yield _admits("min_gas_price", "is 0: registrations, and blocks full of them, are free")


def _admitting_anybody(policy: Policy) -> Iterator[PolicyWarning]:
    if policy.simulation:
        yield _admits(
            "simulation", "is true: anybody who has the simulated root's key makes good evidence"
        )
    if policy.allow_debug:
        yield _admits("allow_debug", "is true: the memory of a debug enclave is open to its host")
    if not policy.require_owner:
        yield _admits(
            "require_owner",
            "is false: anyone may renew any record, and no new validator key can be voted in",
        )
    for item in policy.measurements:
        if isinstance(item, SgxMeasurement) and (item.mr_signer or b"").hex() in SAMPLE_SIGNERS:
            yield _admits("measurements", f"has {_name(item)} with a signer whose key is published")


def _admitting_weak_platforms(policy: Policy) -> Iterator[PolicyWarning]:
    for member in ("epid_quote_statuses", "platform_tcb_statuses", "qe_tcb_statuses"):
        weak = [word for word in getattr(policy, member) if word in _WEAK]
        if weak:
            yield _admits(member, f"lists {', '.join(weak)}: weaknesses that are known stay open")


def _admitting_old(policy: Policy) -> Iterator[PolicyWarning]:
    if policy.min_tcb_evaluation_data_number == 0:
        yield _admits(
            "min_tcb_evaluation_data_number",
            "is 0: collateral from before a security advisory is as good as new",
        )
    if "epid" in policy.evidence_kinds and policy.max_evidence_age_s > LONG_REPORT_AGE_S:
        yield _admits(
            "max_evidence_age_s",
            f"is above {LONG_REPORT_AGE_S // 86400} days: a report hides what was found since",
        )
    if policy.max_clock_skew_s > LONG_SKEW_S:
        yield _admits(
            "max_clock_skew_s", f"is above {LONG_SKEW_S} s: evidence may come from the future"
        )


def _name(item: SgxMeasurement | TdxMeasurement) -> str:
    if isinstance(item, SgxMeasurement):
        return f"mr_enclave {item.mr_enclave.hex()[:16]}…"
    return f"mr_td {item.mr_td.hex()[:16]}…"


def _refuses(member: str, what: str) -> PolicyWarning:
    return PolicyWarning(member, REFUSES, f"{member} {what}")


def _admits(member: str, what: str) -> PolicyWarning:
    return PolicyWarning(member, ADMITS, f"{member} {what}")
