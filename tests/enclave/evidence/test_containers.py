import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import (
    ContainerFormatError,
    ContainerNotAllowedError,
    EvidenceFormatError,
    NoEvidenceError,
)
from enclave.evidence.containers import MAX_BYTES, QuoteWithCollateral, parse_on_chain
from enclave.evidence.ias_report import SignedReport
from tests import corpus
from tests.enclave import simulated_pki as pki

EVIDENCE = SignedReport(b"report", b"signature", b"leaf")


def json_container(**changes: Any) -> bytes:
    members: dict[str, Any] = pki.comment(EVIDENCE) | changes
    kept = {key: value for key, value in members.items() if value is not ...}
    return pki.container(json.dumps(kept).encode())


def tagged(*entries: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<BI", tag, len(value)) + value for tag, value in entries)


def test_a_certificate_around_a_report_is_opened() -> None:
    assert parse_on_chain(pki.on_chain(EVIDENCE)) == EVIDENCE


def test_a_quote_with_collateral_is_opened() -> None:
    assert parse_on_chain(tagged((2, b"quote"), (3, b"collateral"))) == QuoteWithCollateral(
        b"quote", b"collateral"
    )


def test_the_first_byte_decides_which_container_it_is() -> None:
    with pytest.raises(ContainerFormatError, match="strict DER"):
        parse_on_chain(b"\x30" + tagged((2, b"quote"), (3, b"collateral")))


@pytest.mark.parametrize("first", [b"\x02", b"\x30"])
@pytest.mark.parametrize("size", [0, MAX_BYTES + 1, 10_000_000])
def test_a_container_has_1_byte_to_64_kib(first: bytes, size: int) -> None:
    with pytest.raises(ContainerFormatError, match="length"):
        parse_on_chain(first * size)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"report": ...}, "members"),
        ({"signature": ...}, "members"),
        ({"signing_cert": ...}, "members"),
        ({"extra": ""}, "members"),
        ({"report": ""}, "report is malformed"),
        ({"signature": None}, "signature is malformed"),
        ({"signing_cert": 7}, "signing_cert is malformed"),
        ({"signature": "c2ln\n"}, "not canonical base64"),
        ({"signature": "c2l="}, "not canonical base64"),
        ({"signature": "-_-_"}, "not canonical base64"),
        ({"signature": "c2ln bmF0"}, "not canonical base64"),
    ],
)
def test_the_json_has_exactly_three_members_in_base64(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ContainerFormatError, match=problem):
        parse_on_chain(json_container(**changes))


@pytest.mark.parametrize(
    "text",
    [
        b'{"report":"AAAA","report":"AAAA","signature":"AAAA","signing_cert":"AAAA"}',
        b'{"report":"AAAA"',
        b'{"report":"\xff"}',
        b"{} ",
    ],
)
def test_the_json_is_strict(text: bytes) -> None:
    with pytest.raises(ContainerFormatError):
        parse_on_chain(pki.container(text))


def test_forms_of_other_tools_are_named_and_refused() -> None:
    with pytest.raises(ContainerNotAllowedError, match="integers"):
        parse_on_chain(json_container(report=[1, 2, 3]))
    with pytest.raises(ContainerNotAllowedError, match="report"):
        parse_on_chain(pki.container(b'{"id":"1"}|c2ln|bGVhZg=='))
    genuine = corpus.corpus_dir() / "secretnetwork"
    for name in ("attestation_cert_hw_old", "tls_ra_cert_v3.der"):
        with pytest.raises(ContainerNotAllowedError):
            parse_on_chain((genuine / name).read_bytes())


def test_a_certificate_without_report_is_no_evidence() -> None:
    with pytest.raises(NoEvidenceError, match="software mode"):
        parse_on_chain(pki.container(b"c29mdHdhcmU="))
    with pytest.raises(NoEvidenceError, match="no Netscape comment"):
        parse_on_chain(pki.container(b"{}", object_id="1.2.3.4"))
    software = corpus.corpus_dir() / "secretnetwork" / "attestation_cert_sw"
    with pytest.raises(NoEvidenceError):
        parse_on_chain(software.read_bytes())


def test_the_object_identifier_planted_in_a_name_is_not_found() -> None:
    planted = bytes.fromhex("06096086480186f842010d04027b7d")

    with pytest.raises(NoEvidenceError, match="no Netscape comment"):
        parse_on_chain(pki.container(planted, object_id="1.2.3.4"))


def test_a_certificate_mangled_as_text_is_malformed() -> None:
    mangled = corpus.corpus_dir() / "secretnetwork" / "attestation_cert_invalid"

    with pytest.raises(ContainerFormatError, match="strict DER"):
        parse_on_chain(mangled.read_bytes())


def test_bytes_behind_the_certificate_are_refused() -> None:
    with pytest.raises(ContainerFormatError, match="too many"):
        parse_on_chain(pki.on_chain(EVIDENCE) + b"\n")


@pytest.mark.parametrize(
    "data",
    [
        tagged((2, b"quote")),
        tagged((3, b"collateral")),
        tagged((3, b"collateral"), (2, b"quote")),
        tagged((2, b"quote"), (2, b"quote"), (3, b"collateral")),
        tagged((2, b"quote"), (3, b"collateral"), (3, b"collateral")),
        tagged((1, b"x"), (2, b"quote"), (3, b"collateral")),
        tagged((2, b"quote"), (3, b"collateral"), (4, b"token")),
        tagged((2, b""), (3, b"collateral")),
        tagged((2, b"quote"), (3, b"")),
        tagged((2, b"quote"), (3, b"collateral")) + b"\0",
        tagged((2, b"quote"), (3, b"collateral"))[:-1],
        tagged(*[(2, b"")] * 1000),
        b"\x02\xff\xff\xff\xff",
        bytes(12) + b"x",
    ],
)
def test_other_tags_sizes_or_orders_are_refused(data: bytes) -> None:
    with pytest.raises(ContainerFormatError):
        parse_on_chain(data)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"\x30" + data))
def test_any_bytes_give_evidence_or_a_format_error(data: bytes) -> None:
    try:
        evidence = parse_on_chain(data)
    except EvidenceFormatError:
        return
    assert isinstance(evidence, QuoteWithCollateral)


@given(st.binary(max_size=300))
def test_any_comment_gives_a_report_or_a_format_error(text: bytes) -> None:
    with pytest.raises(EvidenceFormatError):
        parse_on_chain(pki.container(text))
