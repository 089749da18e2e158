"""The signature data of a DCAP quote: who signed it, and the chain that vouches for the signer.

Layout: Intel SGX DCAP Quote Library API, "ECDSA 256-bit Quote Signature Data Structure" and
"QE Certification Data" (little-endian); from version 4 on the quoting enclave's report is
itself wrapped in certification data of type 6 (Intel TDX DCAP Quoting Library API).
"""

import struct
from dataclasses import dataclass
from typing import Any, Final, Self

from enclave.dcap_errors import QuoteAuthDataError, QuoteCertificationError, QuoteLengthError
from enclave.errors import QuoteFormatError
from enclave.evidence.sgx_report import SIZE as REPORT_BYTES

PCK_CHAIN: Final = 5
"""Certification data: the PCK certificate chain, PEM."""
QE_REPORT: Final = 6
"""Certification data: the quoting enclave's report, with certification data of its own."""

AUTH_DATA_BYTES: Final = 32
"""As every quoting enclave of Intel's has it; dcap-qvl 0.7.0 takes no other length either."""

_FIRST_WITH_WRAPPING: Final = 4

# signature of the quote, attestation public key
_QUOTE_PART: Final = struct.Struct("<64s64s")
# report of the quoting enclave, its signature by the PCK
_QE_PART: Final = struct.Struct(f"<{REPORT_BYTES}s64s")
_AUTH_SIZE: Final = struct.Struct("<H")
_CERTIFICATION: Final = struct.Struct("<HI")


@dataclass(frozen=True, slots=True)
class DcapSignature:
    """The signature data cut into its parts; nothing is verified."""

    signature: bytes
    """64 bytes, r and s: by the attestation key over header and body of the quote."""
    attestation_key: bytes
    """64 bytes: x and y of a P-256 point."""
    qe_report: bytes
    """384 bytes: the quoting enclave's own report."""
    qe_signature: bytes
    """64 bytes, r and s: by the PCK over the quoting enclave's report."""
    auth_data: bytes
    """Hashed into the quoting enclave's report_data behind the attestation key."""
    pck_chain: bytes
    """PEM: PCK certificate first, then its CA and the root."""

    @classmethod
    def parse(cls, data: bytes, version: int) -> Self:
        """Read the signature data of a quote.

        Args:
            data: all bytes behind the signature's size.
            version: of the quote.

        Raises:
            QuoteCertificationError: certification data of another type than a PCK chain.
            QuoteAuthDataError: authentication data of another length than 32 bytes.
            QuoteLengthError: certification data that does not reach exactly to the end.
            QuoteFormatError: truncated.
        """
        signature, attestation_key = _unpack(_QUOTE_PART, data, 0)
        at = _QUOTE_PART.size
        if version >= _FIRST_WITH_WRAPPING:
            at = _enter(data, at, QE_REPORT)
        qe_report, qe_signature = _unpack(_QE_PART, data, at)
        at += _QE_PART.size
        (auth_size,) = _unpack(_AUTH_SIZE, data, at)
        at += _AUTH_SIZE.size
        if auth_size != AUTH_DATA_BYTES:
            raise QuoteAuthDataError(
                "a quote's authentication data has another length",
                expected=f"{AUTH_DATA_BYTES} bytes",
                seen=f"{auth_size} bytes",
            )
        auth_data = data[at : at + auth_size]
        chain_at = _enter(data, at + auth_size, PCK_CHAIN)
        return cls(signature, attestation_key, qe_report, qe_signature, auth_data, data[chain_at:])


def _enter(data: bytes, at: int, wanted: int) -> int:
    """Where certification data of the wanted type begins; it must reach exactly to the end."""
    kind, size = _unpack(_CERTIFICATION, data, at)
    if kind != wanted:
        raise QuoteCertificationError(
            "a quote carries certification data of another type",
            expected=str(wanted),
            seen=str(kind),
        )
    start = at + _CERTIFICATION.size
    if start + size != len(data):
        raise QuoteLengthError(
            "a quote's certification data has another length than it says",
            expected=f"{size} bytes",
            seen=f"{len(data) - start} bytes",
        )
    return start


def _unpack(layout: struct.Struct, data: bytes, at: int) -> tuple[Any, ...]:
    if at + layout.size > len(data):
        raise QuoteFormatError("a quote's signature is truncated", seen=f"{len(data)} bytes")
    return layout.unpack_from(data, at)
