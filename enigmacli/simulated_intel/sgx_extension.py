"""SIMULATION ONLY: what a PCK certificate says about its platform, as its SGX extension.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification,
section "SGX Extensions" (OID 1.2.840.113741.1.13.1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from enclave.evidence import simulated_dcap

OID: Final = "1.2.840.113741.1.13.1"

ARC: Final = bytes.fromhex("2a864886f84d010d01")
"""The same as DER has it, without tag and length."""

_BOOLEAN: Final = 0x01
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
_ENUMERATED: Final = 0x0A
_SEQUENCE: Final = 0x30
_TRUE: Final = b"\xff"
_LONG_FORM: Final = 0x80


@dataclass(frozen=True, slots=True)
class PlatformClaims:
    """Every statement of the extension; each default is that of a SIMULATED platform."""

    ppid: bytes = bytes(16)
    """16 bytes."""
    components: tuple[int, ...] = tuple(simulated_dcap.CPU_SVN)
    """16 security versions, 0 to 255."""
    pce_svn: int = simulated_dcap.PCE_SVN
    cpu_svn: bytes = simulated_dcap.CPU_SVN
    pce_id: bytes = simulated_dcap.PCE_ID
    fmspc: bytes = simulated_dcap.FMSPC
    sgx_type: int = 1
    """0 standard, 1 scalable."""
    instance_id: bytes | None = bytes(16)
    """16 bytes; ``None`` leaves it and the three flags out, as a processor CA does."""
    flags: tuple[bool, bool, bool] = field(default=(False, False, False))
    """Dynamic platform, cached keys, SMT enabled."""

    def encode(self) -> bytes:
        """The extension's value, DER."""
        return element(_SEQUENCE, *self.members())

    def members(self) -> tuple[bytes, ...]:
        """The statements in their order, each as ``SEQUENCE {OID, value}``."""
        tcb = (
            *(
                member((2, number), integer(svn))
                for number, svn in enumerate(self.components, start=1)
            ),
            member((2, 17), integer(self.pce_svn)),
            member((2, 18), element(_OCTET_STRING, self.cpu_svn)),
        )
        required = (
            member((1,), element(_OCTET_STRING, self.ppid)),
            member((2,), element(_SEQUENCE, *tcb)),
            member((3,), element(_OCTET_STRING, self.pce_id)),
            member((4,), element(_OCTET_STRING, self.fmspc)),
            member((5,), element(_ENUMERATED, bytes((self.sgx_type,)))),
        )
        if self.instance_id is None:
            return required
        configuration = (
            member((7, number), element(_BOOLEAN, _TRUE if flag else b"\x00"))
            for number, flag in enumerate(self.flags, start=1)
        )
        return (
            *required,
            member((6,), element(_OCTET_STRING, self.instance_id)),
            member((7,), element(_SEQUENCE, *configuration)),
        )


def member(arc: Iterable[int], value: bytes) -> bytes:
    """One statement.

    Args:
        arc: below :data:`OID`, each number under 128.
        value: DER.
    """
    return element(_SEQUENCE, element(_OBJECT_IDENTIFIER, ARC + bytes(arc)), value)


def integer(value: int) -> bytes:
    """A DER INTEGER."""
    return element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def element(tag: int, *content: bytes) -> bytes:
    """A DER element of definite, minimal length."""
    inside = b"".join(content)
    length = len(inside)
    if length < _LONG_FORM:
        return bytes((tag, length)) + inside
    size = (length.bit_length() + 7) // 8
    return bytes((tag, _LONG_FORM | size)) + length.to_bytes(size, "big") + inside
