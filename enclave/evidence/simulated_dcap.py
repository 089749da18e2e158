"""SIMULATION: DCAP quotes in Intel's layout that no hardware stands behind.

Layouts: Intel SGX DCAP Quote Library API and Intel TDX DCAP Quoting Library API, appendix
"Quote Format" (little-endian, packed). They are genuine to the last byte, so such quotes take
the same path as Intel's; but their certificates lead to a simulated root, which counts only
under a policy that names it. Certificate names begin with :data:`NAME_PREFIX` where Intel's
begin with ``Intel``, and every measurement is a constant of :mod:`enclave.measurement`.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

NAME_PREFIX: Final = "SIMULATION ONLY"
"""In the place of ``Intel`` in the common names of certificates."""

FMSPC: Final = b"SIM\x00\x00\x00"
"""Family, model, stepping, platform type of every SIMULATED platform: no processor's."""
PCE_ID: Final = bytes(2)
PCE_SVN: Final = 13
CPU_SVN: Final = bytes((7, 7, 2, 2, 3, 1, 0, 3)) + bytes(8)
"""The security versions of the 16 SGX components; their names are in Intel's TCB Info."""
TEE_TCB_SVN: Final = bytes((5, 1, 7)) + bytes(13)
"""TDX module 1.5 (SVN, major version), late microcode update, 13 unused ones."""

VENDOR_ID: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""Intel's, since verifiers know no other; a quote's certificates say that it is SIMULATED."""
ECDSA_P256: Final = 2
TEE_SGX: Final = 0x00
TEE_TDX: Final = 0x81
PEM_CHAIN: Final = 5
"""Certification data type: PCK certificate chain."""
QE_REPORT_DATA: Final = 6
"""Certification data type: the quoting enclave's report, with its own certification data."""
INIT_64BIT: Final = 0x05
"""ATTRIBUTES.FLAGS INIT and MODE64BIT, DEBUG clear."""
QE_SIGNER: Final = hashlib.sha256(b"enigma/simulated-qe-signer/v1").digest()
"""mr_signer of the SIMULATED quoting enclaves; nobody holds such a key."""
QE_MEASUREMENT: Final = hashlib.sha256(b"enigma/simulated-qe/v1").digest()
QE_FLAGS: Final = 0x15
"""INIT, MODE64BIT and PROVISION_KEY, as Intel's quoting enclaves have them."""
QE_XFRM: Final = 0xE7
QE_PROD_ID: Final = MappingProxyType({TEE_SGX: 1, TEE_TDX: 2})
AUTH_DATA: Final = bytes(range(32))
"""Of quoting enclaves, as Intel's have it."""
QE_SVN: Final = MappingProxyType({TEE_SGX: 8, TEE_TDX: 4})

HEADER: Final = MappingProxyType(
    {
        "version": "H",
        "attestation_key_type": "H",
        "tee_type": "I",
        "qe_svn": "H",
        "pce_svn": "H",
        "qe_vendor_id": "16s",
        "user_data": "20s",
    }
)
"""Name and format of each field; 48 bytes. QE SVN and PCE SVN are reserved from version 4 on."""
SGX_REPORT: Final = MappingProxyType(
    {
        "cpu_svn": "16s",
        "misc_select": "I",
        "reserved1": "12s",
        "isv_ext_prod_id": "16s",
        "flags": "Q",
        "xfrm": "Q",
        "mr_enclave": "32s",
        "reserved2": "32s",
        "mr_signer": "32s",
        "reserved3": "32s",
        "config_id": "64s",
        "isv_prod_id": "H",
        "isv_svn": "H",
        "config_svn": "H",
        "reserved4": "42s",
        "isv_family_id": "16s",
        "report_data": "64s",
    }
)
"""384 bytes."""
TD_REPORT: Final = MappingProxyType(
    {
        "tee_tcb_svn": "16s",
        "mr_seam": "48s",
        "mr_signer_seam": "48s",
        "seam_attributes": "8s",
        "td_attributes": "8s",
        "xfam": "8s",
        "mr_td": "48s",
        "mr_config_id": "48s",
        "mr_owner": "48s",
        "mr_owner_config": "48s",
        "rtmr0": "48s",
        "rtmr1": "48s",
        "rtmr2": "48s",
        "rtmr3": "48s",
        "report_data": "64s",
    }
)
"""584 bytes."""
Layout = Mapping[str, str]

_COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class QeCertification:
    """What vouches for the attestation key: the quoting enclave's report, and its chain."""

    report: bytes
    """384 bytes; its report_data binds the attestation key and :data:`AUTH_DATA`."""
    signature: bytes
    """64 bytes, r ‖ s, by the PCK."""
    chain: bytes
    """The PCK chain as PEM, leaf first."""


def encode_fields(layout: Layout, values: Mapping[str, int | bytes]) -> bytes:
    """Pack named fields; those without a value are zero.

    Raises:
        KeyError: a value for a field that the layout does not have.
    """
    unknown = values.keys() - layout.keys()
    if unknown:
        raise KeyError(f"no such field: {sorted(unknown)}")
    zero = {name: b"" if form.endswith("s") else 0 for name, form in layout.items()}
    return struct.pack("<" + "".join(layout.values()), *{**zero, **values}.values())


def encode_header(version: int, tee_type: int, user_data: bytes) -> bytes:
    """The header of a SIMULATED quote.

    Args:
        version: 3 or 4.
        tee_type: :data:`TEE_SGX` or :data:`TEE_TDX`.
        user_data: at most 20 bytes, whatever names the platform.
    """
    values: dict[str, int | bytes] = {
        "version": version,
        "attestation_key_type": ECDSA_P256,
        "tee_type": tee_type,
        "qe_vendor_id": VENDOR_ID,
        "user_data": user_data,
    }
    if version == 3:  # noqa: PLR2004 -- the last version with these two fields
        values |= {"qe_svn": QE_SVN[tee_type], "pce_svn": PCE_SVN}
    return encode_fields(HEADER, values)


def encode_qe_report(tee_type: int, attestation_key: bytes) -> bytes:
    """The report of a SIMULATED quoting enclave that binds an attestation key.

    Args:
        tee_type: which of the two quoting enclaves.
        attestation_key: 64 bytes, x ‖ y.
    """
    return encode_fields(
        SGX_REPORT,
        {
            "cpu_svn": CPU_SVN,
            "flags": QE_FLAGS,
            "xfrm": QE_XFRM,
            "mr_enclave": QE_MEASUREMENT,
            "mr_signer": QE_SIGNER,
            "isv_prod_id": QE_PROD_ID[tee_type],
            "isv_svn": QE_SVN[tee_type],
            "report_data": hashlib.sha256(attestation_key + AUTH_DATA).digest(),
        },
    )


def encode_signature(
    signature: bytes, attestation_key: bytes, qe: QeCertification, *, nested: bool
) -> bytes:
    """What follows a quote's body: u32le size, then the signature data.

    Args:
        signature: 64 bytes, r ‖ s, of header and body, by the attestation key.
        attestation_key: 64 bytes, x ‖ y.
        qe: what vouches for that key.
        nested: whether ``qe`` is certification data of type 6, as from version 4 on.
    """
    certified = qe.report + qe.signature + _sized("<H", AUTH_DATA)
    certified += struct.pack("<H", PEM_CHAIN) + _sized("<I", qe.chain)
    if nested:
        certified = struct.pack("<H", QE_REPORT_DATA) + _sized("<I", certified)
    return _sized("<I", signature + attestation_key + certified)


def sign(data: bytes, key: "EllipticCurvePrivateKey") -> bytes:
    """ECDSA with SHA-256 as r ‖ s, 64 bytes, without randomness (RFC 6979)."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415 -- heavy
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 -- as above

    encoded = key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))
    return b"".join(_coordinate(number) for number in utils.decode_dss_signature(encoded))


def raw_key(key: "EllipticCurvePublicKey") -> bytes:
    """A P-256 public key as x ‖ y, 64 bytes."""
    point = key.public_numbers()
    return _coordinate(point.x) + _coordinate(point.y)


def _coordinate(number: int) -> bytes:
    return number.to_bytes(_COORDINATE_BYTES, "big")


def _sized(size: str, data: bytes) -> bytes:
    return struct.pack(size, len(data)) + data
