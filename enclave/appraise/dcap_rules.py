"""The rules about what Intel's documents say of a DCAP quote's platform and quoting enclave.

Both have a TCB status of their own and each is judged by its own list: a quoting enclave that
is out of date stays visible behind a platform that is up to date, and the other way round.
"""

from collections.abc import Iterator
from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.scope import AppraisalScope
from enclave.appraise.words import NOT_JUDGED, any_of, listed
from enclave.checks import Check, judge
from enclave.errors import (
    AdvisoryError,
    LibraryRefusalError,
    NoTcbLevelError,
    PlatformStatusError,
    QeStatusError,
    TcbEvaluationError,
)
from enclave.verify.dcap import VerifiedQuote

_RELAUNCH: Final = "TDRelaunchAdvised"


def tcb_rules(verified: VerifiedQuote, policy: Policy, scope: AppraisalScope) -> Iterator[Check]:
    """Every rule about TCB levels; a status that there is not is not judged again."""
    yield check_platform_level(verified)
    platform_status = judged_platform_status(verified)
    if platform_status is not None:
        yield check_platform_status(platform_status, policy)
    yield check_qe_level(verified)
    if verified.qe_status is not None:
        yield check_qe_status(verified.qe_status, policy)
    yield check_advisories(verified, policy, scope)
    yield check_tcb_evaluation(verified, policy)


def judged_platform_status(verified: VerifiedQuote) -> str | None:
    """The platform's status as a policy names it, None where no level fits.

    That a trust domain need only be launched again stands in no document: it follows from an
    outdated level at its launch and a present one, and then says more than the first alone.
    """
    merged = verified.status or ""
    return merged if merged.startswith(_RELAUNCH) else verified.platform_status


def check_platform_level(verified: VerifiedQuote) -> Check:
    """Rule: some TCB level of TCB Info fits the platform (and its TDX module)."""
    return judge(
        NoTcbLevelError,
        verified.platform_status is not None,
        "no TCB level of TCB Info fits the platform",
        expected="a TCB level that fits",
        seen=verified.platform_status or "none",
        name="no-platform-tcb-level",
    )


def check_platform_status(status: str, policy: Policy) -> Check:
    """Rule: the platform's status is in the policy's list."""
    return judge(
        PlatformStatusError,
        status in policy.platform_tcb_statuses,
        "the platform's TCB status is not accepted",
        expected=any_of(policy.platform_tcb_statuses),
        seen=status,
    )


def check_qe_level(verified: VerifiedQuote) -> Check:
    """Rule: some TCB level of the QE Identity fits the quoting enclave."""
    return judge(
        NoTcbLevelError,
        verified.qe_status is not None,
        "no TCB level of the QE Identity fits the quoting enclave",
        expected="a TCB level that fits",
        seen=verified.qe_status or "none",
        name="no-qe-tcb-level",
    )


def check_qe_status(status: str, policy: Policy) -> Check:
    """Rule: the quoting enclave's status is in the policy's list."""
    return judge(
        QeStatusError,
        status in policy.qe_tcb_statuses,
        "the quoting enclave's TCB status is not accepted",
        expected=any_of(policy.qe_tcb_statuses),
        seen=status,
    )


def check_advisories(verified: VerifiedQuote, policy: Policy, scope: AppraisalScope) -> Check:
    """Rule: every advisory of the levels that fit is in the policy's list."""
    return judge(
        AdvisoryError,
        not scope.advisories or set(verified.advisory_ids) <= set(policy.advisories),
        "an advisory applies that is not accepted",
        expected=any_of(policy.advisories) if scope.advisories else NOT_JUDGED,
        seen=listed(verified.advisory_ids),
    )


def check_tcb_evaluation(verified: VerifiedQuote, policy: Policy) -> Check:
    """Rule: the collateral's evaluation data is as new as the policy demands."""
    number = verified.tcb_evaluation_data_number
    return judge(
        TcbEvaluationError,
        number >= policy.min_tcb_evaluation_data_number,
        "the TCB evaluation data is too old",
        expected=f"{policy.min_tcb_evaluation_data_number} or more",
        seen=str(number),
    )


def check_library(verified: VerifiedQuote) -> Check:
    """Rule: the verification library takes such a quote, too.

    The rules before name whatever it is known to refuse; this one stands for the rest.
    """
    return judge(
        LibraryRefusalError,
        verified.accepted_by_engine,
        "the verification library refuses such a quote",
        expected="accepted",
        seen="accepted" if verified.accepted_by_engine else "refused",
    )
