"""The rules about what Intel's service says in an IAS report (protocol.md sections 5 and 6)."""

from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.scope import AppraisalScope
from enclave.appraise.words import NOT_JUDGED, any_of, listed
from enclave.checks import Check, judge
from enclave.errors import AdvisoryError, QuoteStatusError, ReportVersionError, TcbEvaluationError
from enclave.evidence.ias_report import STATUS_OK, IasReport

REPORT_VERSIONS: Final = (4, 5)

_EVALUATION_NUMBER_SINCE: Final = 5


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
        expected=any_of(policy.epid_quote_statuses),
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
        expected=any_of(policy.advisories) if scope.advisories else NOT_JUDGED,
        seen=listed(named),
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
