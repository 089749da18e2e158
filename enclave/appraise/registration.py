"""Judging evidence for a network: parse, verify, appraise, bind (protocol.md sections 1 and 5).

This is what a validator's enclave runs, what the judge runs, and what the command line runs
before a fee is paid: one function, so that all answer alike. Authenticity comes before
policy, policy before age, age before binding, so the code names the gravest fault.
"""

from dataclasses import dataclass

from enclave.appraise.dcap_rules import judged_platform_status
from enclave.appraise.policy import Policy
from enclave.appraise.rules import EPID, appraise, appraise_dcap
from enclave.binding import (
    NO_OWNER,
    bootstrap_report_data,
    check_public_key,
    registration_report_data,
)
from enclave.calls import JudgeReply
from enclave.checks import Check, require
from enclave.errors import BindingError, BoundKeyError, PublicKeyError
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enclave.evidence.ias_report import SignedReport
from enclave.evidence.sgx_report import SgxReport
from enclave.times import US_PER_S
from enclave.verify.dcap import verify_quote
from enclave.verify.ias import check_not_in_future, verify_report
from enclave.verify.roots import TrustRoots

_KEY_BYTES = 32
_LATEST_US = 2**63 - 1


def judge_registration(
    certificate: bytes,
    owner: bytes,
    policy: Policy,
    network_id: bytes,
    at_us: int,
    *,
    catch_up: bool = False,
) -> JudgeReply:
    """Is this evidence authentic, acceptable, and bound to this network and owner?

    Args:
        certificate: the field of the register transaction.
        owner: the sender's address, 20 bytes; of no account where the policy requires none.
        policy: the network's rules.
        network_id: 32 bytes.
        at_us: the time of judgement, microseconds since the Unix epoch.
        catch_up: judge at the evidence's newest start date where that is later.

    Raises:
        EvidenceFormatError: the container or what is in it is malformed, or of a kind that
            is not judged.
        VerificationError: not authentic, or dated after the time of judgement.
        PolicyError: authentic, and refused by a rule; too old; or bound to something else.
    """
    judged = _judge_evidence(certificate, policy, at_us, catch_up=catch_up)
    node_id = judged.report_data[:_KEY_BYTES]
    _require_canonical(node_id)
    bound_owner = owner if policy.require_owner else NO_OWNER
    _require_bound(judged.report_data, registration_report_data(node_id, network_id, bound_owner))
    return judged.reply(node_id)


def judge_bootstrap(  # noqa: PLR0917 -- what is judged, by what, when
    certificate: bytes,
    exchange_pk: bytes,
    io_pk: bytes,
    policy: Policy,
    network_id: bytes,
    at_us: int,
) -> JudgeReply:
    """Does this evidence prove that an allowed enclave made these network keys?

    Args:
        certificate: ``bootstrap.certificate`` of genesis.
        exchange_pk: the network's seed-exchange key of epoch 0, 32 bytes.
        io_pk: the network's io-exchange key of epoch 0, 32 bytes.
        policy: the network's rules.
        network_id: 32 bytes.
        at_us: ``bootstrap.time``, microseconds since the Unix epoch.

    Returns:
        The result, with exchange_pk in the place of a node's registration key.

    Raises:
        EvidenceFormatError: as :func:`judge_registration`.
        VerificationError: likewise.
        PolicyError: likewise.
    """
    judged = _judge_evidence(certificate, policy, at_us, catch_up=False)
    _require_canonical(exchange_pk)
    _require_canonical(io_pk)
    _require_bound(judged.report_data, bootstrap_report_data(exchange_pk, network_id, io_pk))
    return judged.reply(exchange_pk)


@dataclass(frozen=True, slots=True)
class _Acceptable:
    """Authentic evidence that the policy accepts; what it binds is not looked at yet."""

    evidence_kind: str
    measurement: bytes
    tcb_status: str
    report_data: bytes
    valid_from_us: int
    valid_until_us: int

    def reply(self, node_id: bytes) -> JudgeReply:
        return JudgeReply(
            node_id=node_id,
            evidence_kind=self.evidence_kind,
            measurement=self.measurement,
            tcb_status=self.tcb_status,
            valid_from_us=self.valid_from_us,
            valid_until_us=min(self.valid_until_us, _LATEST_US),
        )


def _judge_evidence(
    certificate: bytes, policy: Policy, at_us: int, *, catch_up: bool
) -> _Acceptable:
    evidence = parse_on_chain(certificate)
    if isinstance(evidence, QuoteWithCollateral):
        return _judge_quote(evidence, policy, at_us, catch_up=catch_up)
    return _judge_report(evidence, policy, at_us, catch_up=catch_up)


def _judge_report(
    signed: SignedReport, policy: Policy, at_us: int, *, catch_up: bool
) -> _Acceptable:
    checks: list[Check] = []
    verified = verify_report(signed, TrustRoots.of(policy), checks)
    report = verified.report
    judged_at_us = max(at_us, report.timestamp_us) if catch_up else at_us
    require(checks, check_not_in_future(report, judged_at_us, policy.max_clock_skew_s))
    appraise(verified, policy, judged_at_us, checks)
    return _Acceptable(
        evidence_kind=EPID,
        measurement=report.quote.report.mr_enclave,
        tcb_status=report.status,
        report_data=report.quote.report.report_data,
        valid_from_us=report.timestamp_us,
        valid_until_us=report.timestamp_us + policy.max_evidence_age_s * US_PER_S,
    )


def _judge_quote(
    evidence: QuoteWithCollateral, policy: Policy, at_us: int, *, catch_up: bool
) -> _Acceptable:
    checks: list[Check] = []
    verified = verify_quote(
        evidence,
        TrustRoots.of(policy),
        checks,
        at_us=at_us,
        max_clock_skew_s=policy.max_clock_skew_s,
        catch_up=catch_up,
    )
    judged_at_us = max(at_us, verified.newest_start_us) if catch_up else at_us
    appraise_dcap(verified, policy, judged_at_us, checks)
    body = verified.quote.body
    too_old_us = verified.oldest_collateral_us + policy.max_evidence_age_s * US_PER_S
    return _Acceptable(
        evidence_kind=verified.quote.kind,
        measurement=body.mr_enclave if isinstance(body, SgxReport) else body.mr_td,
        tcb_status=judged_platform_status(verified) or "",
        report_data=body.report_data,
        valid_from_us=verified.newest_start_us,
        valid_until_us=min(verified.expires_us, too_old_us),
    )


def _require_canonical(public_key: bytes) -> None:
    try:
        check_public_key(public_key)
    except PublicKeyError as error:
        raise BoundKeyError(
            f"the bound key is refused: {error.message}", expected=error.expected, seen=error.seen
        ) from error


def _require_bound(seen: bytes, expected: bytes) -> None:
    if seen != expected:
        raise BindingError(
            "report_data binds another key, network or owner",
            expected=expected.hex(),
            seen=seen.hex(),
        )
