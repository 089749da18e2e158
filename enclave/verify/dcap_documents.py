"""TCB Info and QE Identity: signed by the TCB signing certificate, over their exact bytes.

Source: Intel SGX and TDX Provisioning Certification Service, API version 4: the signature is
ECDSA with SHA-256 over the object's text as served. Nothing of a document is read before its
signature is verified.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from enclave.checks import Check, failed, judge, refused, require
from enclave.dcap_errors import (
    DcapVerificationError,
    EvaluationNumbersError,
    QeIdentitySignatureError,
    SignatureRangeError,
    TcbInfoSignatureError,
)
from enclave.error_base import EvidenceFormatError
from enclave.evidence.collateral import QE_IDENTITY, TCB_INFO, split_signed
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.tcb_info import TcbInfo
from enclave.verify import ecdsa
from enclave.verify.dcap_certificates import Certificate

_Document = TypeVar("_Document")

_SIGNATURE_ERRORS: Final[dict[str, type[DcapVerificationError]]] = {
    TCB_INFO: TcbInfoSignatureError,
    QE_IDENTITY: QeIdentitySignatureError,
}


def verify_tcb_info(
    body: bytes, signer: Certificate, tee_type: int, checks: list[Check]
) -> TcbInfo:
    """Verify and read a TCB Info.

    Args:
        body: ``{"tcbInfo":{…},"signature":"…"}`` as served.
        signer: the TCB signing certificate.
        tee_type: of the quote.
        checks: gets every rule judged.

    Raises:
        SignatureRangeError: its signature's r or s is out of range.
        TcbInfoSignatureError: its signature is not the signer's.
        EvidenceFormatError: it is malformed, or of a form that is not judged.
    """
    text = _verify_signature(TCB_INFO, body, signer, checks)
    return _read("tcb-info", lambda: TcbInfo.parse(text, tee_type), checks)


def verify_qe_identity(
    body: bytes, signer: Certificate, tee_type: int, checks: list[Check]
) -> QeIdentity:
    """Verify and read a QE Identity; see :func:`verify_tcb_info`.

    Raises:
        SignatureRangeError: its signature's r or s is out of range.
        QeIdentitySignatureError: its signature is not the signer's.
        EvidenceFormatError: it is malformed, or of a form that is not judged.
    """
    text = _verify_signature(QE_IDENTITY, body, signer, checks)
    return _read("qe-identity", lambda: QeIdentity.parse(text, tee_type), checks)


def check_evaluation_numbers(tcb_info: TcbInfo, qe_identity: QeIdentity) -> Check:
    """Rule: both documents are of one evaluation data set (protocol.md section 5)."""
    return judge(
        EvaluationNumbersError,
        tcb_info.evaluation_number == qe_identity.evaluation_number,
        "TCB Info and QE Identity are of two evaluation data sets",
        expected=f"{tcb_info.evaluation_number}, as TCB Info",
        seen=str(qe_identity.evaluation_number),
    )


def check_signature_range(signature: bytes, whose: str) -> Check:
    """Rule: r and s of a raw signature are numbers that ECDSA on P-256 allows."""
    ok = ecdsa.is_in_range(signature)
    return judge(
        SignatureRangeError,
        ok,
        f"a signature's r or s is out of range ({whose})",
        expected="1 to the order of P-256 less 1",
        seen="in range" if ok else signature.hex(),
        name=f"{SignatureRangeError.code}-{whose}",
    )


def _verify_signature(name: str, body: bytes, signer: Certificate, checks: list[Check]) -> bytes:
    try:
        document = split_signed(name, body)
    except EvidenceFormatError as error:
        raise refused(checks, failed(error)) from error
    whose = "tcb-info" if name == TCB_INFO else "qe-identity"
    require(checks, check_signature_range(document.signature, whose))
    ok = ecdsa.verifies(signer.key, document.signature, document.text)
    check = judge(
        _SIGNATURE_ERRORS[name],
        ok,
        f"the signature of {name} does not verify over its exact bytes",
        expected="ECDSA signature with SHA-256 of the TCB signing certificate",
        seen="valid" if ok else "not valid",
    )
    require(checks, check)
    return document.text


def _read(name: str, parse: Callable[[], _Document], checks: list[Check]) -> _Document:
    try:
        document = parse()
    except EvidenceFormatError as error:
        raise refused(checks, failed(error)) from error
    form = judge(
        EvidenceFormatError, ok=True, message="", expected="as Intel's API version 4 defines it",
        seen="strict", name=f"dcap-{name}-form",
    )  # fmt: skip
    require(checks, form)
    return document
