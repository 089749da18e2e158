"""Evidence that was fetched before: from a file, with no service and no network."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from enclave import canonical_json
from enclave.errors import EvidenceFormatError
from enclave.evidence import containers
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.fetch import FetchedEvidence
from enigmacli.attestation.ias_answer import decode_base64, quote_body
from enigmacli.attestation.ra_tls import build_certificate
from enigmacli.errors import HomeMissingError, MalformedError, StorageError

_MEMBERS: Final = ("report", "signature", "signing_cert")
_JSON_BYTE: Final = b"{"


def fetch_recorded(path: Path, now: datetime) -> FetchedEvidence:
    """Read an EPID certificate, or a JSON object with a report's three parts in base64.

    Args:
        path: the file, at most 64 KiB.
        now: aware; for the certificate that a JSON object is put into.

    Raises:
        HomeMissingError: there is no such file.
        StorageError: it cannot be read.
        MalformedError: it holds something else.
    """
    data = _read(path)
    if data.startswith(_JSON_BYTE):
        signed = _from_json(data)
        return FetchedEvidence(build_certificate(signed, now), signed, quote_body(signed.report))
    try:
        evidence = containers.parse_on_chain(data)
    except EvidenceFormatError as error:
        raise MalformedError(f"{path} holds no evidence: {error}") from error
    if not isinstance(evidence, SignedReport):
        raise MalformedError(f"{path} holds evidence of another kind than EPID")
    return FetchedEvidence(data, evidence, quote_body(evidence.report))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(containers.MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise HomeMissingError(f"there is no file {path}") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    if len(data) > containers.MAX_BYTES:
        raise MalformedError(f"{path} is longer than {containers.MAX_BYTES} bytes")
    return data


def _from_json(data: bytes) -> SignedReport:
    try:
        members: Any = canonical_json.loads(data)
    except ValueError as error:
        raise MalformedError(f"the recorded evidence is not JSON: {error}") from error
    if sorted(members) != sorted(_MEMBERS) or not all(isinstance(members[m], str) for m in members):
        raise MalformedError(f"the recorded evidence has other members than {', '.join(_MEMBERS)}")
    report, signature, leaf = (decode_base64(members[name], name) for name in _MEMBERS)
    return SignedReport(report, signature, leaf)
