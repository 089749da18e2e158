import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclave.evidence import containers
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.ra_tls import build_certificate, encode_comment
from enigmacli.attestation.recorded import fetch_recorded
from enigmacli.errors import HomeMissingError, MalformedError, StorageError
from tests import corpus

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
QUOTE = bytes(range(48)) * 9
REPORT = json.dumps({"isvEnclaveQuoteBody": base64.b64encode(QUOTE).decode()}).encode()
SIGNED = SignedReport(REPORT, b"signature", b"leaf")


def test_a_certificate_is_handed_on_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "attestation_cert.der"
    path.write_bytes(build_certificate(SIGNED, NOW))

    fetched = fetch_recorded(path, NOW)

    assert fetched.certificate == path.read_bytes()
    assert (fetched.report, fetched.quote) == (SIGNED, QUOTE)


def test_a_genuine_certificate_is_evidence(tmp_path: Path) -> None:
    case = corpus.load("ias/secretnetwork_hw_v2.json")
    path = tmp_path / "attestation_cert.der"
    path.write_bytes(base64.b64decode(case["container_b64"]))

    assert fetch_recorded(path, NOW).report.report == base64.b64decode(case["report_b64"])


def test_the_parts_of_a_report_are_put_into_a_certificate(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(encode_comment(SIGNED))

    fetched = fetch_recorded(path, NOW)

    assert containers.parse_on_chain(fetched.certificate) == SIGNED
    assert (fetched.report, fetched.quote) == (SIGNED, QUOTE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"0junk",
        b"{",
        b"{}",
        b'{"report":"YQ==","signature":"YQ=="}',
        b'{"report":"YQ==","signature":"YQ==","signing_cert":1}',
        b'{"report":"YQ==","signature":"YQ==","signing_cert":"*"}',
        b'{"report":"YQ==","signature":"YQ==","signing_cert":"YQ=="}',
        b"\x02\x01\x00\x00\x00q\x03\x01\x00\x00\x00c",
        b"0" * 70_000,
    ],
)
def test_anything_else_is_malformed(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(data)

    with pytest.raises(MalformedError):
        fetch_recorded(path, NOW)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomeMissingError, match=r"no file .*absent\.der"):
        fetch_recorded(tmp_path / "absent.der", NOW)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        fetch_recorded(tmp_path, NOW)
