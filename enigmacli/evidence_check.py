"""What a file of attestation evidence says, and what a strict verifier thinks of it.

The flow behind ``attest parse`` and ``attest verify`` (cli.md). It judges with the enclave's
own code, :mod:`enclave.verify` and :mod:`enclave.appraise`, and adds only what a reader
wants: every rule in a row, and the claims of a file even where nobody should believe them.
"""

from dataclasses import dataclass
from typing import Any, Final

from enclave.appraise.general_rules import check_kind
from enclave.appraise.policy import STRICT_PRODUCTION, Policy
from enclave.appraise.rules import EPID, dcap_quote_rules, epid_rules, identity_rules
from enclave.appraise.scope import EVERYTHING, PRODUCTION_ONLY, AppraisalScope
from enclave.checks import Check, failed
from enclave.errors import (
    EnclaveError,
    EvidenceFormatError,
    NoEvidenceError,
    PolicyError,
    PolicyFormatError,
)
from enclave.evidence import dcap_quote, foreign_collateral
from enclave.evidence.containers import Evidence, QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.foreign import Found, decode_pem_chain, parse_any
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.verify.dcap import VerifiedQuote, verify_quote
from enclave.verify.ias import check_not_in_future, verify_report
from enclave.verify.roots import TrustRoots
from enigmacli.evidence_claims import Claims, add_verified, read_claims
from enigmacli.evidence_parts import describe_quote

SCHEMA: Final = 1

EXIT_ACCEPT: Final = 0
EXIT_NOT_AUTHENTIC: Final = 5
EXIT_REFUSED: Final = 6


@dataclass(frozen=True, slots=True)
class EvidenceVerdict:
    """The answer of ``attest verify``: its JSON document, and its exit code."""

    document: dict[str, Any]
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    at_us: int
    chain_at_us: int | None
    policy: Policy
    scope: AppraisalScope
    roots: TrustRoots


def load_trust_root(data: bytes) -> TrustRoots:
    """The root of ``--trust-root FILE``, PEM or DER, in the place of Intel's.

    Raises:
        PolicyFormatError: not one root certificate.
    """
    if not data.startswith(b"-----"):
        return TrustRoots.standing_in(data)
    try:
        (certificate,) = decode_pem_chain(data)
    except (EvidenceFormatError, ValueError) as error:
        raise PolicyFormatError("the trust root is not one PEM certificate") from error
    return TrustRoots.standing_in(certificate)


def parse_evidence(
    data: bytes, *, collateral: bytes | None = None, trim_padding: bool = False
) -> dict[str, Any]:
    """What a file says, trusting nothing.

    Args:
        data: the file.
        collateral: of a raw quote.
        trim_padding: cut zero bytes behind a quote.

    Returns:
        ``schema``, ``form``, ``kind``, ``authentic`` (always None: nobody looked), ``claims``,
        and of a quote also its parts.

    Raises:
        EvidenceFormatError: the file is malformed or holds no evidence.
    """
    found = _find(data, trim_padding=trim_padding)
    evidence = found.evidence
    parts = {}
    if isinstance(evidence, QuoteWithCollateral):
        evidence = QuoteWithCollateral(evidence.quote, collateral or evidence.collateral)
        parts = {"parts": describe_quote(evidence)}
    kind, claims = read_claims(evidence)
    return {
        "schema": SCHEMA,
        "form": found.form,
        "kind": kind,
        "authentic": None,
        "claims": claims,
        **parts,
    }


def verify_evidence(
    data: bytes,
    *,
    at_us: int,
    chain_at_us: int | None = None,
    collateral: bytes | None = None,
    policy: Policy | None = None,
    roots: TrustRoots | None = None,
    trim_padding: bool = False,
) -> EvidenceVerdict:
    """Is this file authentic evidence, and acceptable?

    Args:
        data: the file.
        at_us: the time of judgement, microseconds since the Unix epoch.
        chain_at_us: when an IAS report's certificate must have been valid; None for the
            report's own timestamp.
        collateral: what a raw quote is verified with.
        policy: judge by all of its rules; None for the strict production policy, under which
            measurement, advisories and age are reported and not judged.
        roots: whom to believe; None for whom the policy names.
        trim_padding: cut zero bytes behind a quote.
    """
    chosen = policy or STRICT_PRODUCTION
    question = _Question(
        at_us=at_us,
        chain_at_us=chain_at_us,
        policy=chosen,
        scope=EVERYTHING if policy else PRODUCTION_ONLY,
        roots=roots or TrustRoots.of(chosen),
    )
    checks: list[Check] = []
    try:
        found = _find(data, trim_padding=trim_padding)
    except EvidenceFormatError as error:
        checks.append(failed(error))
        return _verdict(None, None, checks)
    if isinstance(found.evidence, SignedReport):
        return _verify_report(found.evidence, question, checks)
    return _verify_quote(found.evidence, collateral, question, checks)


def _find(data: bytes, *, trim_padding: bool) -> Found:
    found = parse_any(data)
    if not trim_padding or not isinstance(found.evidence, QuoteWithCollateral):
        return found
    return Found(found.form, _trimmed(found.evidence))


def _trimmed(evidence: QuoteWithCollateral) -> QuoteWithCollateral:
    return QuoteWithCollateral(dcap_quote.trim_padding(evidence.quote), evidence.collateral)


def _with_collateral(evidence: QuoteWithCollateral, other: bytes | None) -> QuoteWithCollateral:
    """The quote with ``other`` where there is one, in the form that the judgement reads.

    Raises:
        CollateralFormatError: it is no collateral in any form that is known.
    """
    collateral = evidence.collateral if other is None else other
    if collateral:
        collateral = foreign_collateral.parse_any(collateral).encode_intel()
    return QuoteWithCollateral(evidence.quote, collateral)


# --- IAS reports ------------------------------------------------------------------------------


def _verify_report(
    signed: SignedReport, question: _Question, checks: list[Check]
) -> EvidenceVerdict:
    """Record every rule; after one has failed, the rest are judged for the reader's sake."""
    try:
        _judge_report(signed, question, checks)
    except EnclaveError as error:
        _record(checks, error)
    return _verdict(EPID, _claims_of(signed), checks)


def _judge_report(signed: SignedReport, question: _Question, checks: list[Check]) -> None:
    try:
        verified = verify_report(signed, question.roots, checks, chain_at_us=question.chain_at_us)
        report = verified.report
    except EnclaveError:
        report = IasReport.parse(signed.report)
    checks.append(check_not_in_future(report, question.at_us, question.policy.max_clock_skew_s))
    checks.extend(
        epid_rules(
            report,
            question.policy,
            question.at_us,
            simulated=question.roots.simulated,
            scope=question.scope,
        )
    )


# --- DCAP quotes ------------------------------------------------------------------------------


def _verify_quote(
    found: QuoteWithCollateral, other: bytes | None, question: _Question, checks: list[Check]
) -> EvidenceVerdict:
    """As for a report; what needs a verified quote is left out where it is not."""
    evidence, verified = found, None
    try:
        evidence = _with_collateral(found, other)
        verified = _judge_quote(evidence, question, checks)
    except EnclaveError as error:
        _record(checks, error)
    claims = _claims_of(evidence)
    if claims is None:
        return _verdict(None, None, checks, hint=_padding_hint(evidence))
    quote = DcapQuote.parse(evidence.quote)
    if verified is None:
        checks.append(check_kind(quote.kind, question.policy))
        checks.extend(identity_rules(quote, question.policy, question.scope))
    else:
        claims = add_verified(claims, verified)
    return _verdict(quote.kind, claims, checks)


def _judge_quote(
    evidence: QuoteWithCollateral, question: _Question, checks: list[Check]
) -> VerifiedQuote:
    DcapQuote.parse(evidence.quote)  # first: a quote that is none needs no collateral
    if not evidence.collateral:
        raise NoEvidenceError(
            "a quote is verified with its collateral", expected="--collateral FILE", seen="none"
        )
    verified = verify_quote(
        evidence,
        question.roots,
        checks,
        at_us=question.at_us,
        max_clock_skew_s=question.policy.max_clock_skew_s,
    )
    checks.extend(dcap_quote_rules(verified, question.policy, question.at_us, question.scope))
    return verified


def _padding_hint(evidence: QuoteWithCollateral) -> str:
    """What to do about a quote that lies here as it was captured, with zeros behind it."""
    try:
        DcapQuote.parse(_trimmed(evidence).quote)
    except EvidenceFormatError:
        return ""
    return "zero bytes follow the quote: cut them off with --trim-padding"


# --- the answer -------------------------------------------------------------------------------


def _record(checks: list[Check], error: EnclaveError) -> None:
    """What ended the judgement, as a check that failed where none says so already."""
    if all(check.ok for check in checks):
        checks.append(failed(error))


def _claims_of(evidence: Evidence) -> Claims | None:
    try:
        _, claims = read_claims(evidence)
    except EvidenceFormatError:
        return None
    return claims


def _verdict(
    kind: str | None, claims: Claims | None, checks: list[Check], hint: str = ""
) -> EvidenceVerdict:
    first = next((check for check in checks if not check.ok), None)
    authentic = first is None or issubclass(first.error, PolicyError)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": kind,
        "authentic": authentic,
        "verdict": "reject" if first else "accept",
        "code": first.error.code if first else "ok",
        "reason": _reason(first),
        "checks": [
            {"id": check.id, "ok": check.ok, "expected": check.expected, "seen": check.seen}
            for check in checks
        ],
    }
    if hint:
        document["hint"] = hint
    if claims is not None:
        document["claims"] = claims
    refused = EXIT_REFUSED if authentic else EXIT_NOT_AUTHENTIC
    return EvidenceVerdict(document, refused if first else EXIT_ACCEPT)


def _reason(first: Check | None) -> str:
    if first is None:
        return "authentic, and accepted by every rule that was judged"
    return " ".join(str(first.refusal()).split())
