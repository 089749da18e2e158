import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384

from enclave.checks import Check
from enclave.errors import (
    CertificateChainError,
    CertificateTimeError,
    EnclaveError,
    NotYetValidError,
    QuoteFormatError,
    ReportFormatError,
    ReportSignatureError,
    SignatureMissingError,
    SigningCertificateError,
)
from enclave.evidence.ias_report import SignedReport
from enclave.times import parse_rfc3339
from enclave.verify.ias import VerifiedReport, check_not_in_future, show_time, verify_report
from enclave.verify.roots import TrustRoots
from tests import corpus
from tests.enclave import simulated_pki as pki

LEAF_START_US = parse_rfc3339("2016-11-22T09:36:58Z")
LEAF_END_US = parse_rfc3339("2026-11-20T09:36:58Z")


def verify(
    signed: SignedReport, roots: TrustRoots | None = None, chain_at_us: int | None = None
) -> VerifiedReport:
    return verify_report(signed, roots or pki.roots(), [], chain_at_us=chain_at_us)


def genuine(name: str = "secretnetwork_hw_invalid_test") -> SignedReport:
    case = corpus.load(f"ias/{name}.json")
    keys = ("report_b64", "signature_b64", "signing_cert_b64")
    report, signature, signing_cert = (base64.b64decode(case[key]) for key in keys)
    return SignedReport(report, signature, signing_cert)


def test_a_genuine_report_is_verified_under_intels_root() -> None:
    verified = verify(genuine(), TrustRoots.of_intel())

    assert verified.report.status == "OK"
    assert not verified.simulated
    assert show_time(verified.newest_start_us) == "2021-11-23T12:49:38.333124Z"


def test_a_simulated_report_takes_the_same_way_under_its_root() -> None:
    verified = verify(pki.signed())

    assert verified.report.timestamp_us == pki.AT_US
    assert verified.simulated


def test_the_rules_come_in_their_order() -> None:
    checks: list[Check] = []

    verify_report(pki.signed(), pki.roots(), checks)

    assert [check.id for check in checks] == [
        "ias-unsigned",
        "ias-certificate-present",
        "ias-certificate-chain",
        "ias-certificate-count",
        "ias-certificate-issuer-name",
        "ias-signing-certificate",
        "ias-certificate-subject-name",
        "ias-certificate-not-ca",
        "ias-certificate-key-usage",
        "ias-certificate-key",
        "ias-report-signature",
        "ias-certificate-time",
    ]
    assert all(check.ok and check.expected and check.seen for check in checks)


def test_an_unsigned_report_is_refused() -> None:
    with pytest.raises(SignatureMissingError):
        verify(replace(pki.signed(), signature=b""))


def test_a_report_without_certificate_is_refused() -> None:
    with pytest.raises(SigningCertificateError):
        verify(replace(pki.signed(), signing_cert=b""))


@pytest.mark.parametrize("suffix", [b"\n", b" ", b"\0"])
def test_a_byte_more_or_less_is_not_what_was_signed(suffix: bytes) -> None:
    signed = genuine()

    for report in (signed.report + suffix, suffix + signed.report, signed.report[:-1]):
        with pytest.raises(ReportSignatureError):
            verify(replace(signed, report=report), TrustRoots.of_intel())


def test_a_flipped_bit_anywhere_in_the_report_is_refused() -> None:
    signed = pki.signed()

    for at in range(0, len(signed.report), 5):
        spoiled = bytearray(signed.report)
        spoiled[at] ^= 0x10
        with pytest.raises(ReportSignatureError):
            verify(replace(signed, report=bytes(spoiled)))


def test_the_signature_of_another_report_is_refused() -> None:
    other = pki.signed(pki.report(id="2"))

    with pytest.raises(ReportSignatureError):
        verify(replace(pki.signed(), signature=other.signature))


def test_the_signature_of_another_key_is_refused() -> None:
    report = pki.report()

    with pytest.raises(ReportSignatureError):
        verify(replace(pki.signed(report), signature=pki.sign(report, "attacker")))


def test_a_signature_by_another_algorithm_is_refused() -> None:
    key, report = pki.rsa_key("leaf"), pki.report()
    others = [
        key.sign(report, padding.PKCS1v15(), SHA1()),  # noqa: S303 -- it must be refused
        key.sign(report, padding.PKCS1v15(), SHA384()),
        key.sign(report, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
    ]

    for signature in others:
        with pytest.raises(ReportSignatureError):
            verify(replace(pki.signed(report), signature=signature))


@pytest.mark.parametrize("signature", [b"\0", b"\0" * 256, b"\xff" * 256, b"\0" * 100_000], ids=len)
def test_a_signature_of_any_size_is_refused(signature: bytes) -> None:
    with pytest.raises(ReportSignatureError):
        verify(replace(pki.signed(), signature=signature))


def test_nothing_is_parsed_before_the_signature_holds() -> None:
    with pytest.raises(ReportSignatureError):
        verify(replace(pki.signed(), report=b"{" * 1_000_000))


def test_the_certificate_comes_before_the_signature() -> None:
    with pytest.raises(CertificateChainError):
        verify(SignedReport(b"junk", b"junk", pki.certificate(issuer_key="attacker")))


def test_a_signed_report_that_is_malformed_is_malformed() -> None:
    checks: list[Check] = []
    with pytest.raises(ReportFormatError):
        verify_report(pki.signed(pki.report(version="4")), pki.roots(), checks)
    assert checks[-1].id == "ias-report-malformed"

    with pytest.raises(QuoteFormatError):
        verify(pki.signed(pki.report(pki.quote_body() + b"\0")))


def test_an_expired_leaf_that_was_valid_at_the_reports_own_time_is_good() -> None:
    assert genuine().signing_cert
    leaf = pki.certificate(
        not_before=datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC),
        not_after=datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC),
    )

    assert verify(pki.signed(leaf=leaf))


@pytest.mark.parametrize("timestamp", ["2026-11-23T10:00:00", "2026-11-23T10:00:01"])
def test_a_leaf_is_valid_in_its_first_and_in_its_last_instant(timestamp: str) -> None:
    leaf = pki.certificate(
        not_before=datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC),
        not_after=datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC),
    )

    assert verify(pki.signed(pki.report(timestamp=timestamp), leaf))


@pytest.mark.parametrize("timestamp", ["2026-11-23T09:59:59.999999", "2026-11-23T10:00:01.000001"])
def test_a_leaf_invalid_at_the_reports_own_time_is_refused(timestamp: str) -> None:
    leaf = pki.certificate(
        not_before=datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC),
        not_after=datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC),
    )

    with pytest.raises(CertificateTimeError):
        verify(pki.signed(pki.report(timestamp=timestamp), leaf))


def test_the_chain_may_be_judged_at_another_instant() -> None:
    for at_us in (LEAF_START_US, LEAF_END_US):
        assert verify(genuine(), TrustRoots.of_intel(), at_us)
    for at_us in (LEAF_START_US - 1, LEAF_END_US + 1, 0, 2**63 - 1):
        with pytest.raises(CertificateTimeError):
            verify(genuine(), TrustRoots.of_intel(), at_us)


def test_a_report_may_be_dated_up_to_the_allowed_skew_ahead() -> None:
    report = verify(pki.signed()).report

    assert check_not_in_future(report, pki.AT_US, 0).ok
    assert check_not_in_future(report, pki.AT_US - 30_000_000, 30).ok
    check = check_not_in_future(report, pki.AT_US - 30_000_001, 30)
    assert not check.ok
    assert isinstance(check.refusal(), NotYetValidError)


def test_an_instant_beyond_the_calendar_is_shown_as_its_number() -> None:
    assert show_time(2**63 - 1) == "9223372036854775807 us after 1970"


def test_every_derived_negative_is_refused_by_its_own_rule() -> None:
    seen: dict[str, set[str]] = {}
    for name in corpus.names("ias"):
        case, _, mutation = name.removeprefix("ias/").removesuffix(".json").partition("__")
        if mutation and not mutation.startswith("chain_time"):
            with pytest.raises(EnclaveError) as caught:
                verify(genuine(f"{case}__{mutation}"), TrustRoots.of_intel())
            seen.setdefault(mutation, set()).add(caught.value.code)

    corpus.corpus_dir()
    assert seen == {
        "body_byte_flipped": {"ias-report-signature"},
        "leaf_forged_same_dn": {"ias-certificate-chain"},
        "reserialised": {"ias-report-signature"},
        "signature_swapped": {"ias-report-signature"},
        "status_forged_ok": {"ias-report-signature"},
        "trailing_newline": {"ias-report-signature"},
    }
