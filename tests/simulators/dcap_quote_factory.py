"""DCAP quotes for tests: every field can be told to say something else, and is signed again."""

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from enclave import measurement
from enclave.evidence import simulated_dcap
from enclave.evidence.simulated_dcap import TEE_SGX
from tests.simulators.dcap_pki_factory import key

REPORT_DATA: Final = bytes(range(64))
MR_ENCLAVE: Final = bytes(range(32))
MR_SIGNER: Final = bytes(range(32, 64))
MR_TD: Final = bytes(range(48))
ISV_PROD_ID: Final = 7
ISV_SVN: Final = 3

TD_REPORT_1_5: Final = {
    **simulated_dcap.TD_REPORT,
    "tee_tcb_svn_2": "16s",
    "mr_service_td": "48s",
}
"""648 bytes."""

_BODY_TYPES: Final = {384: 1, 584: 2, 648: 3}

Signature = Callable[[bytes], bytes]


class Form(NamedTuple):
    """Which kind of quote; any pair can be asked for, sound or not."""

    version: int
    tee_type: int

    @property
    def is_sgx(self) -> bool:
        return self.tee_type == TEE_SGX


@dataclass(frozen=True, kw_only=True)
class QuoteParts:
    """Everything a quote is made of; keys are named, see :func:`dcap_pki_factory.key`."""

    form: Form
    chain: bytes
    """PEM, NUL included."""
    header: Mapping[str, Any] = field(default_factory=dict)
    """Changes, by the names of :data:`simulated_dcap.HEADER`."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Changes, by the names of :data:`simulated_dcap.SGX_REPORT` or :data:`TD_REPORT_1_5`."""
    body_bytes: bytes | None = None
    """In the place of the whole body."""
    body_header: tuple[int, int] | None = None
    """Type and size as version 5 states them; ``None``: the right ones."""
    qe_report: Mapping[str, Any] = field(default_factory=dict)
    """Changes, by the names of :data:`simulated_dcap.SGX_REPORT`."""
    attestation_key: str = "attestation"
    """Signs header and body; the QE report binds it."""
    attestation_key_bytes: bytes | None = None
    """What stands in the quote in the place of the key, x ‖ y."""
    bound_key: str | None = None
    """Bound by the QE report in the place of the attestation key."""
    qe_signed_by: str = "pck"
    auth_data: bytes = simulated_dcap.AUTH_DATA
    bound_auth_data: bytes | None = None
    """Bound by the QE report in the place of ``auth_data``."""
    chain_type: int = simulated_dcap.PEM_CHAIN
    outer_type: int = simulated_dcap.QE_REPORT_DATA
    """Certification data type from version 4 on."""
    signature: Signature = bytes
    """Applied to r ‖ s of header and body."""
    qe_signature: Signature = bytes
    """Applied to r ‖ s of the QE report."""
    size_change: int = 0
    """Added to the stated size of the signature data."""
    auth_size_change: int = 0
    chain_size_change: int = 0
    outer_size_change: int = 0
    behind: bytes = b""
    """Appended inside the signature data, and counted by its size."""


def encode_quote(parts: QuoteParts) -> bytes:
    """The quote, signed."""
    signed = _header(parts) + _body_header(parts) + body_of(parts)
    signature = parts.signature(simulated_dcap.sign(signed, key(parts.attestation_key)))
    attestation_key = parts.attestation_key_bytes or _public(parts.attestation_key)
    data = signature + attestation_key + _certified(parts) + parts.behind
    return signed + struct.pack("<I", (len(data) + parts.size_change) % 2**32) + data


def body_of(parts: QuoteParts) -> bytes:
    """The body alone."""
    if parts.body_bytes is not None:
        return parts.body_bytes
    if parts.form.is_sgx:
        return simulated_dcap.encode_fields(simulated_dcap.SGX_REPORT, {**_SGX_BODY, **parts.body})
    if parts.form.version < 5:
        return simulated_dcap.encode_fields(simulated_dcap.TD_REPORT, {**_TD_BODY, **parts.body})
    body = {**_TD_BODY, "tee_tcb_svn_2": simulated_dcap.TEE_TCB_SVN, **parts.body}
    return simulated_dcap.encode_fields(TD_REPORT_1_5, body)


def qe_report(parts: QuoteParts) -> bytes:
    """The QE's report, and its signature."""
    bound = _public(parts.bound_key or parts.attestation_key)
    auth_data = parts.auth_data if parts.bound_auth_data is None else parts.bound_auth_data
    tee_type = parts.form.tee_type
    values = {
        **_QE_REPORT,
        "isv_prod_id": simulated_dcap.QE_PROD_ID.get(tee_type, 1),
        "isv_svn": simulated_dcap.QE_SVN.get(tee_type, 8),
        "report_data": hashlib.sha256(bound + auth_data).digest(),
        **parts.qe_report,
    }
    report = simulated_dcap.encode_fields(simulated_dcap.SGX_REPORT, values)
    signature = parts.qe_signature(simulated_dcap.sign(report, key(parts.qe_signed_by)))
    return report + signature


def _header(parts: QuoteParts) -> bytes:
    values: dict[str, Any] = {
        "version": parts.form.version,
        "attestation_key_type": simulated_dcap.ECDSA_P256,
        "tee_type": parts.form.tee_type,
        "qe_vendor_id": simulated_dcap.VENDOR_ID,
        "user_data": b"SIMULATION ONLY",
    }
    if parts.form.version == 3:
        values |= {"qe_svn": 8, "pce_svn": simulated_dcap.PCE_SVN}
    return simulated_dcap.encode_fields(simulated_dcap.HEADER, {**values, **parts.header})


def _body_header(parts: QuoteParts) -> bytes:
    if parts.form.version != 5:
        return b""
    size = len(body_of(parts))
    return struct.pack("<HI", *(parts.body_header or (_BODY_TYPES.get(size, 0), size)))


def _certified(parts: QuoteParts) -> bytes:
    auth_size = (len(parts.auth_data) + parts.auth_size_change) % 2**16
    chain_size = (len(parts.chain) + parts.chain_size_change) % 2**32
    inner = qe_report(parts) + struct.pack("<H", auth_size) + parts.auth_data
    inner += struct.pack("<HI", parts.chain_type, chain_size) + parts.chain
    if parts.form.version < 4:
        return inner
    size = (len(inner) + parts.outer_size_change) % 2**32
    return struct.pack("<HI", parts.outer_type, size) + inner


def _public(name: str) -> bytes:
    return simulated_dcap.raw_key(key(name).public_key())


_SGX_BODY: Final[Mapping[str, Any]] = {
    "cpu_svn": simulated_dcap.CPU_SVN,
    "flags": simulated_dcap.INIT_64BIT,
    "xfrm": 0x03,
    "mr_enclave": MR_ENCLAVE,
    "mr_signer": MR_SIGNER,
    "isv_prod_id": ISV_PROD_ID,
    "isv_svn": ISV_SVN,
    "report_data": REPORT_DATA,
}
_TD_BODY: Final[Mapping[str, Any]] = {
    "tee_tcb_svn": simulated_dcap.TEE_TCB_SVN,
    "mr_seam": bytes(range(100, 148)),
    "td_attributes": measurement.SIMULATED_TD_ATTRIBUTES,
    "xfam": measurement.SIMULATED_XFAM,
    "mr_td": MR_TD,
    "rtmr0": bytes(range(1, 49)),
    "rtmr1": bytes(range(2, 50)),
    "rtmr2": bytes(range(3, 51)),
    "rtmr3": bytes(48),
    "report_data": REPORT_DATA,
}
_QE_REPORT: Final[Mapping[str, Any]] = {
    "cpu_svn": simulated_dcap.CPU_SVN,
    "flags": simulated_dcap.QE_FLAGS,
    "xfrm": simulated_dcap.QE_XFRM,
    "mr_enclave": simulated_dcap.QE_MEASUREMENT,
    "mr_signer": simulated_dcap.QE_SIGNER,
}
