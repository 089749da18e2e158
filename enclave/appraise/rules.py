"""The rules of a policy, one function each, for EPID evidence (protocol.md sections 5 and 6).

A rule is a value before it is an error (:mod:`enclave.checks`). The order is that of
:func:`epid_rules`: what the evidence is, what Intel says about the platform, what the enclave
is, and how old all of it is.
"""

from collections.abc import Iterator
from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import SgxMeasurement
from enclave.appraise.scope import EVERYTHING, AppraisalScope
from enclave.checks import Check, judge, require
from enclave.errors import (
    AdvisoryError,
    DebugEnclaveError,
    EnclaveModeError,
    EnclaveNotInitialisedError,
    EvidenceKindError,
    EvidenceTooOldError,
    LaunchKeyError,
    MeasurementNotAllowedError,
    ProductNotAllowedError,
    ProvisionKeyError,
    QuoteStatusError,
    ReportVersionError,
    SecurityVersionError,
    SignerNotAllowedError,
    TcbEvaluationError,
)
from enclave.evidence.ias_report import STATUS_OK, IasReport
from enclave.evidence.sgx_report import SgxReport
from enclave.times import US_PER_S
from enclave.verify.ias import VerifiedReport

EPID: Final = "epid"
REPORT_VERSIONS: Final = (4, 5)

_NOT_JUDGED: Final = "anything (not judged)"
_EVALUATION_NUMBER_SINCE: Final = 5


def appraise(
    verified: VerifiedReport,
    policy: Policy,
    at_us: int,
    checks: list[Check],
    scope: AppraisalScope = EVERYTHING,
) -> None:
    """Judge verified evidence by the policy; returns if every rule holds.

    Args:
        verified: what :func:`enclave.verify.ias.verify_report` gave.
        policy: the network's rules.
        at_us: the time of judgement, microseconds since the Unix epoch.
        checks: gets every rule judged, in order.
        scope: which rules decide.

    Raises:
        PolicyError: the first rule that failed.
    """
    rules = epid_rules(verified.report, policy, at_us, simulated=verified.simulated, scope=scope)
    for check in rules:
        require(checks, check)


def epid_rules(
    report: IasReport, policy: Policy, at_us: int, *, simulated: bool, scope: AppraisalScope
) -> Iterator[Check]:
    """Every rule's outcome, in order; says nothing about whether the report is authentic."""
    enclave = report.quote.report
    yield check_kind(EPID, policy)
    yield check_version(report)
    yield check_status(report, policy)
    yield check_advisories(report, policy, scope)
    yield check_tcb_evaluation(report, policy)
    yield check_debug(enclave, policy, simulated=simulated)
    yield check_initialised(enclave)
    yield check_64_bit(enclave)
    yield check_provision_key(enclave)
    yield check_launch_key(enclave)
    yield from measurement_rules(enclave, policy, scope)
    yield check_age(report, policy, at_us, scope)


def check_kind(kind: str, policy: Policy) -> Check:
    """Rule: the policy accepts this kind of evidence."""
    return judge(
        EvidenceKindError,
        kind in policy.evidence_kinds,
        "this kind of evidence is not accepted",
        expected=_any_of(policy.evidence_kinds),
        seen=kind,
    )


def check_version(report: IasReport) -> Check:
    """Rule: API version 4 or 5, the first that sign the advisories."""
    return judge(
        ReportVersionError,
        report.version in REPORT_VERSIONS,
        "the report's API version is not accepted",
        expected="4 or 5",
        seen="none" if report.version is None else str(report.version),
    )


def check_status(report: IasReport, policy: Policy) -> Check:
    """Rule: the quote status is in the policy's list."""
    return judge(
        QuoteStatusError,
        report.status in policy.epid_quote_statuses,
        "the quote status is not accepted",
        expected=_any_of(policy.epid_quote_statuses),
        seen=report.status[:64],
    )


def check_advisories(report: IasReport, policy: Policy, scope: AppraisalScope) -> Check:
    """Rule: every advisory is in the policy's list.

    With a status other than OK there must be one: a report that says the platform needs
    something and not what leaves nothing to judge, so it is refused.
    """
    named = report.advisory_ids or ()
    explained = bool(named) or report.status == STATUS_OK
    return judge(
        AdvisoryError,
        not scope.advisories or (explained and set(named) <= set(policy.advisories)),
        "an advisory applies that is not accepted" if explained else "the advisories are missing",
        expected=_any_of(policy.advisories) if scope.advisories else _NOT_JUDGED,
        seen=", ".join(named)[:400] or "none",
    )


def check_tcb_evaluation(report: IasReport, policy: Policy) -> Check:
    """Rule: from API version 5 on, the evaluation data is as new as the policy demands.

    A report without a number satisfies a policy that demands none, that is, number 0.
    """
    number = report.tcb_evaluation_data_number
    least = policy.min_tcb_evaluation_data_number
    has_number = (report.version or 0) >= _EVALUATION_NUMBER_SINCE
    return judge(
        TcbEvaluationError,
        not has_number or (number or 0) >= least,
        "the TCB evaluation data is too old",
        expected=f"{least} or more, from API version {_EVALUATION_NUMBER_SINCE} on",
        seen="none" if number is None else str(number),
    )


def check_debug(enclave: SgxReport, policy: Policy, *, simulated: bool) -> Check:
    """Rule: not debuggable; under a simulated root the policy may say otherwise."""
    allowed = policy.allow_debug and simulated
    return judge(
        DebugEnclaveError,
        allowed or not enclave.is_debug,
        "the enclave can be debugged",
        expected="DEBUG 0 or 1" if allowed else "DEBUG 0",
        seen=f"DEBUG {enclave.is_debug:d}",
    )


def check_initialised(enclave: SgxReport) -> Check:
    """Rule: INIT is set."""
    return judge(
        EnclaveNotInitialisedError,
        enclave.is_initialised,
        "the enclave was not initialised",
        expected="INIT 1",
        seen=f"INIT {enclave.is_initialised:d}",
    )


def check_64_bit(enclave: SgxReport) -> Check:
    """Rule: MODE64BIT is set."""
    return judge(
        EnclaveModeError,
        enclave.is_64_bit,
        "the enclave does not run in 64-bit mode",
        expected="MODE64BIT 1",
        seen=f"MODE64BIT {enclave.is_64_bit:d}",
    )


def check_provision_key(enclave: SgxReport) -> Check:
    """Rule: PROVISION_KEY is clear."""
    return judge(
        ProvisionKeyError,
        not enclave.may_use_provision_key,
        "the enclave may use the provisioning key",
        expected="PROVISION_KEY 0",
        seen=f"PROVISION_KEY {enclave.may_use_provision_key:d}",
    )


def check_launch_key(enclave: SgxReport) -> Check:
    """Rule: EINITTOKEN_KEY is clear."""
    return judge(
        LaunchKeyError,
        not enclave.may_use_launch_key,
        "the enclave may use the launch token key",
        expected="EINITTOKEN_KEY 0",
        seen=f"EINITTOKEN_KEY {enclave.may_use_launch_key:d}",
    )


def measurement_rules(enclave: SgxReport, policy: Policy, scope: AppraisalScope) -> Iterator[Check]:
    """Rules: one allowed measurement fits in all of its members.

    Each rule looks at the measurements that fitted so far, so two of the same mr_enclave may
    differ in the rest. Where none fits, the rules behind have nothing to compare with.
    """
    candidates = [item for item in policy.measurements if isinstance(item, SgxMeasurement)]
    for rule in (check_measurement, check_signer, check_product, check_security_version):
        check, candidates = rule(enclave, candidates, judged=scope.measurement)
        yield check
        if not check.ok:
            return


Candidates = list[SgxMeasurement]


def check_measurement(
    enclave: SgxReport, candidates: Candidates, *, judged: bool
) -> tuple[Check, Candidates]:
    """Rule: mr_enclave is a reference value."""
    fitting = [item for item in candidates if item.mr_enclave == enclave.mr_enclave]
    check = judge(
        MeasurementNotAllowedError,
        bool(fitting) or not judged,
        "mr_enclave is not in the allowed list",
        expected=_any_of(sorted({item.mr_enclave.hex() for item in candidates}), judged=judged),
        seen=enclave.mr_enclave.hex(),
    )
    return check, fitting


def check_signer(
    enclave: SgxReport, candidates: Candidates, *, judged: bool
) -> tuple[Check, Candidates]:
    """Rule: mr_signer is that of the reference value, where it names one."""
    fitting = [item for item in candidates if item.mr_signer in (None, enclave.mr_signer)]
    named = {item.mr_signer.hex() if item.mr_signer else _NOT_JUDGED for item in candidates}
    check = judge(
        SignerNotAllowedError,
        bool(fitting) or not judged,
        "mr_signer is not that of the allowed measurement",
        expected=_any_of(sorted(named), judged=judged),
        seen=enclave.mr_signer.hex(),
    )
    return check, fitting


def check_product(
    enclave: SgxReport, candidates: Candidates, *, judged: bool
) -> tuple[Check, Candidates]:
    """Rule: isv_prod_id is that of the reference value, where it names one."""
    fitting = [item for item in candidates if item.isv_prod_id in (None, enclave.isv_prod_id)]
    named = {
        _NOT_JUDGED if item.isv_prod_id is None else str(item.isv_prod_id) for item in candidates
    }
    check = judge(
        ProductNotAllowedError,
        bool(fitting) or not judged,
        "isv_prod_id is not that of the allowed measurement",
        expected=_any_of(sorted(named), judged=judged),
        seen=str(enclave.isv_prod_id),
    )
    return check, fitting


def check_security_version(
    enclave: SgxReport, candidates: Candidates, *, judged: bool
) -> tuple[Check, Candidates]:
    """Rule: isv_svn is at least that of the reference value, where it names one."""
    fitting = [item for item in candidates if (item.min_isv_svn or 0) <= enclave.isv_svn]
    least = min((item.min_isv_svn or 0 for item in candidates), default=0)
    check = judge(
        SecurityVersionError,
        bool(fitting) or not judged,
        "isv_svn is below that of the allowed measurement",
        expected=f"{least} or more" if judged else _NOT_JUDGED,
        seen=str(enclave.isv_svn),
    )
    return check, fitting


def check_age(report: IasReport, policy: Policy, at_us: int, scope: AppraisalScope) -> Check:
    """Rule: the report is not older than the policy allows; just as old is not older."""
    age_us = at_us - report.timestamp_us
    return judge(
        EvidenceTooOldError,
        not scope.age or age_us <= policy.max_evidence_age_s * US_PER_S,
        "the report is too old",
        expected=f"at most {policy.max_evidence_age_s} s" if scope.age else _NOT_JUDGED,
        seen=f"{age_us / US_PER_S:.6f} s",
    )


def _any_of(words: list[str] | tuple[str, ...], *, judged: bool = True) -> str:
    if not judged:
        return _NOT_JUDGED
    return ", ".join(words)[:1024] or "nothing"
