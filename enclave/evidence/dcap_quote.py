"""DCAP quotes, versions 3 (SGX), 4 (SGX, TDX) and 5 (either, with its own body header).

Layout: Intel SGX DCAP Quote Library API and Intel TDX DCAP Quoting Library API, appendix
"Quote Format" (little-endian). A quote has one canonical length, 4 bytes and the signature's
size behind the body; whatever is longer or shorter is malformed.
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from enclave.dcap_errors import QuoteKeyTypeError, QuoteLengthError, QuoteVersionError
from enclave.errors import QuoteFormatError
from enclave.evidence import sgx_report, tdx_quote
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport

DCAP_SGX: Final = "dcap-sgx"
DCAP_TDX: Final = "dcap-tdx"

TEE_SGX: Final = 0x00
TEE_TDX: Final = 0x81
_ECDSA_P256: Final = 2

# version, attestation key type, TEE type (reserved in version 3), QE SVN and PCE SVN
# (reserved from version 4 on), QE vendor id, user data
_HEADER: Final = struct.Struct("<HHIHH16s20s")
_VENDOR_ID: Final = slice(12, 28)
_BODY_HEADER: Final = struct.Struct("<HI")
_SIGNATURE_SIZE: Final = struct.Struct("<I")

# Body type of version 5: what the quote is about, and its size.
_BODIES: Final = {
    1: (TEE_SGX, sgx_report.SIZE),
    2: (TEE_TDX, tdx_quote.SIZE_1_0),
    3: (TEE_TDX, tdx_quote.SIZE_1_5),
}
# (version, TEE type) of versions 3 and 4: body size.
_FIXED: Final = {
    (3, TEE_SGX): sgx_report.SIZE,
    (4, TEE_SGX): sgx_report.SIZE,
    (4, TEE_TDX): tdx_quote.SIZE_1_0,
}
_VERSION_WITH_BODY_HEADER: Final = 5


@dataclass(frozen=True, slots=True)
class DcapQuote:
    """A quote cut into its parts; nothing is verified."""

    version: int
    tee_type: int
    vendor_id: bytes
    """16 bytes: who made the quoting enclave."""
    body: SgxReport | TdReport
    signed: bytes
    """Header and body: what the attestation key signs."""
    signature: bytes
    """The signature data, its own structure not looked at."""

    @property
    def kind(self) -> str:
        """The policy's word for this evidence."""
        return DCAP_SGX if isinstance(self.body, SgxReport) else DCAP_TDX

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one quote of canonical length.

        Raises:
            QuoteVersionError: an unknown version, TEE type or body type.
            QuoteKeyTypeError: another attestation key type than ECDSA on P-256.
            QuoteLengthError: the quote goes on behind its end, or ends before it.
            QuoteFormatError: truncated within header, body or sizes.
        """
        frame = _Frame.of(data)
        if len(data) != frame.end:
            raise QuoteLengthError(
                "a quote has another length than it says",
                expected=f"{frame.end} bytes",
                seen=f"{len(data)} bytes",
            )
        signed = data[: frame.signature_at - _SIGNATURE_SIZE.size]
        parse = SgxReport.parse if frame.tee_type == TEE_SGX else TdReport.parse
        return cls(
            frame.version,
            frame.tee_type,
            data[_VENDOR_ID],
            parse(signed[frame.body_at :]),
            signed,
            data[frame.signature_at :],
        )


def trim_padding(data: bytes) -> bytes:
    """A captured quote without the zero bytes behind its canonical end.

    Raises:
        QuoteFormatError: the quote's own sizes are malformed.
    """
    end = _Frame.of(data).end
    return data[:end] if data.endswith(bytes(max(0, len(data) - end))) else data


class _Frame(NamedTuple):
    version: int
    tee_type: int
    body_at: int
    signature_at: int
    end: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        version, key_type, tee_type, *_ = _unpack(_HEADER, data, 0)
        if key_type != _ECDSA_P256:
            raise QuoteKeyTypeError(
                "a quote has another attestation key type",
                expected=f"{_ECDSA_P256} (ECDSA P-256)",
                seen=str(key_type),
            )
        body_at, size = _body(data, version, tee_type)
        size_at = body_at + size
        (signature_size,) = _unpack(_SIGNATURE_SIZE, data, size_at)
        signature_at = size_at + _SIGNATURE_SIZE.size
        return cls(version, tee_type, body_at, signature_at, signature_at + signature_size)


def _body(data: bytes, version: int, tee_type: int) -> tuple[int, int]:
    """Where the body starts, and its size."""
    if version != _VERSION_WITH_BODY_HEADER:
        size = _FIXED.get((version, tee_type))
        if size is None:
            raise QuoteVersionError(
                "a quote has an unknown version or TEE type",
                expected="version 3 (SGX), 4 or 5 (SGX, TDX)",
                seen=f"version {version}, TEE type {tee_type:#x}",
            )
        return _HEADER.size, size
    body_type, size = _unpack(_BODY_HEADER, data, _HEADER.size)
    if _BODIES.get(body_type) != (tee_type, size):
        raise QuoteVersionError(
            "a quote body's type and size do not belong together",
            seen=f"type {body_type}, {size} bytes, TEE type {tee_type:#x}",
        )
    return _HEADER.size + _BODY_HEADER.size, size


def _unpack(layout: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise QuoteFormatError("a quote is truncated", seen=f"{len(data)} bytes")
    return layout.unpack_from(data, at)
