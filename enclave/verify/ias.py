"""Verifying IAS reports: signed by Intel's report signer, in time (protocol.md section 5).

Order: first the certificate against the root, then the signature over the exact bytes, and
only then are the bytes read as JSON. The chain is judged at the report's own timestamp
unless the caller names another instant: every genuine leaf has expired, and the report was
signed while it had not. Freshness at the time of judgement is a rule of its own.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from enclave.checks import Check, failed, judge, refused, require
from enclave.errors import (
    CertificateTimeError,
    EvidenceFormatError,
    NotYetValidError,
    ReportSignatureError,
    SignatureMissingError,
    SigningCertificateError,
)
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.times import US_PER_S, format_rfc3339
from enclave.verify.certificates import SigningCertificate, verify_signing_certificate
from enclave.verify.roots import TrustRoots


@dataclass(frozen=True, slots=True)
class VerifiedReport:
    """A report that a service under the trust roots has signed; only this module makes one."""

    report: IasReport
    simulated: bool
    """Whether the roots were simulated: no hardware stands behind the report."""

    @property
    def newest_start_us(self) -> int:
        """The newest start date of the evidence, microseconds since the Unix epoch."""
        return self.report.timestamp_us


def verify_report(
    signed: SignedReport,
    roots: TrustRoots,
    checks: list[Check],
    *,
    chain_at_us: int | None = None,
) -> VerifiedReport:
    """Verify signature and chain of a report.

    Args:
        signed: the report as transported.
        roots: whom to believe.
        checks: gets every rule judged, in order.
        chain_at_us: when the signing certificate must have been valid, in microseconds since
            the Unix epoch; None for the report's own timestamp.

    Raises:
        SignatureMissingError: the report is not signed.
        SigningCertificateError: the certificate is missing, malformed, or may not sign reports.
        CertificateChainError: no trusted root has issued it.
        ReportSignatureError: the signature does not verify over the exact bytes.
        EvidenceFormatError: what was signed is malformed.
        CertificateTimeError: the certificate was not valid at the chain's time.
    """
    require(checks, check_signed(signed))
    require(checks, _check_certificate_present(signed))
    chain = (signed.signing_cert, *signed.further_certs)
    certificate = verify_signing_certificate(chain, roots, checks)
    require(checks, _check_signature(signed, certificate))
    report = _parse(signed.report, checks)
    require(checks, _check_certificate_time(certificate, report, chain_at_us))
    return VerifiedReport(report, simulated=roots.simulated)


def check_signed(signed: SignedReport) -> Check:
    """Rule: there is a signature at all."""
    return judge(
        SignatureMissingError,
        bool(signed.signature),
        "the report is not signed",
        expected="a signature",
        seen=f"{len(signed.signature)} bytes",
    )


def check_not_in_future(report: IasReport, at_us: int, max_clock_skew_s: int) -> Check:
    """Rule: the report was not made after the time of judgement, the allowed skew apart."""
    latest_us = at_us + max_clock_skew_s * US_PER_S
    return judge(
        NotYetValidError,
        report.timestamp_us <= latest_us,
        "the report is dated after the time of judgement",
        expected=f"at most {max_clock_skew_s} s after {show_time(at_us)}",
        seen=f"{report.timestamp}Z",
    )


@lru_cache(maxsize=4)
def show_time(at_us: int) -> str:
    """An instant for people; far beyond any calendar, its number."""
    try:
        return format_rfc3339(at_us)
    except ValueError:
        return f"{at_us} us after 1970"


def _check_certificate_present(signed: SignedReport) -> Check:
    return judge(
        SigningCertificateError,
        bool(signed.signing_cert),
        "the report comes without its signing certificate",
        expected="a certificate",
        seen=f"{len(signed.signing_cert)} bytes",
        name="ias-certificate-present",
    )


def _check_signature(signed: SignedReport, certificate: SigningCertificate) -> Check:
    try:
        certificate.key.verify(signed.signature, signed.report, PKCS1v15(), SHA256())
        ok = True
    except InvalidSignature:
        ok = False
    return judge(
        ReportSignatureError,
        ok,
        "the report's signature does not verify over its exact bytes",
        expected="RSA PKCS#1 v1.5 signature with SHA-256 of the signing certificate's key",
        seen="valid" if ok else "not valid",
    )


def _parse(body: bytes, checks: list[Check]) -> IasReport:
    try:
        return IasReport.parse(body)
    except EvidenceFormatError as error:
        raise refused(checks, failed(error)) from error


def _check_certificate_time(
    certificate: SigningCertificate, report: IasReport, chain_at_us: int | None
) -> Check:
    at_us = report.timestamp_us if chain_at_us is None else chain_at_us
    return judge(
        CertificateTimeError,
        certificate.not_before_us <= at_us <= certificate.not_after_us,
        "the signing certificate was not valid at the chain's time",
        expected=certificate.validity,
        seen=f"{report.timestamp}Z" if chain_at_us is None else show_time(at_us),
    )
