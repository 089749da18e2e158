"""The parts of a DCAP quote and its collateral, for ``attest parse``: everything, trusting nothing.

A part that is malformed says so in its own place, and the others are shown all the same.
"""

import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from enclave.errors import EnclaveError
from enclave.evidence import foreign_collateral
from enclave.evidence.collateral import QE_IDENTITY, TCB_INFO, Collateral, split_signed
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tcb_info import TcbInfo
from enclave.verify.ias import show_time
from enigmacli.evidence_certificates import (
    describe_chain,
    describe_crl,
    describe_extension,
    read_extension,
)

# version, attestation key type, TEE type, QE SVN and PCE SVN (version 3), vendor id, user data
_HEADER: Final = struct.Struct("<HHIHH16s20s")
_LAST_WITH_SVNS: Final = 3


def describe_quote(evidence: QuoteWithCollateral) -> dict[str, Any]:
    """Header, body, signature data and PCK extension of a quote, and its collateral in any form.

    Raises:
        QuoteFormatError: the quote has no header and body.
    """
    quote = DcapQuote.parse(evidence.quote)
    parts = {
        "header": _header(quote),
        "body": _members(quote.body),
        "signature": _try(lambda: _signature(quote)),
        "pck_extension": _try(lambda: describe_extension(read_extension(quote))),
    }
    if evidence.collateral:
        parts["collateral"] = _try(lambda: _collateral(quote, evidence.collateral))
    return parts


def _try(read: Callable[[], Any]) -> Any:
    """What ``read`` gives, or why it gives nothing."""
    try:
        return read()
    except EnclaveError as error:
        return {"error": error.code, "reason": " ".join(str(error).split())}


def _header(quote: DcapQuote) -> dict[str, Any]:
    version, key_type, tee_type, qe_svn, pce_svn, vendor, user_data = _HEADER.unpack_from(
        quote.signed
    )
    has_svns = version <= _LAST_WITH_SVNS
    return {
        "version": version,
        "attestation_key_type": key_type,
        "tee_type": f"{tee_type:#x}",
        **({"qe_svn": qe_svn, "pce_svn": pce_svn} if has_svns else {}),
        "qe_vendor_id": vendor.hex(),
        "user_data": user_data.hex(),
    }


def _members(body: Any) -> dict[str, Any]:
    """Every member of a report by its name, bytes as hex."""
    shown = {}
    for member in fields(body):
        value = getattr(body, member.name)
        if isinstance(value, bytes):
            shown[member.name] = value.hex()
        else:
            shown[member.name] = f"{value:#x}" if member.name in _AS_HEX else value
    return shown


_AS_HEX: Final = frozenset({"misc_select", "flags", "xfrm"})


def _signature(quote: DcapQuote) -> dict[str, Any]:
    parts = DcapSignature.parse(quote.signature, quote.version)
    return {
        "signature": parts.signature.hex(),
        "attestation_key": parts.attestation_key.hex(),
        "qe_report": _members(SgxReport.parse(parts.qe_report)),
        "qe_signature": parts.qe_signature.hex(),
        "qe_auth_data": parts.auth_data.hex(),
        "certification_data": _try(lambda: describe_chain(parts.pck_chain)),
    }


def _collateral(quote: DcapQuote, data: bytes) -> dict[str, Any]:
    collateral = foreign_collateral.parse_any(data)
    return {
        "tcb_info": _try(lambda: _tcb_info(quote, collateral)),
        "qe_identity": _try(lambda: _qe_identity(quote, collateral)),
        "root_ca_crl": _try(lambda: describe_crl(collateral.root_ca_crl)),
        "pck_crl": _try(lambda: describe_crl(collateral.pck_crl)),
        "pck_crl_issuer_chain": _try(lambda: describe_chain(collateral.pck_crl_issuer_chain)),
        "tcb_info_issuer_chain": _try(lambda: describe_chain(collateral.tcb_info_issuer_chain)),
        "qe_identity_issuer_chain": _try(
            lambda: describe_chain(collateral.qe_identity_issuer_chain)
        ),
    }


def _tcb_info(quote: DcapQuote, collateral: Collateral) -> dict[str, Any]:
    info = TcbInfo.parse(split_signed(TCB_INFO, collateral.tcb_info).text, quote.tee_type)
    return {
        "fmspc": info.fmspc.hex(),
        "pce_id": info.pce_id.hex(),
        "issue_date": show_time(info.issue_us),
        "next_update": show_time(info.next_update_us),
        "tcb_evaluation_data_number": info.evaluation_number,
        "tcb_levels": [level.status for level in info.levels],
    }


def _qe_identity(quote: DcapQuote, collateral: Collateral) -> dict[str, Any]:
    text = split_signed(QE_IDENTITY, collateral.qe_identity).text
    identity = QeIdentity.parse(text, quote.tee_type)
    return {
        "mr_signer": identity.mr_signer.hex(),
        "isv_prod_id": identity.isv_prod_id,
        "issue_date": show_time(identity.issue_us),
        "next_update": show_time(identity.next_update_us),
        "tcb_evaluation_data_number": identity.evaluation_number,
        "tcb_levels": {str(level.isv_svn): level.status for level in identity.levels},
    }
