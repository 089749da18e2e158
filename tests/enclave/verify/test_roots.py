import base64
import hashlib
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import PolicyFormatError
from enclave.verify.intel import INTEL_IAS_ROOT_BASE64, INTEL_SGX_ROOT_BASE64
from enclave.verify.roots import MAX_ROOTS, Root, TrustRoots
from tests import corpus
from tests.enclave import simulated_pki as pki


@dataclass(frozen=True)
class Names:
    trust_roots: tuple[str, ...]


def of(*names: str) -> TrustRoots:
    return TrustRoots.of(Names(names))


@pytest.mark.parametrize(
    ("text", "file", "digest"),
    [
        (
            INTEL_IAS_ROOT_BASE64,
            "intel_ias_report_signing_ca.pem",
            "7b42e41ec43b91db834a065de4f98a13c44d695570e839cfa8921e584e40735d",
        ),
        (
            INTEL_SGX_ROOT_BASE64,
            "intel_sgx_root_ca.pem",
            "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3",
        ),
    ],
)
def test_the_hard_coded_roots_are_intels(text: str, file: str, digest: str) -> None:
    der = base64.b64decode(text)

    assert hashlib.sha256(der).hexdigest() == digest
    pem = (corpus.corpus_dir() / "roots" / file).read_bytes()
    assert x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER) == der


def test_a_policy_that_names_intel_gets_both_of_intels_roots() -> None:
    roots = of("intel")

    assert roots == TrustRoots.of_intel()
    assert len(roots.roots) == 2
    assert not roots.simulated


def test_a_policy_that_names_a_simulated_root_gets_that_one_only() -> None:
    roots = of(pki.trust_root(pki.root()))

    assert [root.der for root in roots.roots] == [pki.root()]
    assert roots.simulated


def test_a_simulated_root_may_be_of_p_256() -> None:
    der = _self_signed(ec.generate_private_key(ec.SECP256R1()))

    assert of(pki.trust_root(der)).simulated


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("intel", "intel"),
        ("Intel",),
        ("",),
        ("simulation:",),
        ("simulation:AAAA",),
        ("simulation:AB==",),
        ("simulation:*",),
    ],
)
def test_other_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(PolicyFormatError):
        of(*names)


def test_intel_and_a_simulated_root_never_stand_together() -> None:
    with pytest.raises(PolicyFormatError):
        of("intel", pki.trust_root(pki.root()))


def test_more_roots_than_a_judgement_can_pay_for_are_refused() -> None:
    name = pki.trust_root(pki.root())

    assert len(of(*[name] * MAX_ROOTS).roots) == MAX_ROOTS
    with pytest.raises(PolicyFormatError, match="number of roots"):
        of(*[name] * (MAX_ROOTS + 1))


@pytest.mark.parametrize("text", [INTEL_IAS_ROOT_BASE64, INTEL_SGX_ROOT_BASE64])
def test_a_simulated_root_may_not_be_intels(text: str) -> None:
    with pytest.raises(PolicyFormatError, match="key of Intel's"):
        of(f"simulation:{text}")


def test_a_certificate_with_bytes_behind_it_is_no_root() -> None:
    with pytest.raises(PolicyFormatError, match="not a self-signed CA"):
        Root.parse(pki.root() + b"\0")


def test_a_certificate_signed_by_another_is_no_root() -> None:
    other = pki.certificate("root", "other", ca=True, usage=pki.SIGNS_CERTIFICATES)

    with pytest.raises(PolicyFormatError, match="not a self-signed CA"):
        Root.parse(other)


def test_a_self_signed_leaf_is_no_root() -> None:
    leaf = pki.certificate("root", "root", ca=False)

    with pytest.raises(PolicyFormatError, match="not a CA certificate"):
        Root.parse(leaf)


def test_a_certificate_without_basic_constraints_is_no_root() -> None:
    with pytest.raises(PolicyFormatError, match="not a self-signed CA"):
        Root.parse(pki.certificate("root", "root", ca=None))


def test_a_root_with_a_weak_or_foreign_key_is_refused() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(PolicyFormatError, match="another key"):
            Root.parse(_self_signed(key))


def test_a_file_may_stand_in_for_intels_root() -> None:
    assert TrustRoots.standing_in(pki.root()).simulated
    assert TrustRoots.standing_in(base64.b64decode(INTEL_IAS_ROOT_BASE64)) == TrustRoots.of_intel()


def _self_signed(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(pki.name("root"))
        .issuer_name(pki.name("root"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(pki.NOT_BEFORE)
        .not_valid_after(pki.NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_root_or_a_format_error(data: bytes) -> None:
    with pytest.raises(PolicyFormatError):
        Root.parse(data)
