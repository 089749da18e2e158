"""SIMULATION ONLY: the body of an attestation verification report, member by member.

Source: Attestation Service for Intel SGX, API documentation, "Attestation Verification
Report"; order and spelling as in genuine reports of versions 4 and 5.
"""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from enclave.evidence import sgx_quote
from enclave.evidence.sgx_quote import EpidQuoteBody

ADVISORY_URL: Final = "https://security-center.intel.com"
DEFAULT_ADVISORIES: Final = ("INTEL-SA-00334",)
"""What a status that comes with advisories names unless told otherwise."""


class QuoteStatus(StrEnum):
    """``isvEnclaveQuoteStatus``, every value of API version 4 and 5."""

    OK = "OK"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    GROUP_REVOKED = "GROUP_REVOKED"
    SIGNATURE_REVOKED = "SIGNATURE_REVOKED"
    KEY_REVOKED = "KEY_REVOKED"
    SIGRL_VERSION_MISMATCH = "SIGRL_VERSION_MISMATCH"
    GROUP_OUT_OF_DATE = "GROUP_OUT_OF_DATE"
    CONFIGURATION_NEEDED = "CONFIGURATION_NEEDED"
    SW_HARDENING_NEEDED = "SW_HARDENING_NEEDED"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "CONFIGURATION_AND_SW_HARDENING_NEEDED"


_WITH_ADVISORIES: Final = frozenset(
    {
        QuoteStatus.GROUP_OUT_OF_DATE,
        QuoteStatus.CONFIGURATION_NEEDED,
        QuoteStatus.SW_HARDENING_NEEDED,
        QuoteStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    }
)

# status -> sgx_epid_group_flags, sgx_tcb_evaluation_flags of its platform info blob; genuine
# reports of another status carry none
_PLATFORM_FLAGS: Final = {
    QuoteStatus.GROUP_REVOKED: (0x01, 0x0000),
    QuoteStatus.GROUP_OUT_OF_DATE: (0x04, 0x0009),
    QuoteStatus.CONFIGURATION_NEEDED: (0x00, 0x0008),
    QuoteStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: (0x00, 0x0008),
}
_KEY_COMPROMISE: Final = 1  # RFC 5280 sec. 5.3.1
_EVALUATION_NUMBER_SINCE: Final = 5  # the API version whose reports carry it

# type 21, version 2, size; group flags, TCB flags, PSE flags, latest equivalent TCB (18),
# latest PSE SVN, latest PSDA SVN, xeid, gid; a signature (64) follows
_PLATFORM_INFO: Final = struct.Struct(">BBHBHH18sHIII")
_PLATFORM_INFO_SIZE: Final = 101
_LATEST_TCB: Final = bytes.fromhex("0f0f02040180070000000000000000000b00")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the simulated service says about quotes."""

    status: QuoteStatus = QuoteStatus.OK
    advisory_ids: tuple[str, ...] | None = None
    """``None``: those that usually come with the status; else exactly these."""
    tcb_evaluation_data_number: int = 17
    """In reports of API version 5."""

    @property
    def advisories(self) -> tuple[str, ...]:
        """The advisories that the report names."""
        if self.advisory_ids is not None:
            return self.advisory_ids
        return DEFAULT_ADVISORIES if self.status in _WITH_ADVISORIES else ()


def encode_report(
    finding: Finding,
    *,
    quote: bytes,
    platform_key: bytes,
    nonce: str | None,
    report_id: int,
    version: int,
    at_us: int,
) -> bytes:
    """The bytes to sign.

    Args:
        finding: status and what comes with it.
        quote: at least the 432 bytes of its body.
        platform_key: 32 bytes; makes the pseudonym of a linkable quote.
        nonce: repeated where the request had one.
        report_id: 128 bits, shown in decimal.
        version: of the API, 4 or 5.
        at_us: microseconds since the Unix epoch.

    Raises:
        QuoteFormatError: the quote's body is malformed.
    """
    body = quote[: sgx_quote.SIZE]
    said = EpidQuoteBody.parse(body)
    members: dict[str, Any] = {"nonce": nonce} if nonce is not None else {}
    members |= {"id": str(report_id), "timestamp": _timestamp(at_us), "version": version}
    if said.sign_type == sgx_quote.LINKABLE:
        members["epidPseudonym"] = _base64(_pseudonym(said.basename, platform_key))
    if finding.advisories:
        members |= {"advisoryURL": ADVISORY_URL, "advisoryIDs": list(finding.advisories)}
    if version >= _EVALUATION_NUMBER_SINCE:
        members["tcbEvaluationDataNumber"] = finding.tcb_evaluation_data_number
    members["isvEnclaveQuoteStatus"] = finding.status.value
    if finding.status is QuoteStatus.GROUP_REVOKED:
        members["revocationReason"] = _KEY_COMPROMISE
    if finding.status in _PLATFORM_FLAGS:
        members["platformInfoBlob"] = _platform_info(finding.status, said.gid).hex().upper()
    members["isvEnclaveQuoteBody"] = _base64(body)
    return json.dumps(members, separators=(",", ":")).encode()


def _timestamp(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _platform_info(status: QuoteStatus, gid: int) -> bytes:
    """105 bytes; the signature is none, only its size is right."""
    group_flags, tcb_flags = _PLATFORM_FLAGS[status]
    blob = _PLATFORM_INFO.pack(
        0x15,
        2,
        _PLATFORM_INFO_SIZE,
        group_flags,
        tcb_flags,
        0,
        _LATEST_TCB,
        0x0B,
        2,
        0,
        gid,
    )
    return blob + hashlib.sha512(b"SIMULATION ONLY" + blob).digest()


def _pseudonym(basename: bytes, platform_key: bytes) -> bytes:
    """128 bytes: B says which basename, K which platform under that basename."""
    shared = hashlib.sha512(b"SIMULATION ONLY B" + basename).digest()
    return shared + hashlib.sha512(b"SIMULATION ONLY K" + basename + platform_key).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
