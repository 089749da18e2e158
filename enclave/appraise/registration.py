"""Judging evidence for a network: parse, verify, appraise, bind (protocol.md sections 1 and 5).

This is what a validator's enclave runs, what the judge runs, and what the command line runs
before a fee is paid: one function, so that all answer alike. Authenticity comes before
policy, policy before age, age before binding, so the code names the gravest fault.
"""

from dataclasses import dataclass

from enclave.appraise.policy import Policy
from enclave.appraise.rules import EPID, appraise
from enclave.binding import (
    NO_OWNER,
    bootstrap_report_data,
    check_public_key,
    registration_report_data,
)
from enclave.calls import JudgeReply
from enclave.checks import Check, judge, require
from enclave.errors import BindingError, BoundKeyError, PublicKeyError
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enclave.times import US_PER_S
from enclave.verify.dcap import verify_quote
from enclave.verify.ias import VerifiedReport, check_not_in_future, verify_report
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
            valid_until_us=self.valid_until_us,
        )


def _judge_evidence(
    certificate: bytes, policy: Policy, at_us: int, *, catch_up: bool
) -> _Acceptable:
    evidence = parse_on_chain(certificate)
    roots = TrustRoots.of(policy)
    checks: list[Check] = []
    if isinstance(evidence, QuoteWithCollateral):
        verify_quote(evidence, roots, checks)
    verified = verify_report(evidence, roots, checks)
    judged_at_us = max(at_us, verified.newest_start_us) if catch_up else at_us
    require(checks, check_not_in_future(verified.report, judged_at_us, policy.max_clock_skew_s))
    appraise(verified, policy, judged_at_us, checks)
    return _acceptable(verified, policy)


def _acceptable(verified: VerifiedReport, policy: Policy) -> _Acceptable:
    report = verified.report
    valid_until_us = report.timestamp_us + policy.max_evidence_age_s * US_PER_S
    return _Acceptable(
        evidence_kind=EPID,
        measurement=report.quote.report.mr_enclave,
        tcb_status=report.status,
        report_data=report.quote.report.report_data,
        valid_from_us=report.timestamp_us,
        valid_until_us=min(valid_until_us, _LATEST_US),
    )


def _require_canonical(public_key: bytes) -> None:
    try:
        check_public_key(public_key)
    except PublicKeyError as error:
        raise BoundKeyError(
            f"the bound key is refused: {error.message}", expected=error.expected, seen=error.seen
        ) from error


def _require_bound(seen: bytes, expected: bytes) -> None:
    check = judge(
        BindingError,
        seen == expected,
        "report_data binds another key, network or owner",
        expected=expected.hex(),
        seen=seen.hex(),
    )
    require([], check)
