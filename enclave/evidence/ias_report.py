"""The IAS attestation verification report: Intel's signed answer about one EPID quote.

Members and their forms: Intel SGX Attestation Service API, "Attestation Verification
Report", versions 2 to 5. Unknown members are ignored (Intel signed them, nothing here reads
them); every known one has exactly one JSON type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from enclave import canonical_json
from enclave.errors import ReportFormatError
from enclave.evidence import base64_strict
from enclave.evidence.sgx_quote import UNLINKABLE, EpidQuoteBody

MAX_BYTES: Final = 64 * 1024
"""A genuine report has 1 to 2 KB."""

_NONCE_CHARACTERS: Final = 32
_PSEUDONYM_BYTES: Final = 128
_PLATFORM_INFO: Final = re.compile(r"[0-9A-Fa-f]{210}", re.ASCII)
_PLATFORM_INFO_HEADER: Final = bytes.fromhex("15020065")
"""Type 21, version 2, and the 101 bytes that follow (Intel SGX SDK, platform info TLV)."""

_TIMESTAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- as reports write their own instants
_MICROSECOND: Final = timedelta(microseconds=1)

STATUS_OK: Final = "OK"


@dataclass(frozen=True, slots=True)
class SignedReport:
    """A report as transported: exact bytes, signature and certificates; nothing is verified."""

    report: bytes
    """The body exactly as signed."""
    signature: bytes
    """RSA PKCS#1 v1.5 with SHA-256 over ``report``; empty where there is none."""
    signing_cert: bytes
    """The signing leaf, DER; empty where there is none."""
    further_certs: tuple[bytes, ...] = ()
    """DER of what came behind the leaf; never on chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IasReport:
    """What a report says; whether Intel said it is for :mod:`enclave.verify.ias` to find out."""

    id: str
    timestamp: str
    """As signed: without a zone, and meant as UTC."""
    timestamp_us: int
    """Microseconds since the Unix epoch."""
    version: int | None
    """API version; None in reports of API version 2, which had no such member."""
    status: str
    """isvEnclaveQuoteStatus, whatever word it is."""
    quote: EpidQuoteBody
    advisory_ids: tuple[str, ...] | None
    """None where the member is absent, which is not the same as an empty list."""
    tcb_evaluation_data_number: int | None
    nonce: str | None
    epid_pseudonym: bytes | None
    platform_info: bytes | None
    """platformInfoBlob, 105 bytes."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a report body.

        Raises:
            ReportFormatError: not strict JSON, a member missing, or one of another form.
            QuoteFormatError: the quote body within is malformed.
        """
        members = _load(body)
        timestamp = _text(members, "timestamp")
        report = cls(
            id=_text(members, "id"),
            timestamp=timestamp,
            timestamp_us=parse_timestamp(timestamp),
            version=_optional_integer(members, "version"),
            status=_text(members, "isvEnclaveQuoteStatus"),
            quote=EpidQuoteBody.parse(_base64(members, "isvEnclaveQuoteBody")),
            advisory_ids=_advisory_ids(members),
            tcb_evaluation_data_number=_optional_integer(members, "tcbEvaluationDataNumber"),
            nonce=_nonce(members),
            epid_pseudonym=_pseudonym(members),
            platform_info=_platform_info(members),
        )
        _check_consistent(report, members)
        return report


def parse_timestamp(text: str) -> int:
    """Microseconds since the Unix epoch of ``YYYY-MM-DDTHH:MM:SS[.fraction]``, meant as UTC.

    Raises:
        ReportFormatError: another form (a zone included), no such date, or before 1970.
    """
    at_us = _to_us(text) if _TIMESTAMP.fullmatch(text) else None
    if at_us is None or at_us < 0:
        raise _malformed("timestamp", "YYYY-MM-DDTHH:MM:SS[.fraction]", text)
    return at_us


def _to_us(text: str) -> int | None:
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None


def _malformed(name: str, expected: str, seen: object) -> ReportFormatError:
    return ReportFormatError(
        f"report member {name} is malformed", expected=expected, seen=ascii(seen)[:200]
    )


def _load(body: bytes) -> dict[str, Any]:
    try:
        value = canonical_json.loads(body, max_bytes=MAX_BYTES, floats=True)
    except ValueError as error:
        raise ReportFormatError(f"the report is not strict JSON: {error}") from error
    if not isinstance(value, dict):
        raise ReportFormatError("the report is not a JSON object", seen=type(value).__name__)
    return value


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise _malformed(name, "string", value if name in members else "nothing")
    return value


def _optional_text(members: Mapping[str, Any], name: str) -> str | None:
    return _text(members, name) if name in members else None


def _optional_integer(members: Mapping[str, Any], name: str) -> int | None:
    if name not in members:
        return None
    value = members[name]
    if type(value) is not int:  # a bool is an int to isinstance, but not to JSON
        raise _malformed(name, "integer", value)
    return value


def _base64(members: Mapping[str, Any], name: str) -> bytes:
    text = _text(members, name)
    try:
        return base64_strict.decode(text)
    except ValueError as error:
        raise _malformed(name, "canonical base64", text) from error


def _advisory_ids(members: Mapping[str, Any]) -> tuple[str, ...] | None:
    _optional_text(members, "advisoryURL")
    if "advisoryIDs" not in members:
        return None
    value = members["advisoryIDs"]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _malformed("advisoryIDs", "list of strings", value)
    return tuple(value)


def _nonce(members: Mapping[str, Any]) -> str | None:
    nonce = _optional_text(members, "nonce")
    if nonce is not None and len(nonce) > _NONCE_CHARACTERS:
        raise _malformed("nonce", f"at most {_NONCE_CHARACTERS} characters", nonce)
    return nonce


def _pseudonym(members: Mapping[str, Any]) -> bytes | None:
    if "epidPseudonym" not in members:
        return None
    pseudonym = _base64(members, "epidPseudonym")
    if len(pseudonym) != _PSEUDONYM_BYTES:
        raise _malformed("epidPseudonym", f"{_PSEUDONYM_BYTES} bytes", len(pseudonym))
    return pseudonym


def _platform_info(members: Mapping[str, Any]) -> bytes | None:
    text = _optional_text(members, "platformInfoBlob")
    if text is None:
        return None
    if not _PLATFORM_INFO.fullmatch(text):
        raise _malformed("platformInfoBlob", "210 hex characters", text)
    blob = bytes.fromhex(text)
    if not blob.startswith(_PLATFORM_INFO_HEADER):
        raise _malformed("platformInfoBlob", f"header {_PLATFORM_INFO_HEADER.hex()}", text[:8])
    return blob


def _check_consistent(report: IasReport, members: Mapping[str, Any]) -> None:
    """Refuse members that contradict each other, which Intel's service does not produce."""
    if report.epid_pseudonym is not None and report.quote.sign_type == UNLINKABLE:
        raise _malformed("epidPseudonym", "absent for an unlinkable quote", "present")
    pse_manifest_status = _optional_text(members, "pseManifestStatus")
    if (
        report.platform_info is not None
        and report.status == STATUS_OK
        and pse_manifest_status in (None, STATUS_OK)
    ):
        raise _malformed("platformInfoBlob", "absent for status OK", "present")
