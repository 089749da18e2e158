"""What a file of attestation evidence says, and what a strict verifier thinks of it.

The flow behind ``attest parse`` and ``attest verify`` (cli.md). It judges with the enclave's
own code, :mod:`enclave.verify` and :mod:`enclave.appraise`, and adds only what a reader
wants: every rule in a row, and the claims of a file even where nobody should believe them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from enclave.appraise.policy import STRICT_PRODUCTION, Policy
from enclave.appraise.rules import EPID, epid_rules
from enclave.appraise.scope import EVERYTHING, PRODUCTION_ONLY, AppraisalScope
from enclave.checks import Check, failed
from enclave.errors import EnclaveError, EvidenceFormatError, PolicyError, PolicyFormatError
from enclave.evidence import dcap_quote
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.foreign import Found, decode_pem_chain, parse_any
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.evidence.sgx_quote import LINKABLE
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport
from enclave.verify.dcap import verify_quote
from enclave.verify.ias import check_not_in_future, show_time, verify_report
from enclave.verify.roots import TrustRoots

SCHEMA: Final = 1

EXIT_ACCEPT: Final = 0
EXIT_NOT_AUTHENTIC: Final = 5
EXIT_REFUSED: Final = 6

Claims = dict[str, Any]


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


def parse_evidence(data: bytes, *, trim_padding: bool = False) -> dict[str, Any]:
    """What a file says, trusting nothing.

    Args:
        data: the file.
        trim_padding: cut zero bytes behind a quote.

    Returns:
        ``schema``, ``form``, ``kind``, ``authentic`` (always None: nobody looked) and ``claims``.

    Raises:
        EvidenceFormatError: the file is malformed or holds no evidence.
    """
    found = _find(data, b"", trim_padding=trim_padding)
    kind, claims = _read_claims(found)
    return {
        "schema": SCHEMA,
        "form": found.form,
        "kind": kind,
        "authentic": None,
        "claims": claims,
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
        found = _find(data, collateral or b"", trim_padding=trim_padding)
    except EvidenceFormatError as error:
        checks.append(failed(error))
        return _verdict(None, None, checks)
    kind, claims = _try(lambda: _read_claims(found)) or (_kind_of(found), None)
    _judge(found, question, checks)
    return _verdict(kind, claims, checks)


def _find(data: bytes, collateral: bytes, *, trim_padding: bool) -> Found:
    found = parse_any(data)
    if not isinstance(found.evidence, QuoteWithCollateral):
        return found
    quote = found.evidence.quote
    if trim_padding:
        quote = dcap_quote.trim_padding(quote)
    return Found(found.form, QuoteWithCollateral(quote, collateral or found.evidence.collateral))


def _judge(found: Found, question: _Question, checks: list[Check]) -> None:
    """Record every rule; after one has failed, the rest are judged for the reader's sake."""
    try:
        if isinstance(found.evidence, QuoteWithCollateral):
            verify_quote(found.evidence, question.roots, checks)
        _judge_report(found.evidence, question, checks)
    except EnclaveError as error:
        if all(check.ok for check in checks):
            checks.append(failed(error))


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


def _verdict(kind: str | None, claims: Claims | None, checks: list[Check]) -> EvidenceVerdict:
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
    if claims is not None:
        document["claims"] = claims
    refused = EXIT_REFUSED if authentic else EXIT_NOT_AUTHENTIC
    return EvidenceVerdict(document, refused if first else EXIT_ACCEPT)


def _reason(first: Check | None) -> str:
    if first is None:
        return "authentic, and accepted by every rule that was judged"
    return " ".join(str(first.refusal()).split())


def _try(read: Callable[[], tuple[str, Claims]]) -> tuple[str, Claims] | None:
    try:
        return read()
    except EvidenceFormatError:
        return None


def _kind_of(found: Found) -> str | None:
    return EPID if isinstance(found.evidence, SignedReport) else None


def _read_claims(found: Found) -> tuple[str, Claims]:
    if isinstance(found.evidence, SignedReport):
        return EPID, _report_claims(IasReport.parse(found.evidence.report))
    quote = DcapQuote.parse(found.evidence.quote)
    return quote.kind, _quote_claims(quote)


def _report_claims(report: IasReport) -> Claims:
    quote = report.quote
    return {
        "report_version": report.version,
        "quote_version": quote.version,
        "status": report.status,
        "advisory_ids": list(report.advisory_ids or ()),
        **_sgx_claims(quote.report),
        "timestamp": show_time(report.timestamp_us),
        "sign_type": "linkable" if quote.sign_type == LINKABLE else "unlinkable",
        "gid": f"{quote.gid:08x}",
        "nonce": report.nonce,
        "fmspc": None,
        "platform_status": None,
        "qe_status": None,
        "tcb_evaluation_data_number": report.tcb_evaluation_data_number,
    }


def _quote_claims(quote: DcapQuote) -> Claims:
    body = quote.body
    return {
        "report_version": None,
        "quote_version": quote.version,
        "status": None,
        "advisory_ids": [],
        **(_sgx_claims(body) if isinstance(body, SgxReport) else _tdx_claims(body)),
        "timestamp": None,
        "fmspc": None,
        "platform_status": None,
        "qe_status": None,
        "tcb_evaluation_data_number": None,
    }


def _sgx_claims(report: SgxReport) -> Claims:
    return {
        "debug": report.is_debug,
        "mr_enclave": report.mr_enclave.hex(),
        "mr_signer": report.mr_signer.hex(),
        "isv_prod_id": report.isv_prod_id,
        "isv_svn": report.isv_svn,
        "report_data": report.report_data.hex(),
    }


_TDX_MEMBERS: Final = (
    "mr_td",
    "rtmr0",
    "rtmr1",
    "rtmr2",
    "rtmr3",
    "mr_config_id",
    "mr_owner",
    "mr_owner_config",
    "mr_seam",
    "td_attributes",
    "xfam",
    "report_data",
)


def _tdx_claims(report: TdReport) -> Claims:
    members = {name: getattr(report, name).hex() for name in _TDX_MEMBERS}
    return {"debug": report.is_debug, **members}
