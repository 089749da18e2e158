"""What a PCK certificate says about its platform: Intel's SGX extension.

Form: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, "SGX
Extensions" (object identifier 1.2.840.113741.1.13.1): a sequence of pairs of identifier and
value, here in strict DER, each once and in the order of the specification.
"""

from dataclasses import dataclass
from typing import Final, Self

from enclave.dcap_pki_errors import SgxExtensionError
from enclave.evidence.der import (
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DerError,
    Reader,
)

SGX_EXTENSION: Final = bytes.fromhex("2a864886f84d010d01")
"""DER contents of object identifier 1.2.840.113741.1.13.1."""

MAX_BYTES: Final = 4096
"""A genuine extension has about 550 bytes."""

COMPONENTS: Final = 16

_ENUMERATED: Final = 0x0A
_BOOLEANS: Final = {b"\x00": False, b"\xff": True}
_MAX_SVN: Final = 0xFF
_MAX_PCE_SVN: Final = 0xFFFF
_MAX_SGX_TYPE: Final = 2
_SIGN: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class PckExtension:
    """The platform as the PCK's issuer saw it; nothing is verified."""

    ppid: bytes
    """16 bytes: which processor package this is."""
    components: bytes
    """16 bytes: the security version of each SGX component."""
    pce_svn: int
    cpu_svn: bytes
    """16 bytes: CPUSVN, which for every platform so far repeats the components."""
    pce_id: bytes
    """2 bytes."""
    fmspc: bytes
    """6 bytes: family, model, stepping, platform and custom SKU."""
    sgx_type: int
    """0 standard, 1 scalable, 2 scalable with integrity."""
    instance_id: bytes | None
    """16 bytes: of a platform with several packages; None under the Processor CA."""
    configuration: tuple[bool, ...]
    """Dynamic platform, cached keys, SMT enabled; empty under the Processor CA."""

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the extension's value.

        Raises:
            SgxExtensionError: not exactly the pairs of the specification.
        """
        try:
            return cls._read(value)
        except DerError as error:
            raise SgxExtensionError(
                "the PCK certificate's SGX extension is malformed",
                expected="the pairs of Intel's profile in strict DER",
                seen=str(error),
            ) from error

    @classmethod
    def _read(cls, value: bytes) -> Self:
        if len(value) > MAX_BYTES:
            raise DerError(f"{len(value)} bytes, more than {MAX_BYTES}")
        outer = Reader(value)
        pairs = outer.enter(SEQUENCE)
        outer.finish()
        ppid = _octets(_pair(pairs, 1), 16)
        tcb = _pair(pairs, 2).enter(SEQUENCE)
        components = bytes(_integer(_pair(tcb, 2, n), _MAX_SVN) for n in range(1, COMPONENTS + 1))
        pce_svn = _integer(_pair(tcb, 2, 17), _MAX_PCE_SVN)
        cpu_svn = _octets(_pair(tcb, 2, 18), COMPONENTS)
        tcb.finish()
        extension = cls(
            ppid=ppid,
            components=components,
            pce_svn=pce_svn,
            cpu_svn=cpu_svn,
            pce_id=_octets(_pair(pairs, 3), 2),
            fmspc=_octets(_pair(pairs, 4), 6),
            sgx_type=_number(_pair(pairs, 5), _ENUMERATED, _MAX_SGX_TYPE),
            instance_id=_octets(_pair(pairs, 6), 16) if pairs.peek() is not None else None,
            configuration=_configuration(pairs) if pairs.peek() is not None else (),
        )
        pairs.finish()
        return extension


def _pair(pairs: Reader, *arc: int) -> Reader:
    """The value of the next pair, whose identifier ends in ``arc``."""
    pair = pairs.enter(SEQUENCE)
    if pair.value(OBJECT_IDENTIFIER) != SGX_EXTENSION + bytes(arc):
        raise DerError(f"no pair {'.'.join(map(str, arc))} where it belongs")
    return pair


def _octets(pair: Reader, size: int) -> bytes:
    value = pair.value(OCTET_STRING)
    pair.finish()
    if len(value) != size:
        raise DerError(f"{len(value)} bytes where {size} belong")
    return value


def _integer(pair: Reader, most: int) -> int:
    return _number(pair, INTEGER, most)


def _number(pair: Reader, tag: int, most: int) -> int:
    value = pair.value(tag)
    pair.finish()
    padded = len(value) > 1 and value[0] == 0 and value[1] < _SIGN
    if not value or value[0] >= _SIGN or padded:
        raise DerError("an integer is negative, empty or not minimal")
    number = int.from_bytes(value, "big")
    if number > most:
        raise DerError(f"an integer is above {most}")
    return number


def _configuration(pairs: Reader) -> tuple[bool, ...]:
    """The flags of a platform with several packages; later ones may be absent."""
    flags = _pair(pairs, 7).enter(SEQUENCE)
    found: list[bool] = []
    while flags.peek() is not None:
        pair = flags.enter(SEQUENCE)
        if pair.value(OBJECT_IDENTIFIER) != SGX_EXTENSION + bytes((7, len(found) + 1)):
            raise DerError("a configuration flag out of place")
        flag = _BOOLEANS.get(pair.value(BOOLEAN))
        pair.finish()
        if flag is None:
            raise DerError("a DER boolean is neither TRUE nor FALSE")
        found.append(flag)
    return tuple(found)
