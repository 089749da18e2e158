"""Cases 7 to 12 and 14: who signed a report, and the header that says so."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.evidence.ias_report import SignedReport
from enclave.verify.roots import Root, TrustRoots
from enigmacli.attestation.ias_answer import CERTIFICATE_HEADER, parse_chain
from enigmacli.errors import MalformedError
from tests import corpus
from tests.enclave import simulated_pki as pki
from tests.negatives import epid

CHAIN = "ias-certificate-chain"
CERTIFICATE = "ias-signing-certificate"


def by(leaf: bytes, *further: bytes, key: str = "leaf") -> SignedReport:
    """An acceptable report, signed by the key of another leaf."""
    body = epid.report()
    return SignedReport(body, pki.sign(body, key), leaf, further)


def in_place_of_intel(*ders: bytes) -> TrustRoots:
    """Roots that are judged as strictly as Intel's own."""
    return TrustRoots(tuple(map(Root.parse, ders)), intel=True)


def with_names_of(genuine: bytes, *, self_signed: bool) -> bytes:
    """A leaf of the attacker's key with every name, serial and date of a genuine one."""
    model = x509.load_der_x509_certificate(genuine)
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(model.subject if self_signed else model.issuer)
        .public_key(pki.rsa_key("attacker").public_key())
        .serial_number(model.serial_number)
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
    )
    for extension in model.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(pki.rsa_key("attacker"), SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("self_signed", [True, False])
def test_case_07_a_leaf_with_the_name_of_intels(*, self_signed: bool) -> None:
    report = epid.genuine("secretnetwork_hw_invalid_test")
    forged = with_names_of(report.signing_cert, self_signed=self_signed)
    evidence = SignedReport(report.report, pki.sign(report.report, "attacker"), forged)

    assert epid.judged(evidence, epid.intel_policy()) == CHAIN
    assert epid.failed_rule(evidence, TrustRoots.of_intel()) == CHAIN


def test_case_07_genuine_reports_with_a_leaf_forged_in_their_name() -> None:
    corpus.corpus_dir()
    names = [name for name in corpus.names("ias") if "__leaf_forged" in name]

    assert names
    for name in names:
        evidence = epid.genuine(name.removeprefix("ias/").removesuffix(".json"))
        assert epid.judged(evidence, epid.intel_policy()) == CHAIN


def test_case_08_a_simulated_leaf_under_intels_root_and_intels_under_a_simulated_one() -> None:
    genuine = epid.genuine("secretnetwork_hw_invalid_test")

    assert epid.judged(epid.signed(), epid.intel_policy()) == CHAIN
    assert epid.judged(genuine, pki.policy()) == CHAIN
    assert epid.failed_rule(genuine, TrustRoots.of_intel()) == epid.ACCEPTED


def test_case_09_another_root_behind_the_leaf() -> None:
    attacker = pki.root("attacker")
    roots_own = by(pki.certificate(), pki.root())
    anothers = by(pki.certificate(), attacker)
    all_anothers = by(pki.certificate(issuer_key="attacker"), attacker)

    assert epid.failed_rule(roots_own) == epid.ACCEPTED
    assert epid.failed_rule(anothers) == "ias-certificate-count"
    assert epid.failed_rule(all_anothers) == CHAIN


def test_case_09_three_certificates_or_one_twice() -> None:
    leaf, root = pki.certificate(), pki.root()

    for further in ((root, root), (leaf,), (leaf, root), (root, leaf), (leaf, leaf, root)):
        assert epid.failed_rule(by(leaf, *further)) == "ias-certificate-count"


def test_case_09_no_certificate() -> None:
    assert epid.failed_rule(replace(epid.signed(), signing_cert=b"")) == "ias-certificate-present"
    with pytest.raises(MalformedError):
        parse_chain("%0A")


def test_case_09_on_chain_is_room_for_the_leaf_alone() -> None:
    leaf, root = pki.certificate(), pki.root()

    assert epid.judged(by(leaf)) == epid.ACCEPTED
    assert epid.judged(by(leaf + root)) == CERTIFICATE
    assert epid.judged(by(pem(leaf) + pem(root))) == CERTIFICATE


def test_case_09_the_header_may_come_with_the_leaf_alone() -> None:
    chain = parse_chain(quote(pem(pki.certificate())))

    assert epid.failed_rule(by(*chain)) == epid.ACCEPTED


@pytest.mark.parametrize("usage", [pki.SIGNS_REPORTS, pki.SIGNS_CERTIFICATES])
def test_case_10_a_ca_certificate_as_leaf(usage: x509.KeyUsage) -> None:
    evidence = by(pki.certificate(ca=True, usage=usage))

    assert epid.failed_rule(evidence) == "ias-certificate-not-ca"
    assert epid.judged(evidence) == CERTIFICATE


def test_case_10_the_root_itself_as_leaf() -> None:
    evidence = by(pki.root(), key="root")

    assert epid.failed_rule(evidence) == "ias-certificate-not-ca"
    assert epid.judged(evidence) == CERTIFICATE


def test_case_10_a_leaf_that_may_issue_certificates() -> None:
    evidence = by(pki.certificate(usage=pki.SIGNS_CERTIFICATES))

    assert epid.failed_rule(evidence) == "ias-certificate-key-usage"


def test_case_11_another_leaf_of_the_right_ca() -> None:
    roots = in_place_of_intel(pki.root())

    for name in ("Intel SGX TCB Signing", "Intel SGX Attestation Report Signing"):
        evidence = by(pki.certificate(name))
        assert epid.failed_rule(evidence, roots) == "ias-certificate-subject-name"


def test_case_11_a_leaf_that_names_another_issuer() -> None:
    evidence = by(pki.certificate(issuer="another root", issuer_key="root"))

    assert epid.failed_rule(evidence) == "ias-certificate-issuer-name"
    assert epid.judged(evidence) == CERTIFICATE


FIRST = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC)


@cache
def short_lived() -> bytes:
    """A leaf that was valid for one second."""
    return pki.certificate(not_before=FIRST, not_after=LAST)


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        ("2026-11-23T09:59:59.999999", "ias-certificate-time"),
        ("2026-11-23T10:00:00", epid.ACCEPTED),
        ("2026-11-23T10:00:01", epid.ACCEPTED),
        ("2026-11-23T10:00:01.000001", "ias-certificate-time"),
    ],
)
def test_case_12_a_leaf_not_valid_at_the_reports_own_timestamp(timestamp: str, code: str) -> None:
    evidence = pki.signed(epid.report(timestamp=timestamp), short_lived())

    assert epid.judged(evidence) == code


def test_case_12_a_leaf_that_has_expired_since_is_good() -> None:
    half_an_hour_later = pki.AT_US + 1800 * 1_000_000
    evidence = pki.signed(epid.report(), short_lived())

    assert epid.judged(evidence, at_us=half_an_hour_later) == epid.ACCEPTED


def genuine_header() -> str:
    """The header as the service sent it: percent-encoded, plus signs too."""
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    header: str = case["http_headers"][CERTIFICATE_HEADER]
    assert "%2B" in header
    return header


def test_case_14_a_plus_sign_of_the_header_survives() -> None:
    text = unquote(genuine_header())
    leaf, root = parse_chain(genuine_header())

    assert leaf == epid.genuine("oasis_avr_v4_sw_hardening").signing_cert
    assert parse_chain(quote(text, safe="+/=")) == (leaf, root)


def test_case_14_a_header_decoded_as_a_form_is_refused() -> None:
    spoiled = unquote_plus(quote(unquote(genuine_header()), safe="+"))
    assert "+" not in spoiled

    for header in (quote(spoiled), quote_plus(unquote(genuine_header()), safe="+/=")):
        with pytest.raises(MalformedError):
            parse_chain(header)


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
