import base64
import json
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import ContainerFormatError, EvidenceFormatError, NoEvidenceError
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.foreign import MAX_BYTES, decode_pem_chain, parse_any
from enclave.evidence.ias_report import SignedReport
from tests.enclave import simulated_pki as pki

EVIDENCE = SignedReport(b'{"report":1}', b"signature", b"leaf")
QUOTE = QuoteWithCollateral(b"quote", b"collateral")


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def file(**changes: Any) -> bytes:
    members: dict[str, Any] = pki.comment(EVIDENCE) | changes
    return json.dumps({key: item for key, item in members.items() if item is not ...}).encode()


def octets(data: bytes) -> list[int]:
    return list(data)


def sizes(certificate: bytes = b"", quote: bytes = b"", collateral: bytes = b"") -> bytes:
    header = struct.pack("<III", len(certificate), len(quote), len(collateral))
    return header + certificate + quote + collateral


def tagged(*entries: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<BI", tag, len(value)) + value for tag, value in entries)


def _integers() -> bytes:
    members = {key: octets(base64.b64decode(text)) for key, text in pki.comment(EVIDENCE).items()}
    return pki.container(json.dumps(members).encode())


def _pipe() -> bytes:
    encoded = pki.comment(EVIDENCE)
    return b"|".join(
        (EVIDENCE.report, encoded["signature"].encode(), encoded["signing_cert"].encode())
    )


def _ia5(text: bytes) -> bytes:
    return b"\x16" + bytes((len(text),)) + text


FORMS: dict[str, Callable[[], bytes]] = {
    "json": file,
    "json of integers": lambda: file(report=octets(EVIDENCE.report)),
    "json with a name more": lambda: file(verify_at="2020-01-01T00:00:00Z"),
    "certificate": lambda: pki.on_chain(EVIDENCE),
    "certificate in pem": lambda: pem(pki.on_chain(EVIDENCE)),
    "pem with crlf": lambda: pem(pki.on_chain(EVIDENCE)).replace(b"\n", b"\r\n"),
    "pem with blank lines": lambda: pem(pki.on_chain(EVIDENCE)) + b"\n\n",
    "certificate with integers": _integers,
    "certificate with pipes": lambda: pki.container(_pipe()),
    "certificate with ia5 string": lambda: pki.container(_ia5(_pipe())),
    "three sizes": lambda: sizes(pki.on_chain(EVIDENCE)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_found_in_every_form(form: str) -> None:
    assert parse_any(FORMS[form]()).evidence == EVIDENCE


@pytest.mark.parametrize(
    "data",
    [
        sizes(quote=b"quote", collateral=b"collateral"),
        tagged((2, b"quote"), (3, b"collateral")),
        tagged((2, b"quote"), (3, b"collateral"), (4, b"token")),
    ],
)
def test_a_quote_with_collateral_is_found_in_every_form(data: bytes) -> None:
    assert parse_any(data).evidence == QUOTE


@pytest.mark.parametrize(
    "data", [sizes(quote=b"quote"), tagged((2, b"quote")), tagged((2, b"quote"), (4, b"token"))]
)
def test_a_quote_may_come_without_collateral(data: bytes) -> None:
    assert parse_any(data).evidence == QuoteWithCollateral(b"quote", b"")


@pytest.mark.parametrize("first", [0x30, 0x7B, 0x2D])
def test_three_sizes_may_begin_like_something_else(first: int) -> None:
    data = sizes(quote=b"", collateral=b"").replace(b"\0", bytes((first,)), 1)
    certificate = bytes(first)

    with pytest.raises(ContainerFormatError, match="certificate is not strict DER"):
        parse_any(data + certificate)


def test_what_is_nothing_else_is_a_quote() -> None:
    found = parse_any(b"\x03\x00anything")

    assert found.form == "quote"
    assert found.evidence == QuoteWithCollateral(b"\x03\x00anything", b"")


def _chain() -> bytes:
    return pem(pki.certificate()) + pem(pki.root())


CHAINS: dict[str, Callable[[], str]] = {
    "pem": lambda: _chain().decode(),
    "pem with crlf": lambda: _chain().replace(b"\n", b"\r\n").decode(),
    "percent-encoded": lambda: quote(_chain()),
    "percent-encoded, plus signs bare": lambda: quote(_chain(), safe="+/="),
    "base64 of pem": lambda: base64.b64encode(_chain()).decode(),
}


@pytest.mark.parametrize("form", CHAINS)
def test_the_chain_of_the_http_header_is_read(form: str) -> None:
    evidence = parse_any(file(signing_cert=CHAINS[form]())).evidence

    assert isinstance(evidence, SignedReport)
    assert evidence.signing_cert == pki.certificate()
    assert evidence.further_certs == (pki.root(),)


@pytest.mark.parametrize("absent", [..., None, "", []])
@pytest.mark.parametrize("name", ["signature", "signing_cert"])
def test_a_report_may_come_without_signature_or_certificate(name: str, absent: Any) -> None:
    evidence = parse_any(file(**{name: absent})).evidence

    assert getattr(evidence, name) == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"report": "not base64"},
        {"signature": "c2lnbmF0dXJl\n"},
        {"signature": "c2ln bmF0dXJl"},
        {"signature": "-_-_"},
        {"signature": "AB=="},
        {"signature": 7},
        {"signature": [256]},
        {"signature": [-1]},
        {"signature": [True]},
        {"signature": ["1"]},
        {"signing_cert": {"a": 1}},
        {"signing_cert": "-----BEGIN CERTIFICATE-----"},
        {"signing_cert": "-----BEGIN%20CERTIFICATE-----%0A"},
    ],
)
def test_a_malformed_member_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContainerFormatError):
        parse_any(file(**changes))


@pytest.mark.parametrize(
    "data", [b"{}", file(report=...), file(report=None), sizes(b"", b"", b"c")]
)
def test_a_container_without_report_or_quote_is_no_evidence(data: bytes) -> None:
    with pytest.raises(NoEvidenceError):
        parse_any(data)


MALFORMED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "open braces": lambda: b"{" * 100,
    "a key twice": lambda: b'{"report":"AAAA","report":"AAAA"}',
    "text behind json": lambda: file() + b"x",
    "dashes": lambda: b"-----",
    "pem cut": lambda: pem(pki.on_chain(EVIDENCE))[:-2],
    "two in pem": lambda: pem(pki.on_chain(EVIDENCE)) + pem(pki.on_chain(EVIDENCE)),
    "text behind pem": lambda: pem(pki.on_chain(EVIDENCE)) + b"junk",
    "pem of a key": lambda: pem(pki.on_chain(EVIDENCE)).replace(b"CERTIFICATE", b"PRIVATE KEY"),
    "newline behind der": lambda: pki.on_chain(EVIDENCE) + b"\n",
    "two parts": lambda: pki.container(b'{"report":1}|c2ln'),
    "four parts": lambda: pki.container(b'{"report":1}|c2ln|bGVhZg==|bGVhZg=='),
    "a part not ascii": lambda: pki.container(b'{"report":1}|c2ln|\xff'),
    "ia5 string cut": lambda: pki.container(b"\x16\x05{}"),
    "bytes behind ia5 string": lambda: pki.container(b"\x16\x02{}x"),
    "certificate and quote": lambda: sizes(pki.on_chain(EVIDENCE), b"quote", b"collateral"),
    "tags descending": lambda: tagged((3, b"collateral"), (2, b"quote")),
    "a tag twice": lambda: tagged((2, b"quote"), (2, b"quote")),
    "an unknown tag": lambda: tagged((1, b"x"), (2, b"quote")),
    "collateral alone": lambda: tagged((3, b"collateral")),
}


@pytest.mark.parametrize("form", MALFORMED)
def test_a_malformed_container_is_refused(form: str) -> None:
    with pytest.raises(ContainerFormatError):
        parse_any(MALFORMED[form]())


@pytest.mark.parametrize("first", [b"{", b"-----", b"\x30", b"\x03\x00", bytes(12), b"["])
def test_ten_megabytes_are_refused_unread(first: bytes) -> None:
    with pytest.raises(ContainerFormatError, match="length") as caught:
        parse_any(first + bytes(10_000_000))

    assert str(MAX_BYTES) in caught.value.expected


NONSENSE = {
    "open lists": b"{" + b"[" * (MAX_BYTES - 1),
    "a long string": b'{"report":"' + b"A" * (MAX_BYTES - 100) + b'"',
    "letters and spaces": b"-----BEGIN CERTIFICATE-----" + b"A " * (MAX_BYTES // 2 - 20),
    "newlines": b"-----BEGIN CERTIFICATE-----" + b"\n" * (MAX_BYTES - 30),
    "sequences": b"\x30\x83\x0f\xff\x00" + b"\x30" * (MAX_BYTES - 10),
    "empty tags": b"\x02\x00\x00\x00\x00" * (MAX_BYTES // 5),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_megabyte_of_nonsense_is_refused_or_left_as_it_is(what: str) -> None:
    try:
        found = parse_any(NONSENSE[what])
    except ContainerFormatError:
        return
    assert found.form == "quote"


def test_a_chain_is_not_read_on_for_ever() -> None:
    with pytest.raises(ContainerFormatError):
        decode_pem_chain(pem(pki.certificate()) * 9)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b"-----" + data))
def test_any_bytes_give_evidence_or_a_format_error(data: bytes) -> None:
    try:
        found = parse_any(data)
    except EvidenceFormatError:
        return
    assert found.form


@given(st.binary(max_size=300))
def test_any_comment_gives_evidence_or_a_format_error(text: bytes) -> None:
    try:
        found = parse_any(pki.container(text))
    except EvidenceFormatError:
        return
    assert isinstance(found.evidence, SignedReport)
