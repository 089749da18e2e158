"""The rules that every kind of evidence is judged by."""

from enclave.appraise.policy import Policy
from enclave.appraise.scope import AppraisalScope
from enclave.appraise.words import NOT_JUDGED, any_of
from enclave.checks import Check, judge
from enclave.errors import EvidenceKindError, EvidenceTooOldError
from enclave.times import US_PER_S


def check_kind(kind: str, policy: Policy) -> Check:
    """Rule: the policy accepts this kind of evidence."""
    return judge(
        EvidenceKindError,
        kind in policy.evidence_kinds,
        "this kind of evidence is not accepted",
        expected=any_of(policy.evidence_kinds),
        seen=kind,
    )


def check_age(counted_from_us: int, policy: Policy, at_us: int, scope: AppraisalScope) -> Check:
    """Rule: the evidence is not older than the policy allows; just as old is not older.

    Args:
        counted_from_us: an IAS report's timestamp, or the oldest part of a DCAP collateral,
            in microseconds since the Unix epoch (protocol.md section 5).
        policy: the network's rules.
        at_us: the time of judgement, likewise.
        scope: whether the rule decides.
    """
    age_us = at_us - counted_from_us
    most_s = policy.max_evidence_age_s
    return judge(
        EvidenceTooOldError,
        not scope.age or age_us <= most_s * US_PER_S,
        "the evidence is too old",
        expected=f"at most {most_s} s" if scope.age else NOT_JUDGED,
        seen=f"{age_us / US_PER_S:.6f} s",
    )
