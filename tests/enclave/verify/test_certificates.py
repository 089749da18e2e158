import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from hypothesis import given
from hypothesis import strategies as st

from enclave.checks import Check
from enclave.errors import CertificateChainError, EnclaveError, SigningCertificateError
from enclave.evidence.der import CertificateFrame
from enclave.verify.certificates import (
    MAX_LEAF_BYTES,
    SigningCertificate,
    verify_signing_certificate,
)
from enclave.verify.roots import TrustRoots
from tests import corpus
from tests.enclave import simulated_pki as pki

PSS = padding.PSS(padding.MGF1(SHA256()), 32)


def verify(
    *chain: bytes, roots: TrustRoots | None = None
) -> tuple[SigningCertificate, list[Check]]:
    checks: list[Check] = []
    return verify_signing_certificate(chain, roots or pki.roots(), checks), checks


def refused(
    *chain: bytes, roots: TrustRoots | None = None
) -> tuple[type[EnclaveError], str, list[Check]]:
    """The error, the name of the rule, and all rules up to it."""
    checks: list[Check] = []
    with pytest.raises(EnclaveError) as caught:
        verify_signing_certificate(chain, roots or pki.roots(), checks)
    assert [check.ok for check in checks] == [True] * (len(checks) - 1) + [False]
    return type(caught.value), checks[-1].id, checks


def test_a_leaf_of_a_trusted_root_is_accepted() -> None:
    certificate, checks = verify(pki.certificate())

    assert certificate.key == pki.rsa_key("leaf").public_key()
    assert certificate.validity == "2026-11-01T00:00:00Z to 2046-11-01T00:00:00Z"
    assert all(check.ok for check in checks)


def test_a_leaf_is_accepted_again_with_the_same_checks() -> None:
    assert verify(pki.certificate()) == verify(pki.certificate())
    assert refused(pki.root())[2] == refused(pki.root())[2]


def test_any_of_several_roots_may_have_issued_the_leaf() -> None:
    several = pki.roots(*sorted((pki.root("other", "other"), pki.root())))

    assert verify(pki.certificate(), roots=several)


def test_a_leaf_of_an_untrusted_root_with_the_same_name_is_refused() -> None:
    forged = pki.certificate(issuer_key="attacker")

    error, rule, _ = refused(forged)

    assert error is CertificateChainError
    assert rule == "ias-certificate-chain"


def test_a_self_signed_leaf_with_all_the_right_names_is_refused() -> None:
    forged = pki.certificate("report signer", "attacker", "root", "attacker")

    assert refused(forged)[0] is CertificateChainError


def test_a_simulated_leaf_is_refused_under_intels_root_and_intels_under_a_simulated_one() -> None:
    case = corpus.load("ias/secretnetwork_hw_invalid_test.json")
    genuine = base64.b64decode(case["signing_cert_b64"])

    assert refused(pki.certificate(), roots=TrustRoots.of_intel())[0] is CertificateChainError
    assert refused(genuine)[0] is CertificateChainError
    assert verify(genuine, roots=TrustRoots.of_intel())


def test_a_root_signature_by_another_algorithm_is_refused() -> None:
    for leaf in (pki.certificate(hashed_with=SHA384()), pki.certificate(rsa_padding=PSS)):
        assert refused(leaf)[0] is CertificateChainError


def test_a_flipped_bit_anywhere_in_the_leaf_is_refused() -> None:
    leaf = pki.certificate()

    for at in range(0, len(leaf), 7):
        spoiled = bytearray(leaf)
        spoiled[at] ^= 1
        error, _, _ = refused(bytes(spoiled))
        assert error in (CertificateChainError, SigningCertificateError)


def test_the_root_itself_is_no_leaf() -> None:
    error, rule, _ = refused(pki.root())

    assert error is SigningCertificateError
    assert rule == "ias-certificate-not-ca"


def test_an_intermediate_ca_is_no_leaf() -> None:
    error, rule, _ = refused(pki.certificate(ca=True))

    assert error is SigningCertificateError
    assert rule == "ias-certificate-not-ca"


def test_a_leaf_that_names_another_issuer_is_refused() -> None:
    error, rule, _ = refused(pki.certificate(issuer="another root"))

    assert error is SigningCertificateError
    assert rule == "ias-certificate-issuer-name"


def test_a_leaf_of_intels_root_with_another_subject_is_refused() -> None:
    standing_in = TrustRoots(pki.roots().roots, intel=True)

    error, rule, checks = refused(pki.certificate(), roots=standing_in)

    assert error is SigningCertificateError
    assert rule == "ias-certificate-subject-name"
    assert checks[-1].seen == "CN=report signer"


@pytest.mark.parametrize(
    "usage",
    [
        None,
        pki.key_usage(),
        pki.key_usage(content_commitment=True),
        pki.key_usage(key_encipherment=True),
        pki.key_usage(digital_signature=True, key_cert_sign=True),
        pki.key_usage(digital_signature=True, crl_sign=True),
    ],
    ids=["absent", "nothing", "commitment", "encipherment", "certificates", "crls"],
)
def test_a_leaf_for_another_use_is_refused(usage: object) -> None:
    error, rule, _ = refused(pki.certificate(usage=usage))  # type: ignore[arg-type] # fixed set

    assert error is SigningCertificateError
    assert rule == "ias-certificate-key-usage"


def test_a_leaf_with_a_short_or_foreign_key_is_refused() -> None:
    short = pki.certificate(subject_key="short", bits=1024)
    foreign = pki.certificate(subject_key="foreign", elliptic=True)

    for leaf in (short, foreign):
        error, rule, _ = refused(leaf)
        assert error is SigningCertificateError
        assert rule == "ias-certificate-key"


@pytest.mark.parametrize(
    "leaf", [b"", b"\x30", b"junk", b"\x30\x03\x02\x01\x00", b"\x30" * 1000], ids=range(5)
)
def test_what_is_no_certificate_is_refused(leaf: bytes) -> None:
    error, rule, _ = refused(leaf)

    assert error is SigningCertificateError
    assert rule == "ias-signing-certificate"


def test_bytes_behind_the_leaf_are_refused() -> None:
    assert refused(pki.certificate() + b"\0")[0] is SigningCertificateError
    assert refused(pki.certificate() + pki.root())[0] is SigningCertificateError


def test_a_leaf_without_end_is_refused_unread() -> None:
    _, rule, checks = refused(pki.certificate() + bytes(MAX_LEAF_BYTES))

    assert rule == "ias-signing-certificate"
    assert checks[-1].seen == f"{len(pki.certificate()) + MAX_LEAF_BYTES} bytes"


@pytest.mark.parametrize("member", [b"\x17\x0d261101000000Z", b"\x03\x82\x01\x0f\x00\x30"])
def test_a_signed_leaf_that_is_malformed_within_is_refused(member: bytes) -> None:
    frame = CertificateFrame.parse(pki.certificate())
    assert member in frame.signed
    spoiled = frame.signed.replace(member, b"\x16" + member[1:])
    parts = (spoiled, frame.outer_algorithm, b"\x03\x82\x01\x01\x00" + pki.sign(spoiled, "root"))
    body = b"".join(parts)

    error, rule, checks = refused(b"\x30\x82" + len(body).to_bytes(2, "big") + body)

    assert error is SigningCertificateError
    assert rule == "ias-signing-certificate"
    assert checks[-2].id == "ias-certificate-issuer-name"


def test_off_chain_the_leaf_may_bring_its_root() -> None:
    assert verify(pki.certificate(), pki.root())


def test_other_certificates_behind_the_leaf_are_refused() -> None:
    attacker = pki.root("attacker", "root")
    chains = [
        (pki.certificate(), attacker),
        (pki.certificate(), pki.certificate()),
        (pki.certificate(), pki.root(), pki.root()),
        (pki.certificate(), pki.root(), attacker),
    ]

    for chain in chains:
        error, rule, _ = refused(*chain)
        assert error is CertificateChainError
        assert rule == "ias-certificate-count"


def test_the_wrong_order_of_leaf_and_root_is_refused() -> None:
    assert refused(pki.root(), pki.certificate())[0] is CertificateChainError


def test_the_dates_are_taken_over_and_not_judged() -> None:
    expired = pki.certificate(
        not_before=datetime(2000, 1, 1, tzinfo=UTC), not_after=datetime(2001, 1, 1, tzinfo=UTC)
    )

    certificate, _ = verify(expired)

    assert certificate.not_before_us == 946_684_800_000_000
    assert certificate.not_after_us == 978_307_200_000_000


@given(st.binary(max_size=200))
def test_any_bytes_give_a_refusal(data: bytes) -> None:
    assert refused(data)[0] in (SigningCertificateError, CertificateChainError)
