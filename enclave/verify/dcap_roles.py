"""Who may sign what in DCAP evidence, and what the PCK certificate says about its platform.

Sources: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification,
sections on the PCK, PCK CA and TCB signing certificates. Names are Intel's; a simulated PKI
may write :data:`SIMULATED_PREFIX` in the place of ``Intel``, and Intel's root issues no such
name.
"""

from typing import Final

from enclave.checks import Check, refused, require
from enclave.dcap_pki_errors import (
    CpuSvnError,
    PckIssuerError,
    PckRoleError,
    SgxExtensionError,
    TcbSignerExtensionError,
    TcbSignerRoleError,
)
from enclave.evidence.pck import PckExtension
from enclave.evidence.simulated_dcap import NAME_PREFIX as SIMULATED_PREFIX
from enclave.verify.dcap_certificates import Certificate, rule
from enclave.verify.roots import TrustRoots

_PCK: Final = ("SGX PCK Certificate",)
_PCK_CAS: Final = ("SGX PCK Platform CA", "SGX PCK Processor CA")
_TCB_SIGNER: Final = ("SGX TCB Signing",)


def verify_pck(
    pck: Certificate, issuer: Certificate, roots: TrustRoots, checks: list[Check]
) -> PckExtension:
    """Verify that a leaf is a PCK certificate, and read what it says about its platform.

    Raises:
        DcapCertificateError: by its own class, why it is not.
    """
    named = _is_named(pck, _PCK, roots)
    require(checks, rule(
        PckRoleError, pck.role, named, "the quote's certificate is not a PCK certificate",
        expected=_expected(_PCK), seen=_shown(pck),
    ))  # fmt: skip
    issued = _is_named(issuer, _PCK_CAS, roots)
    require(checks, rule(
        PckIssuerError, pck.role, issued, "the PCK certificate's issuer is not a PCK CA",
        expected=_expected(_PCK_CAS), seen=_shown(issuer),
    ))  # fmt: skip
    extension = _require_extension(pck, checks)
    require(checks, rule(
        CpuSvnError, pck.role, extension.cpu_svn == extension.components,
        "CPUSVN and the components of the PCK certificate differ",
        expected=extension.components.hex(), seen=extension.cpu_svn.hex(),
    ))  # fmt: skip
    return extension


def check_crl_ca(crl_ca: Certificate, roots: TrustRoots) -> Check:
    """Rule: the CA that the collateral names for the PCK revocation list is a PCK CA."""
    return rule(
        PckIssuerError,
        "crl-ca",
        _is_named(crl_ca, _PCK_CAS, roots),
        "the revocation list's issuer is not a PCK CA",
        expected=_expected(_PCK_CAS),
        seen=_shown(crl_ca),
    )


def verify_tcb_signer(signer: Certificate, roots: TrustRoots, checks: list[Check]) -> None:
    """Verify that a certificate is there to sign TCB Info and QE Identity, and no other.

    Raises:
        TcbSignerRoleError: its name is another's.
        TcbSignerExtensionError: it has an SGX extension, as only PCK certificates do.
    """
    require(checks, rule(
        TcbSignerRoleError, signer.role, _is_named(signer, _TCB_SIGNER, roots),
        "a document is signed by another certificate than the TCB signing one",
        expected=_expected(_TCB_SIGNER), seen=_shown(signer),
    ))  # fmt: skip
    has_extension = signer.sgx_extension is not None
    require(checks, rule(
        TcbSignerExtensionError, signer.role, not has_extension,
        "the TCB signing certificate has an SGX extension",
        expected="no SGX extension", seen="an SGX extension" if has_extension else "none",
    ))  # fmt: skip


def _require_extension(pck: Certificate, checks: list[Check]) -> PckExtension:
    if pck.sgx_extension is None:
        raise refused(checks, _extension_check("there is no SGX extension", "none", ok=False))
    try:
        extension = PckExtension.parse(pck.sgx_extension)
    except SgxExtensionError as error:
        raise refused(checks, _extension_check(error.message, error.seen, ok=False)) from error
    require(checks, _extension_check("", f"FMSPC {extension.fmspc.hex()}", ok=True))
    return extension


def _extension_check(message: str, seen: str, *, ok: bool) -> Check:
    return rule(
        SgxExtensionError, "pck", ok, message, expected="an SGX extension in strict DER", seen=seen
    )


def _is_named(certificate: Certificate, roles: tuple[str, ...], roots: TrustRoots) -> bool:
    prefixes = ("Intel",) if roots.intel else ("Intel", SIMULATED_PREFIX)
    names = {f"{prefix} {role}" for prefix in prefixes for role in roles}
    return certificate.common_name in names


def _expected(roles: tuple[str, ...]) -> str:
    return "CN=" + " or CN=".join(f"Intel {role}" for role in roles)


def _shown(certificate: Certificate) -> str:
    return f"CN={certificate.common_name[:100]}"
