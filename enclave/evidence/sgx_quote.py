"""The body of an EPID quote, as an IAS report carries it: without its signature.

Layout: Intel SGX Attestation Service API, "Quote" (432 bytes, little-endian).
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from enclave.errors import QuoteFormatError
from enclave.evidence.sgx_report import SgxReport

SIZE: Final = 432

UNLINKABLE: Final = 0
LINKABLE: Final = 1

_REPORT_AT: Final = 48
_VERSIONS: Final = (1, 2)
# version, sign_type, gid, qe_svn, pce_svn, xeid, basename
_HEADER: Final = struct.Struct("<HHIHHI32s")


@dataclass(frozen=True, slots=True)
class EpidQuoteBody:
    """What an enclave reported, and the EPID group of its platform."""

    version: int
    sign_type: int
    """0 unlinkable, 1 linkable."""
    gid: int
    """EPID group id, 32 bits; printed as 8 hex characters, big-endian."""
    qe_svn: int
    pce_svn: int
    xeid: int
    basename: bytes
    """32 bytes."""
    report: SgxReport

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a quote body.

        Args:
            body: exactly 432 bytes.

        Raises:
            QuoteFormatError: another length, version or signature type.
        """
        if len(body) != SIZE:
            raise QuoteFormatError(
                "an EPID quote body has another length",
                expected=f"{SIZE} bytes",
                seen=f"{len(body)} bytes",
            )
        version, sign_type, gid, qe_svn, pce_svn, xeid, basename = _HEADER.unpack_from(body)
        if version not in _VERSIONS:
            raise QuoteFormatError(
                "an EPID quote has an unknown version", expected="1 or 2", seen=str(version)
            )
        if sign_type not in (UNLINKABLE, LINKABLE):
            raise QuoteFormatError(
                "an EPID quote has an unknown signature type",
                expected="0 or 1",
                seen=str(sign_type),
            )
        report = SgxReport.parse(body[_REPORT_AT:])
        return cls(version, sign_type, gid, qe_svn, pce_svn, xeid, basename, report)
