"""The certificate that signs IAS reports: issued by a trusted root, and fit for that one use.

The signature of the root comes first, over bytes that were only cut along their frame; the
library's parser never sees a certificate that no trusted root has signed.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from enclave.checks import Check, judge, refused, require
from enclave.errors import CertificateChainError, EnclaveError, SigningCertificateError
from enclave.evidence import base64_strict
from enclave.evidence.der import CertificateFrame, DerError
from enclave.times import format_rfc3339, to_us
from enclave.verify.intel import INTEL_REPORT_SIGNER_NAME_BASE64
from enclave.verify.roots import LIBRARY_ERRORS, MIN_RSA_BITS, Root, TrustRoots

MAX_LEAF_BYTES: Final = 16 * 1024
"""Intel's has 1189 bytes."""

_SHA256_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d01010b0500")
"""AlgorithmIdentifier as encoded (RFC 4055 section 5: parameters are NULL)."""

_INTEL_SIGNER_NAME: Final = base64_strict.decode(INTEL_REPORT_SIGNER_NAME_BASE64)
_INTEL_SIGNER: Final = "CN=Intel SGX Attestation Report Signing,O=Intel Corporation,..."

_USAGES: Final = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign")
_CA_USAGES: Final = frozenset({"key_cert_sign", "crl_sign"})


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A leaf that a trusted root issued to sign reports; whether in time is asked per report."""

    key: RSAPublicKey
    not_before_us: int
    """Microseconds since the Unix epoch; valid from here, inclusive."""
    not_after_us: int
    """Valid up to here, inclusive."""
    validity: str
    """Both, for people."""


def verify_signing_certificate(
    chain: tuple[bytes, ...], roots: TrustRoots, checks: list[Check]
) -> SigningCertificate:
    """Verify the certificate that comes with a report.

    Args:
        chain: DER of the leaf and, off chain, of what came behind it.
        roots: whom to believe.
        checks: gets every rule judged.

    Raises:
        SigningCertificateError: the leaf is malformed, or may not sign reports.
        CertificateChainError: no trusted root issued it, or other certificates come with it.
    """
    judged = _judge_chain(chain, roots)
    checks.extend(judged.checks)
    if judged.certificate is None:
        raise judged.checks[-1].refusal()
    return judged.certificate


@dataclass(frozen=True, slots=True)
class _Judged:
    certificate: SigningCertificate | None
    checks: tuple[Check, ...]
    """Ends with the rule that failed where there is no certificate."""


@lru_cache(maxsize=16)
def _judge_chain(chain: tuple[bytes, ...], roots: TrustRoots) -> _Judged:
    """As above, by value: one leaf signs all reports of a service, so it is judged once."""
    checks: list[Check] = []
    try:
        return _Judged(_verify_chain(chain, roots, checks), tuple(checks))
    except EnclaveError:
        return _Judged(None, tuple(checks))


def _verify_chain(
    chain: tuple[bytes, ...], roots: TrustRoots, checks: list[Check]
) -> SigningCertificate:
    frame = _parse_frame(chain[0], checks)
    root = _find_issuer(frame, roots, checks)
    require(checks, _check_length(chain, root))
    require(checks, _check_issuer_name(frame, root))
    leaf = _parse_leaf(chain[0], checks)
    require(checks, _check_subject_name(frame, leaf, roots))
    require(checks, _check_not_ca(leaf))
    require(checks, _check_key_usage(leaf))
    key = _require_key(leaf, checks)
    validity = f"{format_rfc3339(leaf.not_before_us)} to {format_rfc3339(leaf.not_after_us)}"
    return SigningCertificate(key, leaf.not_before_us, leaf.not_after_us, validity)


@dataclass(frozen=True, slots=True)
class _Leaf:
    certificate: x509.Certificate
    is_ca: bool
    usages: frozenset[str]
    """Those of :data:`_USAGES` that keyUsage allows; empty without keyUsage."""
    key: object
    not_before_us: int
    not_after_us: int


def _parse_frame(data: bytes, checks: list[Check]) -> CertificateFrame:
    if len(data) > MAX_LEAF_BYTES:
        raise refused(checks, _form_check(ok=False, seen=f"{len(data)} bytes"))
    try:
        return CertificateFrame.parse(data)
    except DerError as error:
        raise refused(checks, _form_check(ok=False, seen=str(error))) from error


def _form_check(*, ok: bool, seen: str) -> Check:
    return judge(
        SigningCertificateError,
        ok,
        "the signing certificate is malformed",
        expected="one X.509 v3 certificate in strict DER",
        seen=seen,
    )


def _find_issuer(frame: CertificateFrame, roots: TrustRoots, checks: list[Check]) -> Root:
    """Rule: a trusted root signed it. The signature decides; names are compared afterwards."""
    root = next((root for root in roots.roots if _has_signed(root, frame)), None)
    check = judge(
        CertificateChainError,
        root is not None,
        "no trusted root has issued the signing certificate",
        expected=f"RSA signature with SHA-256 of {_whose(roots)}",
        seen="valid" if root else "not valid",
    )
    if root is None:
        raise refused(checks, check)
    checks.append(check)
    return root


def _whose(roots: TrustRoots) -> str:
    return "Intel's attestation report signing CA" if roots.intel else "a simulated root"


def _has_signed(root: Root, frame: CertificateFrame) -> bool:
    algorithms = {frame.inner_algorithm, frame.outer_algorithm}
    if not isinstance(root.key, RSAPublicKey) or algorithms != {_SHA256_WITH_RSA}:
        return False
    try:
        root.key.verify(frame.signature, frame.signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _check_length(chain: tuple[bytes, ...], root: Root) -> Check:
    """Rule: the leaf alone, or off chain the leaf and the very root that issued it."""
    return judge(
        CertificateChainError,
        chain[1:] in ((), (root.der,)),
        "other certificates come with the signing certificate",
        expected="the leaf alone, or the leaf and its trusted root",
        seen=f"{len(chain)} certificates",
        name="ias-certificate-count",
    )


def _check_issuer_name(frame: CertificateFrame, root: Root) -> Check:
    return judge(
        SigningCertificateError,
        frame.issuer == root.name,
        "the signing certificate names another issuer",
        expected="the root's name",
        seen="the root's name" if frame.issuer == root.name else "another name",
        name="ias-certificate-issuer-name",
    )


def _parse_leaf(data: bytes, checks: list[Check]) -> _Leaf:
    try:
        certificate = x509.load_der_x509_certificate(data)
        leaf = _Leaf(
            certificate,
            _is_ca(certificate.extensions),
            _usages(certificate.extensions),
            certificate.public_key(),
            to_us(certificate.not_valid_before_utc),
            to_us(certificate.not_valid_after_utc),
        )
    except LIBRARY_ERRORS as error:
        raise refused(checks, _form_check(ok=False, seen=ascii(str(error))[:100])) from error
    require(checks, _form_check(ok=True, seen="one X.509 v3 certificate in strict DER"))
    return leaf


def _is_ca(extensions: x509.Extensions) -> bool:
    found = [item.value for item in extensions if isinstance(item.value, x509.BasicConstraints)]
    return any(constraints.ca for constraints in found)


def _usages(extensions: x509.Extensions) -> frozenset[str]:
    found = [item.value for item in extensions if isinstance(item.value, x509.KeyUsage)]
    return frozenset(name for usage in found for name in _USAGES if getattr(usage, name))


def _check_subject_name(frame: CertificateFrame, leaf: _Leaf, roots: TrustRoots) -> Check:
    """Rule: under Intel's root the subject is the report signer, no other leaf of that CA."""
    is_intels = frame.subject == _INTEL_SIGNER_NAME
    return judge(
        SigningCertificateError,
        is_intels or not roots.intel,
        "the signing certificate names another subject",
        expected=_INTEL_SIGNER if roots.intel else "any name",
        seen=_INTEL_SIGNER if is_intels else leaf.certificate.subject.rfc4514_string()[:200],
        name="ias-certificate-subject-name",
    )


def _check_not_ca(leaf: _Leaf) -> Check:
    return judge(
        SigningCertificateError,
        not leaf.is_ca,
        "the signing certificate is a CA certificate",
        expected="no CA certificate",
        seen="a CA certificate" if leaf.is_ca else "no CA certificate",
        name="ias-certificate-not-ca",
    )


def _check_key_usage(leaf: _Leaf) -> Check:
    return judge(
        SigningCertificateError,
        "digital_signature" in leaf.usages and not leaf.usages & _CA_USAGES,
        "the signing certificate's key is for another use",
        expected="digital_signature, neither key_cert_sign nor crl_sign",
        seen=", ".join(sorted(leaf.usages)) or "nothing",
        name="ias-certificate-key-usage",
    )


def _require_key(leaf: _Leaf, checks: list[Check]) -> RSAPublicKey:
    key = leaf.key
    size = key.key_size if isinstance(key, RSAPublicKey) else 0
    check = judge(
        SigningCertificateError,
        size >= MIN_RSA_BITS,
        "the signing certificate has another key",
        expected=f"RSA of {MIN_RSA_BITS} bits or more",
        seen=f"RSA of {size} bits" if size else type(key).__name__,
        name="ias-certificate-key",
    )
    if not isinstance(key, RSAPublicKey) or not check.ok:
        raise refused(checks, check)
    checks.append(check)
    return key
