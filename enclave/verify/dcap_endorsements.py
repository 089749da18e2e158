"""Everything that Intel endorses behind a quote: its platform and its quoting enclave.

Judged without regard to time, to the two signatures that the quote itself brings, and to what
the attested enclave says. So the answer depends on a few parts of the evidence alone, and it is
remembered by exactly their bytes: a platform that quotes again brings the same parts.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from enclave.checks import Check, failed, judge, refused, require
from enclave.dcap_errors import CollateralTeeError
from enclave.dcap_pki_errors import (
    CrlIssuerError,
    FmspcError,
    PceIdError,
    PckCaRevokedError,
    PckRevokedError,
    TcbSignerRevokedError,
)
from enclave.error_base import EnclaveError
from enclave.errors import CollateralFormatError
from enclave.evidence.collateral import Collateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.pck import PckExtension
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tcb_info import TcbInfo, TdxModule
from enclave.verify.dcap_certificates import (
    CRL_CHAIN,
    PCK_CHAIN,
    QE_IDENTITY_CHAIN,
    TCB_INFO_CHAIN,
    Certificate,
    rule,
    verify_chain,
)
from enclave.verify.dcap_crls import Crl, check_not_revoked, verify_crl
from enclave.verify.dcap_dates import Dates, collect_dates
from enclave.verify.dcap_documents import (
    check_evaluation_numbers,
    verify_qe_identity,
    verify_tcb_info,
)
from enclave.verify.dcap_enclave import QeClaim, verify_quoting_enclave
from enclave.verify.dcap_levels import TcbVerdict, expected_module, judge_levels
from enclave.verify.dcap_roles import check_crl_ca, verify_pck, verify_tcb_signer
from enclave.verify.roots import TrustRoots

_REMEMBERED: Final = 32
"""Each at most the size of a transaction's evidence, and what was read from it."""

_NUL: Final = b"\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsements:
    """What a trusted root's keys say about one platform; only this module makes one."""

    root_der: bytes
    pck: PckExtension
    pck_key: EllipticCurvePublicKey
    collateral: Collateral
    dates: Dates
    evaluation_number: int
    """tcbEvaluationDataNumber of both documents."""
    verdict: TcbVerdict
    module: TdxModule | None
    """What TCB Info wants of the TDX module; None for SGX, or where it knows no such module."""


class Subject(NamedTuple):
    """The parts of a quote that collateral is about."""

    tee_type: int
    pck_chain: bytes
    """PEM; Intel's quoting library ends it with a NUL."""
    qe: QeClaim
    tee_tcb_svns: tuple[bytes, ...]
    """Of a TD: at its launch and, from TDX 1.5 on, at present; empty for SGX."""

    @classmethod
    def of(cls, quote: DcapQuote, signature: DcapSignature) -> "Subject":
        """Pick them out of a quote."""
        qe = QeClaim(signature.qe_report, signature.attestation_key, signature.auth_data)
        body = quote.body
        svns = () if isinstance(body, SgxReport) else (body.tee_tcb_svn, body.tee_tcb_svn_2)
        return cls(quote.tee_type, signature.pck_chain, qe, tuple(filter(None, svns)))


def verify_endorsements(
    subject: Subject, collateral: bytes, roots: TrustRoots, checks: list[Check]
) -> Endorsements:
    """Verify collateral, PCK chain and quoting enclave, whatever the time is.

    Args:
        subject: out of the quote.
        collateral: in the form that transactions carry.
        roots: whom to believe.
        checks: gets every rule judged.

    Raises:
        EvidenceFormatError: malformed, by its own class.
        DcapVerificationError: not authentic, by its own class.
    """
    judged = _judge(subject, collateral, roots)
    checks.extend(judged.checks)
    if judged.endorsements is None:
        raise judged.checks[-1].refusal()
    return judged.endorsements


@dataclass(frozen=True, slots=True)
class _Judged:
    endorsements: Endorsements | None
    checks: tuple[Check, ...]
    """Ends with the rule that failed where there are no endorsements."""


@lru_cache(maxsize=_REMEMBERED)
def _judge(subject: Subject, collateral: bytes, roots: TrustRoots) -> _Judged:
    checks: list[Check] = []
    try:
        return _Judged(_verify(subject, collateral, roots, checks), tuple(checks))
    except EnclaveError:
        return _Judged(None, tuple(checks))


def _verify(subject: Subject, data: bytes, roots: TrustRoots, checks: list[Check]) -> Endorsements:
    tee_type = subject.tee_type
    collateral = _parse(data, tee_type, checks)
    pck_chain = subject.pck_chain.removesuffix(_NUL)
    pck, pck_ca, root = verify_chain(pck_chain, PCK_CHAIN, roots, checks)
    extension = verify_pck(pck, pck_ca, roots, checks)
    crl_ca = _verify_crl_ca(collateral, pck_ca, roots, checks)
    signers = _verify_signers(collateral, roots, checks)
    crls = (
        verify_crl("root-crl", collateral.root_ca_crl, root, checks),
        verify_crl("pck-crl", collateral.pck_crl, pck_ca, checks),
    )
    _require_not_revoked((pck, pck_ca, crl_ca, *signers), crls, checks)
    tcb_info = verify_tcb_info(collateral.tcb_info, signers[0], tee_type, checks)
    qe_identity = verify_qe_identity(collateral.qe_identity, signers[-1], tee_type, checks)
    require(checks, check_evaluation_numbers(tcb_info, qe_identity))
    require(checks, _check_fmspc(tcb_info, extension))
    require(checks, _check_pce_id(tcb_info, extension))
    qe_report = verify_quoting_enclave(subject.qe, qe_identity, checks)
    svns = subject.tee_tcb_svns
    certificates = (pck, pck_ca, root, crl_ca, *signers)
    return Endorsements(
        root_der=root.der,
        pck=extension,
        pck_key=pck.key,
        collateral=collateral,
        dates=collect_dates(tcb_info, qe_identity, crls, certificates),
        evaluation_number=tcb_info.evaluation_number,
        verdict=judge_levels(tcb_info, qe_identity, extension, svns, qe_report.isv_svn),
        module=expected_module(tcb_info, svns[0]) if svns else None,
    )


def _parse(data: bytes, tee_type: int, checks: list[Check]) -> Collateral:
    try:
        collateral = Collateral.parse_intel(data)
    except CollateralFormatError as error:
        raise refused(checks, failed(error)) from error
    tee = judge(
        CollateralTeeError,
        collateral.tee_type == tee_type,
        "the collateral is for the other TEE",
        expected=f"{tee_type:#x}",
        seen=f"{collateral.tee_type:#x}",
    )
    require(checks, tee)
    return collateral


def _verify_crl_ca(
    collateral: Collateral, pck_ca: Certificate, roots: TrustRoots, checks: list[Check]
) -> Certificate:
    """The CA that the collateral names for the PCK's revocation list."""
    chain = collateral.pck_crl_issuer_chain
    crl_ca, _ = verify_chain(chain, CRL_CHAIN, roots, checks, known=pck_ca)
    require(checks, check_crl_ca(crl_ca, roots))
    require(checks, _check_same_ca(crl_ca, pck_ca))
    return crl_ca


def _verify_signers(
    collateral: Collateral, roots: TrustRoots, checks: list[Check]
) -> tuple[Certificate, ...]:
    """Who signed TCB Info, and who QE Identity: normally one certificate."""
    first, _ = verify_chain(collateral.tcb_info_issuer_chain, TCB_INFO_CHAIN, roots, checks)
    verify_tcb_signer(first, roots, checks)
    chain = collateral.qe_identity_issuer_chain
    second, _ = verify_chain(chain, QE_IDENTITY_CHAIN, roots, checks, known=first)
    if second is first:
        return (first,)
    verify_tcb_signer(second, roots, checks)
    return (first, second)


def _check_same_ca(crl_ca: Certificate, pck_ca: Certificate) -> Check:
    """Rule: the list's issuer is the PCK's; it may hold several certificates for its key."""
    same = crl_ca.subject == pck_ca.subject and crl_ca.key == pck_ca.key
    return rule(
        CrlIssuerError,
        "crl-ca",
        same,
        "the revocation list is from another CA than the PCK certificate",
        expected=f"CN={pck_ca.common_name[:100]}, with the same key",
        seen=f"CN={crl_ca.common_name[:100]}, with {'the same' if same else 'another'} key",
    )


def _require_not_revoked(
    certificates: tuple[Certificate, ...], crls: tuple[Crl, Crl], checks: list[Check]
) -> None:
    """Rule: neither the PCK, nor its CA, nor the signer of a document is revoked."""
    pck, pck_ca, crl_ca, *signers = certificates
    root_crl, pck_crl = crls
    require(checks, check_not_revoked(PckRevokedError, pck, pck_crl))
    require(checks, check_not_revoked(PckCaRevokedError, pck_ca, root_crl))
    if crl_ca is not pck_ca:
        require(checks, check_not_revoked(PckCaRevokedError, crl_ca, root_crl))
    for signer in signers:
        require(checks, check_not_revoked(TcbSignerRevokedError, signer, root_crl))


def _check_fmspc(tcb_info: TcbInfo, pck: PckExtension) -> Check:
    return judge(
        FmspcError,
        tcb_info.fmspc == pck.fmspc,
        "TCB Info is about another FMSPC",
        expected=pck.fmspc.hex(),
        seen=tcb_info.fmspc.hex(),
    )


def _check_pce_id(tcb_info: TcbInfo, pck: PckExtension) -> Check:
    return judge(
        PceIdError,
        tcb_info.pce_id == pck.pce_id,
        "TCB Info is about another PCE-ID",
        expected=pck.pce_id.hex(),
        seen=tcb_info.pce_id.hex(),
    )
