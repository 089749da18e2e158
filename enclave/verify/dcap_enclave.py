"""The quoting enclave: is it Intel's, and does it vouch for the key that signed the quote?

Sources: Intel SGX DCAP Quote Library API, "ECDSA 256-bit Quote Signature Data Structure" (the
report_data of the quoting enclave); Intel SGX and TDX Provisioning Certification Service, API
version 4, "Get Quoting Enclave Identity" (members and masks).
"""

from hashlib import sha256
from typing import Final, NamedTuple

from enclave.checks import Check, judge, require
from enclave.dcap_errors import (
    AttestationKeyBindingError,
    AttestationKeyError,
    QeAttributesError,
    QeDebugError,
    QeMiscSelectError,
    QeProductError,
    QeReportTailError,
    QeSignerError,
    VendorError,
)
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.sgx_report import SgxReport
from enclave.verify import ecdsa

INTEL_VENDOR: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""QE Vendor ID of Intel (Intel SGX DCAP Quote Library API, "Quote Header")."""

_HASH_BYTES: Final = 32


def check_vendor(vendor_id: bytes) -> Check:
    """Rule: the quote's header names Intel as the quoting enclave's vendor."""
    return judge(
        VendorError,
        vendor_id == INTEL_VENDOR,
        "the quote names another vendor of its quoting enclave",
        expected=INTEL_VENDOR.hex(),
        seen=vendor_id.hex(),
    )


def _check_attestation_key(key: bytes) -> Check:
    """Rule: the attestation key is a point of P-256."""
    ok = ecdsa.is_on_curve(key)
    return judge(
        AttestationKeyError,
        ok,
        "the attestation key is no point of P-256",
        expected="a point of P-256",
        seen="a point of P-256" if ok else key.hex(),
    )


class QeClaim(NamedTuple):
    """The quoting enclave's report and what it vouches for."""

    report: bytes
    """384 bytes."""
    attestation_key: bytes
    """64 bytes: x and y."""
    auth_data: bytes


def verify_quoting_enclave(claim: QeClaim, identity: QeIdentity, checks: list[Check]) -> SgxReport:
    """Verify the quoting enclave's report in all but its signature.

    Args:
        claim: the report and what it vouches for.
        identity: what Intel's quoting enclave looks like.
        checks: gets every rule judged.

    Raises:
        DcapVerificationError: by its own class, why this is not Intel's quoting enclave, or
            does not vouch for the attestation key.
    """
    require(checks, _check_attestation_key(claim.attestation_key))
    report = SgxReport.parse(claim.report)
    require(checks, _check_binding(report, claim))
    require(checks, _check_tail(report))
    require(checks, _check_signer(report, identity))
    require(checks, _check_product(report, identity))
    require(checks, _check_misc_select(report, identity))
    require(checks, _check_attributes(report, identity))
    require(checks, _check_debug(report))
    return report


def _check_binding(report: SgxReport, claim: QeClaim) -> Check:
    expected = sha256(claim.attestation_key + claim.auth_data).hexdigest()
    seen = report.report_data[:_HASH_BYTES].hex()
    return judge(
        AttestationKeyBindingError,
        seen == expected,
        "the quoting enclave's report binds another attestation key",
        expected=expected,
        seen=seen,
    )


def _check_tail(report: SgxReport) -> Check:
    tail = report.report_data[_HASH_BYTES:]
    return judge(
        QeReportTailError,
        not any(tail),
        "the second half of the quoting enclave's report_data is not zero",
        expected="32 zero bytes",
        seen=tail.hex(),
    )


def _check_signer(report: SgxReport, identity: QeIdentity) -> Check:
    return judge(
        QeSignerError,
        report.mr_signer == identity.mr_signer,
        "the quoting enclave has another signer",
        expected=identity.mr_signer.hex(),
        seen=report.mr_signer.hex(),
    )


def _check_product(report: SgxReport, identity: QeIdentity) -> Check:
    return judge(
        QeProductError,
        report.isv_prod_id == identity.isv_prod_id,
        "the quoting enclave has another product id",
        expected=str(identity.isv_prod_id),
        seen=str(report.isv_prod_id),
    )


def _check_misc_select(report: SgxReport, identity: QeIdentity) -> Check:
    mask = identity.misc_select_mask
    return judge(
        QeMiscSelectError,
        report.misc_select & mask == identity.misc_select & mask,
        "the quoting enclave has another MISCSELECT",
        expected=f"{identity.misc_select & mask:#010x} under mask {mask:#010x}",
        seen=f"{report.misc_select:#010x}",
    )


def _check_attributes(report: SgxReport, identity: QeIdentity) -> Check:
    mask = int.from_bytes(identity.attributes_mask, "little")
    wanted = int.from_bytes(identity.attributes, "little") & mask
    attributes = report.flags | report.xfrm << 64
    return judge(
        QeAttributesError,
        attributes & mask == wanted,
        "the quoting enclave has other attributes",
        expected=f"{wanted:#x} under mask {mask:#x}",
        seen=f"{attributes:#x}",
    )


def _check_debug(report: SgxReport) -> Check:
    return judge(
        QeDebugError,
        not report.is_debug,
        "the quoting enclave can be debugged",
        expected="DEBUG clear",
        seen="DEBUG set" if report.is_debug else "DEBUG clear",
    )
