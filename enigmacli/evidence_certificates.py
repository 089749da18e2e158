"""The certificates inside a DCAP quote and its collateral, read for people; nothing is verified."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from cryptography import x509

from enclave.errors import ContainerFormatError, EvidenceFormatError, NoEvidenceError
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.der import CertificateFrame, DerError
from enclave.evidence.pck import SGX_EXTENSION, PckExtension
from enclave.evidence.pem import PemError, split_chain
from enclave.verify.roots import LIBRARY_ERRORS

_NUL: Final = b"\0"
_SGX_TYPES: Final = {0: "standard", 1: "scalable", 2: "scalable with integrity"}
_FLAGS: Final = ("dynamic_platform", "cached_keys", "smt_enabled")


def split_pem(text: bytes) -> tuple[bytes, ...]:
    """DER of each certificate of a PEM chain; quotes carry theirs with a NUL behind it.

    Raises:
        ContainerFormatError: not such a chain.
    """
    try:
        return split_chain(text.rstrip(_NUL))
    except PemError as error:
        raise ContainerFormatError(f"the chain is malformed: {error}") from error


def read_extension(quote: DcapQuote) -> PckExtension:
    """Intel's extension of the PCK certificate that a quote carries.

    Raises:
        EvidenceFormatError: the quote's chain, its first certificate or the extension is
            malformed, or there is none.
        DcapCertificateError: likewise, of the extension.
    """
    signature = DcapSignature.parse(quote.signature, quote.version)
    chain = split_pem(signature.pck_chain)
    if not chain:
        raise NoEvidenceError("the quote carries no certificate")
    try:
        frame = CertificateFrame.parse(chain[0])
    except DerError as error:
        raise ContainerFormatError(f"the PCK certificate is not strict DER: {error}") from error
    for extension in frame.extensions:
        if extension.object_id == SGX_EXTENSION:
            return PckExtension.parse(extension.value)
    raise NoEvidenceError("the PCK certificate has no SGX extension")


def describe_extension(extension: PckExtension) -> dict[str, Any]:
    """The platform of a PCK certificate, for people."""
    instance = extension.instance_id
    return {
        "ppid": extension.ppid.hex(),
        "fmspc": extension.fmspc.hex(),
        "pce_id": extension.pce_id.hex(),
        "pce_svn": extension.pce_svn,
        "cpu_svn": extension.cpu_svn.hex(),
        "tcb_components": list(extension.components),
        "sgx_type": _SGX_TYPES.get(extension.sgx_type, str(extension.sgx_type)),
        "platform_instance_id": None if instance is None else instance.hex(),
        **dict(zip(_FLAGS, extension.configuration, strict=False)),
    }


def describe_chain(text: bytes) -> list[dict[str, Any]]:
    """Subject, issuer, serial number and dates of each certificate of a PEM chain.

    Raises:
        EvidenceFormatError: not such a chain.
    """
    return [_describe(certificate) for certificate in split_pem(text)]


def describe_crl(data: bytes) -> dict[str, Any]:
    """Issuer, number, dates and the revoked serial numbers of a list in DER.

    Raises:
        EvidenceFormatError: not such a list.
    """
    with _reading("revocation list"):
        crl = x509.load_der_x509_crl(data)
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        next_update = crl.next_update_utc
        return {
            "issuer": crl.issuer.rfc4514_string(),
            "number": number,
            "this_update": _date(crl.last_update_utc.isoformat()),
            "next_update": None if next_update is None else _date(next_update.isoformat()),
            "revoked": [f"{entry.serial_number:x}" for entry in crl],
        }


def _describe(data: bytes) -> dict[str, Any]:
    with _reading("certificate"):
        certificate = x509.load_der_x509_certificate(data)
        return {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "serial_number": f"{certificate.serial_number:x}",
            "not_before": _date(certificate.not_valid_before_utc.isoformat()),
            "not_after": _date(certificate.not_valid_after_utc.isoformat()),
        }


@contextmanager
def _reading(what: str) -> Generator[None, None, None]:
    """Turn the library's errors into ours, and keep its advice on odd values to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except LIBRARY_ERRORS as error:
            seen = ascii(str(error))[:100]
            raise EvidenceFormatError(f"a {what} is malformed", seen=seen) from error


def _date(text: str) -> str:
    return text.replace("+00:00", "Z")
