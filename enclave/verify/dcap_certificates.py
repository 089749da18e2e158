"""The certificate chains of DCAP evidence: strict form, a trusted root, each link in order.

Profile: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, and
RFC 5280. A chain is judged from the root down: a certificate is cut along its frame, its
signature verified with its issuer's key, and only then does the library's parser see it.
Which role a leaf may play is for :mod:`enclave.verify.dcap_roles`, when it is valid for
:mod:`enclave.verify.dcap_dates`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.x509.oid import NameOID

from enclave.checks import Check, judge, refused, require
from enclave.dcap_errors import DcapVerificationError
from enclave.dcap_pki_errors import (
    DcapAlgorithmError,
    DcapAuthorityKeyError,
    DcapCertificateFormatError,
    DcapCertificateSignatureError,
    DcapChainLengthError,
    DcapConstraintsError,
    DcapExtensionError,
    DcapIssuerNameError,
    DcapKeyError,
    DcapKeyUsageError,
    DcapPathLengthError,
    DcapRootError,
)
from enclave.evidence.der import CertificateFrame, DerError
from enclave.evidence.pck import SGX_EXTENSION
from enclave.evidence.pem import PemError, split_chain
from enclave.times import to_us
from enclave.verify.ecdsa import ECDSA_WITH_SHA256, verifies_der
from enclave.verify.roots import LIBRARY_ERRORS, MAX_ROOTS, TrustRoots

PCK_CHAIN: Final = ("pck", "pck-ca", "root")
CRL_CHAIN: Final = ("crl-ca", "root")
TCB_INFO_CHAIN: Final = ("tcb-signer", "root")
QE_IDENTITY_CHAIN: Final = ("qe-identity-signer", "root")

_CAS: Final = frozenset({"pck-ca", "crl-ca"})
_USAGES: Final = ("digital_signature", "key_cert_sign", "crl_sign")
_CA_USAGES: Final = frozenset({"key_cert_sign", "crl_sign"})
_LEAF_USAGES: Final = frozenset({"digital_signature"})
# subjectKeyIdentifier, keyUsage, basicConstraints, cRLDistributionPoints,
# authorityKeyIdentifier (RFC 5280 section 4.2.1), and Intel's own
_KNOWN: Final = frozenset(
    {*(bytes((0x55, 0x1D, number)) for number in (14, 15, 19, 31, 35)), SGX_EXTENSION}
)

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that a trusted root vouches for; whether in time is asked per judgement."""

    role: str
    der: bytes
    subject: bytes
    """Name, as encoded."""
    common_name: str
    """Empty where there is not exactly one."""
    serial: int
    key: EllipticCurvePublicKey
    key_id: bytes
    """Subject key identifier; empty where there is none."""
    not_before_us: int
    """Microseconds since the Unix epoch; valid from here, inclusive."""
    not_after_us: int
    """Valid up to here, inclusive."""
    path_length: int | None
    sgx_extension: bytes | None
    """Value of Intel's SGX extension."""


def verify_chain(
    text: bytes,
    roles: tuple[str, ...],
    roots: TrustRoots,
    checks: list[Check],
    known: Certificate | None = None,
) -> tuple[Certificate, ...]:
    """Verify a PEM chain down to its leaf.

    Args:
        text: one certificate for each role, leaf first, the root last.
        roles: what each certificate is for; they name the checks.
        roots: whom to believe; only keys on P-256 anchor DCAP.
        checks: gets every rule judged.
        known: a certificate under the root, verified before for the same use; where the chain
            has it again, byte for byte, it is not verified again.

    Returns:
        The certificates, leaf first, the root last.

    Raises:
        DcapCertificateError: by its own class, why the chain is refused.
    """
    chain = _split(text, roles, checks)
    verified = [_require_root(roles[0], chain[-1], roots, checks)]
    for role, data in zip(roles[-2::-1], chain[-2::-1], strict=True):
        if known is not None and known.der == data:
            verified.append(known)
        else:
            verified.append(_verify_issued(role, data, verified[-1], checks))
    require(checks, _check_path_length(roles[0], verified[0], len(chain) - 2))
    return tuple(reversed(verified))


def _split(text: bytes, roles: tuple[str, ...], checks: list[Check]) -> tuple[bytes, ...]:
    leaf = roles[0]
    try:
        chain = split_chain(text)
    except PemError as error:
        raise refused(checks, _form(leaf, ok=False, seen=str(error))) from error
    length = rule(
        DcapChainLengthError,
        leaf,
        len(chain) == len(roles),
        "a chain has another number of certificates",
        expected=f"{len(roles)}: {', '.join(roles)}",
        seen=str(len(chain)),
    )
    require(checks, length)
    return chain


def rule(
    error: type[DcapVerificationError],
    role: str,
    ok: bool,  # noqa: FBT001 -- as in enclave.checks.judge
    message: str,
    *,
    expected: str,
    seen: str,
) -> Check:
    """One rule's outcome for the certificate or list of one role."""
    name = f"{error.code}-{role}"
    return judge(error, ok, f"{message} ({role})", expected=expected, seen=seen, name=name)


def _form(role: str, *, ok: bool, seen: str) -> Check:
    return rule(
        DcapCertificateFormatError,
        role,
        ok,
        "a certificate is malformed",
        expected="PEM of X.509 v3 certificates in strict DER",
        seen=seen,
    )


def _require_root(leaf: str, data: bytes, roots: TrustRoots, checks: list[Check]) -> Certificate:
    """Rule: the last certificate of a leaf's chain is a trusted root, byte for byte."""
    trusted = [root for root in roots.roots if isinstance(root.key, EllipticCurvePublicKey)]
    found = any(root.der == data for root in trusted)
    check = rule(
        DcapRootError,
        leaf,
        found,
        "the chain does not end in a trusted root",
        expected="Intel's SGX root CA" if roots.intel else "a simulated root with a P-256 key",
        seen="a trusted root" if found else "another certificate",
    )
    require(checks, check)
    return _load_root(data)


@lru_cache(maxsize=MAX_ROOTS)
def _load_root(data: bytes) -> Certificate:
    frame = CertificateFrame.parse(data)
    return _load("root", data, frame, x509.load_der_x509_certificate(data))


def _verify_issued(role: str, data: bytes, issuer: Certificate, checks: list[Check]) -> Certificate:
    """Every rule for one certificate under its issuer; the signature before the content."""
    try:
        frame = CertificateFrame.parse(data)
    except DerError as error:
        raise refused(checks, _form(role, ok=False, seen=str(error))) from error
    require(checks, _check_issuer_name(role, frame, issuer))
    require(checks, _check_algorithm(role, frame))
    require(checks, _check_signature(role, frame, issuer))
    try:
        parsed = x509.load_der_x509_certificate(data)
        extensions, key = parsed.extensions, parsed.public_key()
    except LIBRARY_ERRORS as error:
        raise refused(checks, _form(role, ok=False, seen=ascii(str(error))[:100])) from error
    require(checks, _form(role, ok=True, seen="strict PEM and DER"))
    require(checks, _check_key(role, key))
    require(checks, _check_constraints(role, extensions))
    require(checks, _check_key_usage(role, extensions))
    require(checks, _check_authority_key(role, extensions, issuer))
    require(checks, _check_critical(role, frame))
    return _load(role, data, frame, parsed)


def _load(role: str, data: bytes, frame: CertificateFrame, parsed: x509.Certificate) -> Certificate:
    key = parsed.public_key()
    if not isinstance(key, EllipticCurvePublicKey):  # checked before, and for the type's sake
        raise TypeError("a certificate's key is not on a curve")
    names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    constraints = _find(parsed.extensions, x509.BasicConstraints)
    key_id = _find(parsed.extensions, x509.SubjectKeyIdentifier)
    sgx = [item.value for item in frame.extensions if item.object_id == SGX_EXTENSION]
    return Certificate(
        role=role,
        der=data,
        subject=frame.subject,
        common_name=str(names[0].value) if len(names) == 1 else "",
        serial=parsed.serial_number,
        key=key,
        key_id=key_id.digest if key_id else b"",
        not_before_us=to_us(parsed.not_valid_before_utc),
        not_after_us=to_us(parsed.not_valid_after_utc),
        path_length=constraints.path_length if constraints else None,
        sgx_extension=sgx[0] if sgx else None,
    )


def _find(extensions: x509.Extensions, kind: type[_Kind]) -> _Kind | None:
    return next((item.value for item in extensions if isinstance(item.value, kind)), None)


def _check_issuer_name(role: str, frame: CertificateFrame, issuer: Certificate) -> Check:
    return rule(
        DcapIssuerNameError,
        role,
        frame.issuer == issuer.subject,
        "a certificate names another issuer",
        expected=f"the name of {issuer.role}",
        seen=f"the name of {issuer.role}" if frame.issuer == issuer.subject else "another name",
    )


def _check_algorithm(role: str, frame: CertificateFrame) -> Check:
    algorithms = {frame.inner_algorithm, frame.outer_algorithm}
    return rule(
        DcapAlgorithmError,
        role,
        algorithms == {ECDSA_WITH_SHA256},
        "a certificate is signed by another algorithm",
        expected=f"ECDSA with SHA-256 ({ECDSA_WITH_SHA256.hex()})",
        seen=", ".join(sorted(algorithm.hex() for algorithm in algorithms))[:100],
    )


def _check_signature(role: str, frame: CertificateFrame, issuer: Certificate) -> Check:
    ok = verifies_der(issuer.key, frame.signature, frame.signed)
    return rule(
        DcapCertificateSignatureError,
        role,
        ok,
        "a certificate's signature does not verify",
        expected=f"signature of {issuer.role}",
        seen="valid" if ok else "not valid",
    )


def _check_key(role: str, key: object) -> Check:
    ok = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    curve = key.curve.name if isinstance(key, EllipticCurvePublicKey) else type(key).__name__
    return rule(
        DcapKeyError,
        role,
        ok,
        "a certificate has another key",
        expected="P-256",
        seen="P-256" if ok else curve,
    )


def _check_constraints(role: str, extensions: x509.Extensions) -> Check:
    found = _find(extensions, x509.BasicConstraints)
    is_ca = found is not None and found.ca
    return rule(
        DcapConstraintsError,
        role,
        is_ca == (role in _CAS),
        "a leaf is a CA certificate" if is_ca else "a CA certificate is none",
        expected="CA" if role in _CAS else "no CA",
        seen="CA" if is_ca else "no CA",
    )


def _check_path_length(leaf: str, root: Certificate, between: int) -> Check:
    """Rule: the root allows as many CA certificates below it as there are.

    Below a CA of this profile only a leaf follows, so that no other limit can be exceeded.
    """
    allowed = root.path_length
    return rule(
        DcapPathLengthError,
        leaf,
        allowed is None or between <= allowed,
        "the root allows fewer CA certificates below it",
        expected=f"at most {allowed}" if allowed is not None else "any number",
        seen=str(between),
    )


def _check_key_usage(role: str, extensions: x509.Extensions) -> Check:
    """Rule: keyUsage, where there is one, fits the role (RFC 5280 section 4.2.1.3)."""
    wanted = _CA_USAGES if role in _CAS else _LEAF_USAGES
    found = _find(extensions, x509.KeyUsage)
    usages = wanted if found is None else {name for name in _USAGES if getattr(found, name)}
    return rule(
        DcapKeyUsageError,
        role,
        usages == wanted,
        "a certificate's key is for another use",
        expected=", ".join(sorted(wanted)),
        seen=", ".join(sorted(usages)) or "nothing",
    )


def _check_authority_key(role: str, extensions: x509.Extensions, issuer: Certificate) -> Check:
    found = _find(extensions, x509.AuthorityKeyIdentifier)
    named = (found.key_identifier if found else None) or issuer.key_id
    return rule(
        DcapAuthorityKeyError,
        role,
        named == issuer.key_id,
        "a certificate names another key of its issuer",
        expected=issuer.key_id.hex() or "none",
        seen=named.hex() or "none",
    )


def _check_critical(role: str, frame: CertificateFrame) -> Check:
    unknown = [
        item.object_id.hex()
        for item in frame.extensions
        if item.critical and item.object_id not in _KNOWN
    ]
    return rule(
        DcapExtensionError,
        role,
        not unknown,
        "a certificate has a critical extension that is not understood",
        expected="none",
        seen=", ".join(unknown)[:100] or "none",
    )
