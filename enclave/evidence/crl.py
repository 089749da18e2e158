"""The frame of a certificate revocation list (RFC 5280 section 5.1), version 2.

Cut and not believed, so that the library's full parser only ever sees lists whose signature
was verified; see :class:`enclave.evidence.der.CertificateFrame`.
"""

from dataclasses import dataclass
from typing import Final, Self

from enclave.evidence.der import BIT_STRING, INTEGER, SEQUENCE, DerError, Reader

MAX_BYTES: Final = 64 * 1024
"""A genuine list has 0.3 to 3 KB."""

_VERSION_2: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class CrlFrame:
    """A revocation list cut along its frame."""

    signed: bytes
    """tbsCertList as encoded: the bytes under the signature."""
    inner_algorithm: bytes
    """AlgorithmIdentifier within the signed part, as encoded."""
    outer_algorithm: bytes
    signature: bytes
    issuer: bytes
    """Name, as encoded."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Cut one list; nothing may follow it.

        Raises:
            DerError: not the DER of exactly one version 2 list, or above 64 KiB.
        """
        if len(data) > MAX_BYTES:
            raise DerError(f"{len(data)} bytes, more than {MAX_BYTES}")
        outer = Reader(data)
        crl = outer.enter(SEQUENCE)
        outer.finish()
        signed = crl.encoded(SEQUENCE)
        outer_algorithm = crl.encoded(SEQUENCE)
        signature = crl.value(BIT_STRING)
        crl.finish()
        if signature[:1] != b"\0":
            raise DerError("a signature is not a whole number of bytes")
        parts = Reader(signed).enter(SEQUENCE)
        if parts.value(INTEGER) != _VERSION_2:
            raise DerError("a revocation list is not of version 2")
        inner_algorithm = parts.encoded(SEQUENCE)
        issuer = parts.encoded(SEQUENCE)
        return cls(signed, inner_algorithm, outer_algorithm, signature[1:], issuer)
