"""The claims of a piece of evidence: what it says of itself (cli.md, ``attest verify``).

Read from the bytes alone, so nobody should believe them; where evidence was verified, what
the verifier found stands in their place.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from enclave.appraise.rules import EPID
from enclave.errors import EnclaveError
from enclave.evidence import foreign_collateral
from enclave.evidence.collateral import TCB_INFO, split_signed
from enclave.evidence.containers import Evidence, QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.evidence.sgx_quote import LINKABLE
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tcb_info import TcbInfo
from enclave.evidence.tdx_quote import TdReport
from enclave.verify.dcap import VerifiedQuote
from enclave.verify.ias import show_time
from enigmacli import evidence_certificates

Claims = dict[str, Any]


def read_claims(evidence: Evidence) -> tuple[str, Claims]:
    """The kind of evidence, and its claims.

    Raises:
        EvidenceFormatError: the report or the quote itself is malformed; what surrounds a
            quote may be, and then says nothing.
    """
    if isinstance(evidence, SignedReport):
        return EPID, _report_claims(IasReport.parse(evidence.report))
    quote = DcapQuote.parse(evidence.quote)
    return quote.kind, _quote_claims(quote, evidence)


def add_verified(claims: Mapping[str, Any], verified: VerifiedQuote) -> Claims:
    """The claims of a quote, with what its verification brought to light."""
    return {
        **claims,
        "status": verified.status,
        "advisory_ids": list(verified.advisory_ids),
        "fmspc": verified.fmspc.hex(),
        "platform_status": verified.platform_status,
        "qe_status": verified.qe_status,
        "tcb_evaluation_data_number": verified.tcb_evaluation_data_number,
    }


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


def _quote_claims(quote: DcapQuote, evidence: QuoteWithCollateral) -> Claims:
    body = quote.body
    return {
        "report_version": None,
        "quote_version": quote.version,
        "status": None,
        "advisory_ids": [],
        **(_sgx_claims(body) if isinstance(body, SgxReport) else _tdx_claims(body)),
        "timestamp": None,
        "fmspc": _fmspc(quote),
        "platform_status": None,
        "qe_status": None,
        "tcb_evaluation_data_number": _evaluation_number(quote, evidence.collateral),
    }


def _fmspc(quote: DcapQuote) -> str | None:
    with suppress(EnclaveError):
        return evidence_certificates.read_extension(quote).fmspc.hex()
    return None


def _evaluation_number(quote: DcapQuote, collateral: bytes) -> int | None:
    with suppress(EnclaveError):
        body = foreign_collateral.parse_any(collateral).tcb_info
        text = split_signed(TCB_INFO, body).text
        return TcbInfo.parse(text, quote.tee_type).evaluation_number
    return None


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
