"""A policy's rules in their order, for each kind of evidence (protocol.md sections 5 and 6).

A rule is a value before it is an error (:mod:`enclave.checks`), and one function each. The
order: what the evidence is, what Intel says about the platform, what the enclave or trust
domain is, and how old all of it is.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from enclave.appraise import dcap_rules, sgx_rules, tdx_rules
from enclave.appraise import epid_rules as epid
from enclave.appraise.general_rules import check_age, check_kind
from enclave.appraise.policy import Policy
from enclave.appraise.scope import EVERYTHING, AppraisalScope
from enclave.checks import Check
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.ias_report import IasReport
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdxModule
from enclave.verify.dcap import VerifiedQuote
from enclave.verify.ias import VerifiedReport

EPID: Final = "epid"


def appraise(
    verified: VerifiedReport,
    policy: Policy,
    at_us: int,
    checks: list[Check],
    scope: AppraisalScope = EVERYTHING,
) -> None:
    """Judge a verified IAS report by the policy; returns if every rule holds.

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
    _require_all(rules, checks)


def appraise_dcap(
    verified: VerifiedQuote,
    policy: Policy,
    at_us: int,
    checks: list[Check],
    scope: AppraisalScope = EVERYTHING,
) -> None:
    """Judge a verified DCAP quote by the policy; returns if every rule holds.

    Args:
        verified: what :func:`enclave.verify.dcap.verify_quote` gave.
        policy: the network's rules.
        at_us: the time of judgement, microseconds since the Unix epoch.
        checks: gets every rule judged, in order.
        scope: which rules decide.

    Raises:
        PolicyError: the first rule that failed.
    """
    _require_all(dcap_quote_rules(verified, policy, at_us, scope), checks)


def _require_all(rules: Iterable[Check], checks: list[Check]) -> None:
    for check in rules:
        checks.append(check)
        if not check.ok:
            raise check.refusal()


def epid_rules(
    report: IasReport, policy: Policy, at_us: int, *, simulated: bool, scope: AppraisalScope
) -> Iterator[Check]:
    """Every rule's outcome, in order; says nothing about whether the report is authentic."""
    enclave = report.quote.report
    yield check_kind(EPID, policy)
    yield epid.check_version(report)
    yield epid.check_status(report, policy)
    yield epid.check_advisories(report, policy, scope)
    yield epid.check_tcb_evaluation(report, policy)
    yield sgx_rules.check_debug(enclave, allowed=policy.allow_debug and simulated)
    yield from sgx_rules.attribute_rules(enclave)
    yield from sgx_rules.measurement_rules(enclave, policy, scope)
    yield check_age(report.timestamp_us, policy, at_us, scope)


def dcap_quote_rules(
    verified: VerifiedQuote, policy: Policy, at_us: int, scope: AppraisalScope
) -> Iterator[Check]:
    """Every rule's outcome, in order."""
    yield check_kind(verified.quote.kind, policy)
    yield from dcap_rules.tcb_rules(verified, policy, scope)
    yield from identity_rules(verified.quote, policy, scope, verified.module)
    yield dcap_rules.check_library(verified)
    yield check_age(verified.oldest_collateral_us, policy, at_us, scope)


def identity_rules(
    quote: DcapQuote, policy: Policy, scope: AppraisalScope, module: TdxModule | None = None
) -> Iterator[Check]:
    """The rules about the enclave or trust domain itself; they need no collateral.

    ``allow_debug`` is for EPID alone (protocol.md section 6). ``module`` is what TCB Info
    wants of the TDX module, where that is known.
    """
    body = quote.body
    if isinstance(body, SgxReport):
        yield sgx_rules.check_debug(body, allowed=False)
        yield from sgx_rules.attribute_rules(body)
        yield from sgx_rules.measurement_rules(body, policy, scope)
    else:
        yield from tdx_rules.attribute_rules(body, module)
        yield from tdx_rules.measurement_rules(body, policy, scope)
