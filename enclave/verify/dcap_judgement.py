"""Judging DCAP quotes: do Intel's keys vouch for the quote, at the time of judgement?

Our own checks come first, each with its own code (docs/dcap.md): form, chains, roles,
revocation, documents, dates, the quoting enclave; the verification library comes last and has
to agree. Where it refuses by a policy of its own (a debuggable enclave, no TCB level and the
like) it is not asked: then the two signatures that are otherwise left to it are verified here,
so that authentic evidence is told from forged, and refused by the network's policy.
"""

from functools import lru_cache
from typing import Final

from enclave.checks import Check, failed, judge, refused, require
from enclave.dcap_errors import (
    EngineDisagreesError,
    EngineRefusedError,
    QeReportSignatureError,
    QuoteSignatureError,
    QuoteVersionError,
)
from enclave.errors import QuoteFormatError
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import TEE_SGX, TEE_TDX, DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.verify import ecdsa
from enclave.verify.dcap_dates import check_dates
from enclave.verify.dcap_documents import check_signature_range
from enclave.verify.dcap_enclave import check_vendor
from enclave.verify.dcap_endorsements import Endorsements, Subject, verify_endorsements
from enclave.verify.dcap_engine import (
    EngineAnswer,
    ask_engine,
    engine_time_s,
    load_engine,
    refuses_by_policy,
)
from enclave.verify.dcap_levels import TcbVerdict
from enclave.verify.roots import TrustRoots
from enclave.verify.verified_quote import VerifiedQuote

__all__ = ["load_engine", "verify_quote"]

_REMEMBERED: Final = 32

_VERSIONS: Final = {TEE_SGX: (3,), TEE_TDX: (4, 5)}
"""Those that a TEE's quoting enclave makes."""


def verify_quote(
    evidence: QuoteWithCollateral,
    roots: TrustRoots,
    checks: list[Check],
    *,
    at_us: int,
    max_clock_skew_s: int,
    catch_up: bool,
) -> VerifiedQuote:
    """See :func:`enclave.verify.dcap.verify_quote`."""
    quote, signature = _parse(evidence.quote, checks)
    require(checks, _check_version(quote))
    require(checks, check_vendor(quote.vendor_id))
    require(checks, check_signature_range(signature.signature, "quote"))
    require(checks, check_signature_range(signature.qe_signature, "qe-report"))
    subject = Subject.of(quote, signature)
    endorsed = verify_endorsements(subject, evidence.collateral, roots, checks)
    dates, verdict = endorsed.dates, endorsed.verdict
    judged_at_us = max(at_us, dates.newest_start_us) if catch_up else at_us
    _require_in_time(endorsed, judged_at_us, max_clock_skew_s, checks)
    accepted = not refuses_by_policy(quote.body, verdict, endorsed.module)
    answer = None
    if accepted:
        now_s = engine_time_s(judged_at_us, dates.newest_start_us)
        answer = ask_engine(evidence.quote, endorsed.collateral, endorsed.root_der, now_s)
    if answer is None:
        _verify_signatures(quote, signature, endorsed, checks)
    if accepted:
        _require_engine(answer, verdict, checks)
    return VerifiedQuote(
        quote=quote,
        simulated=roots.simulated,
        fmspc=endorsed.pck.fmspc,
        pce_id=endorsed.pck.pce_id,
        platform_status=verdict.platform_status,
        qe_status=verdict.qe_status,
        status=verdict.status,
        advisory_ids=verdict.advisory_ids,
        tcb_evaluation_data_number=endorsed.evaluation_number,
        module=endorsed.module,
        accepted_by_engine=accepted,
        dates=dates.dates,
        newest_start_us=dates.newest_start_us,
        oldest_collateral_us=dates.oldest_collateral_us,
        expires_us=dates.expires_us,
    )


def _parse(data: bytes, checks: list[Check]) -> tuple[DcapQuote, DcapSignature]:
    try:
        quote = DcapQuote.parse(data)
        return quote, DcapSignature.parse(quote.signature, quote.version)
    except QuoteFormatError as error:
        raise refused(checks, failed(error)) from error


def _check_version(quote: DcapQuote) -> Check:
    versions = _VERSIONS[quote.tee_type]
    return judge(
        QuoteVersionError,
        quote.version in versions,
        "no quote of this version is judged for its TEE",
        expected=f"one of {versions}",
        seen=str(quote.version),
    )


def _require_in_time(
    endorsed: Endorsements, at_us: int, max_clock_skew_s: int, checks: list[Check]
) -> None:
    *passed, last = check_dates(endorsed.dates, at_us, max_clock_skew_s)
    checks.extend(passed)
    require(checks, last)


def _verify_signatures(
    quote: DcapQuote, signature: DcapSignature, endorsed: Endorsements, checks: list[Check]
) -> None:
    """The two signatures that the library verifies, where it does not or says no."""
    by_pck = ecdsa.verifies(endorsed.pck_key, signature.qe_signature, signature.qe_report)
    require(checks, _qe_report_signature(ok=by_pck))
    key = ecdsa.load_key(signature.attestation_key)
    by_attestation_key = ecdsa.verifies(key, signature.signature, quote.signed)
    require(checks, _quote_signature(ok=by_attestation_key))


def _require_engine(answer: EngineAnswer | None, verdict: TcbVerdict, checks: list[Check]) -> None:
    """Rule: the library accepts what passed, and finds the same statuses and advisories."""
    ours = EngineAnswer(verdict.status or "", verdict.advisory_ids)
    *passed, last = _engine_checks(answer, ours)
    checks.extend(passed)
    require(checks, last)


@lru_cache(maxsize=_REMEMBERED)
def _engine_checks(answer: EngineAnswer | None, ours: EngineAnswer) -> tuple[Check, ...]:
    """The last may have failed."""
    accepted = judge(
        EngineRefusedError,
        answer is not None,
        "the verification library refuses what passed every check",
        expected="accepted",
        seen="refused" if answer is None else "accepted",
    )
    if answer is None:
        return (accepted,)
    agrees = judge(
        EngineDisagreesError,
        answer == ours,
        "the verification library finds another TCB status or other advisories",
        expected=f"{ours.status} {' '.join(ours.advisory_ids)}".rstrip(),
        seen=f"{answer.status} {' '.join(answer.advisory_ids)}".rstrip(),
    )
    # who accepts has verified both signatures
    return (_qe_report_signature(ok=True), _quote_signature(ok=True), accepted, agrees)


def _qe_report_signature(*, ok: bool) -> Check:
    return judge(
        QeReportSignatureError,
        ok,
        "the signature of the quoting enclave's report does not verify",
        expected="ECDSA signature with SHA-256 of the PCK",
        seen="valid" if ok else "not valid",
    )


def _quote_signature(*, ok: bool) -> Check:
    return judge(
        QuoteSignatureError,
        ok,
        "the quote's signature does not verify over its exact bytes",
        expected="ECDSA signature with SHA-256 of the attestation key",
        seen="valid" if ok else "not valid",
    )
