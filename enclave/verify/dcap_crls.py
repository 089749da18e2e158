"""The two revocation lists of DCAP evidence: the root's, and that of the CA of the PCK.

Profile: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, and
RFC 5280 section 5. The signature is verified before the library's parser sees the list.
"""

from dataclasses import dataclass
from typing import Final

from cryptography import x509

from enclave.checks import Check, refused, require
from enclave.dcap_pki_errors import (
    CrlAuthorityKeyError,
    CrlFormatError,
    CrlIssuerError,
    CrlSignatureError,
    DcapCrlError,
)
from enclave.evidence.crl import CrlFrame
from enclave.evidence.der import DerError
from enclave.times import to_us
from enclave.verify.dcap_certificates import Certificate, rule
from enclave.verify.ecdsa import ECDSA_WITH_SHA256, verifies_der
from enclave.verify.roots import LIBRARY_ERRORS

_FORM: Final = "one version 2 list in strict DER, complete, with nextUpdate"


@dataclass(frozen=True, slots=True)
class Crl:
    """A list that its issuer signed; whether in time is asked per judgement."""

    role: str
    this_update_us: int
    """Microseconds since the Unix epoch."""
    next_update_us: int
    parsed: x509.CertificateRevocationList

    def revokes(self, certificate: Certificate) -> bool:
        """Whether the certificate's serial number is listed."""
        entry = self.parsed.get_revoked_certificate_by_serial_number(certificate.serial)
        return entry is not None


def verify_crl(role: str, data: bytes, issuer: Certificate, checks: list[Check]) -> Crl:
    """Verify a list against the CA whose certificates it has to cover.

    Args:
        role: ``root-crl`` or ``pck-crl``; it names the checks.
        data: DER.
        issuer: the CA.
        checks: gets every rule judged.

    Raises:
        DcapCrlError: by its own class, why the list is refused.
    """
    try:
        frame = CrlFrame.parse(data)
    except DerError as error:
        raise refused(checks, _form(role, ok=False, seen=str(error))) from error
    named = frame.issuer == issuer.subject
    require(checks, rule(
        CrlIssuerError, role, named, "a revocation list is another CA's",
        expected=f"the name of {issuer.role}", seen=issuer.role if named else "another name",
    ))  # fmt: skip
    require(checks, _check_signature(role, frame, issuer))
    try:
        parsed = x509.load_der_x509_crl(data)
        extensions, next_update = parsed.extensions, parsed.next_update_utc
    except LIBRARY_ERRORS as error:
        raise refused(checks, _form(role, ok=False, seen=ascii(str(error))[:100])) from error
    require(checks, _check_authority_key(role, extensions, issuer))
    partial = [item.oid.dotted_string for item in extensions if item.critical]
    if next_update is None or partial:
        seen = f"critical {', '.join(partial)}" if partial else "no nextUpdate"
        raise refused(checks, _form(role, ok=False, seen=seen))
    require(checks, _form(role, ok=True, seen=_FORM))
    return Crl(role, to_us(parsed.last_update_utc), to_us(next_update), parsed)


def check_not_revoked(error: type[DcapCrlError], certificate: Certificate, crl: Crl) -> Check:
    """Rule: the list does not name the certificate."""
    revoked = crl.revokes(certificate)
    return rule(
        error,
        certificate.role,
        not revoked,
        "a certificate is revoked",
        expected=f"not listed in {crl.role}",
        seen="listed" if revoked else "not listed",
    )


def _form(role: str, *, ok: bool, seen: str) -> Check:
    return rule(
        CrlFormatError, role, ok, "a revocation list is malformed", expected=_FORM, seen=seen
    )


def _check_signature(role: str, frame: CrlFrame, issuer: Certificate) -> Check:
    algorithms = {frame.inner_algorithm, frame.outer_algorithm}
    ok = algorithms == {ECDSA_WITH_SHA256} and verifies_der(
        issuer.key, frame.signature, frame.signed
    )
    return rule(
        CrlSignatureError,
        role,
        ok,
        "a revocation list's signature does not verify",
        expected=f"ECDSA signature with SHA-256 of {issuer.role}",
        seen="valid" if ok else "not valid",
    )


def _check_authority_key(role: str, extensions: x509.Extensions, issuer: Certificate) -> Check:
    named = next(
        (
            item.value.key_identifier or b""
            for item in extensions
            if isinstance(item.value, x509.AuthorityKeyIdentifier)
        ),
        issuer.key_id,
    )
    return rule(
        CrlAuthorityKeyError,
        role,
        named == issuer.key_id,
        "a revocation list names another key of its issuer",
        expected=issuer.key_id.hex() or "none",
        seen=named.hex() or "none",
    )
