import base64
import json
from typing import Any
from urllib.parse import quote as percent_encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.attestation.ias_answer import (
    check_answers,
    decode_base64,
    parse_chain,
    parse_signed_report,
    quote_body,
)
from enigmacli.errors import MalformedError, UntrustedAnswerError
from tests import corpus

QUOTE = bytes(432) + b"signature"


def pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def report(**members: Any) -> bytes:
    usual = {"isvEnclaveQuoteBody": base64.b64encode(QUOTE[:432]).decode()}
    return json.dumps(usual | members).encode()


def test_a_genuine_answer_gives_the_genuine_leaf() -> None:
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    headers = {name.lower(): value for name, value in case["http_headers"].items()}

    signed = parse_signed_report(headers, base64.b64decode(case["report_b64"]))

    assert signed.report == base64.b64decode(case["report_b64"])
    assert signed.signature == base64.b64decode(case["signature_b64"])
    assert signed.signing_cert == base64.b64decode(case["signing_cert_b64"])
    assert len(signed.further_certs) == 1


def test_a_plus_sign_in_the_chain_survives() -> None:
    der = b"\xfb\xef\xbe" * 40  # all plus signs in base64
    assert "+" in pem(der)

    assert parse_chain(percent_encode(pem(der), safe="/+")) == (der,)
    assert parse_chain(percent_encode(pem(der))) == (der,)


def test_the_leaf_comes_first() -> None:
    assert parse_chain(percent_encode(pem(b"leaf") + pem(b"root"))) == (b"leaf", b"root")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no certificate",
        pem(b"leaf") + "junk",
        "junk" + pem(b"leaf"),
        pem(b"leaf") + "junk" + pem(b"root"),
        pem(b"leaf") * 5,
        pem(b"leaf").replace("-----END CERTIFICATE-----", ""),
        pem(b"leaf").replace("bGVhZg==", "bGVhZh=="),
        pem(b"leaf").replace("bGVhZg==", "bGVhZg"),
        pem(b""),
    ],
)
def test_anything_but_a_short_chain_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_chain(percent_encode(text))


@given(st.text(max_size=300))
def test_any_header_gives_certificates_or_a_malformed_error(text: str) -> None:
    try:
        found = parse_chain(text)
    except MalformedError:
        return
    assert all(found)


@pytest.mark.parametrize("missing", ["x-iasreport-signature", "x-iasreport-signing-certificate"])
def test_a_missing_header_is_malformed(missing: str) -> None:
    headers = {
        "x-iasreport-signature": base64.b64encode(b"signature").decode(),
        "x-iasreport-signing-certificate": percent_encode(pem(b"leaf")),
    }
    assert parse_signed_report(headers, b"{}").signature == b"signature"
    del headers[missing]

    with pytest.raises(MalformedError, match="sent no X-IASReport"):
        parse_signed_report(headers, b"{}")


@pytest.mark.parametrize(
    "text", ["", "a", "YQ", "YQ= =", " YQ==", "YQ==\n", "YR==", "_-==", "YQ==YQ=="]
)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        decode_base64(text, "it")


def test_a_report_with_the_nonce_and_quote_of_the_request_is_its_answer() -> None:
    check_answers(report(nonce="0123"), quote=QUOTE, nonce="0123")
    check_answers(report(), quote=QUOTE, nonce=None)

    assert quote_body(report()) == bytes(432)


@pytest.mark.parametrize(
    ("body", "nonce"),
    [
        (report(nonce="4567"), "0123"),
        (report(), "0123"),
        (report(nonce="0123"), None),
        (report(nonce=123), "123"),
        (report(isvEnclaveQuoteBody=base64.b64encode(b"\x01" * 432).decode()), None),
        (report(isvEnclaveQuoteBody=base64.b64encode(bytes(431)).decode()), None),
    ],
)
def test_a_report_that_answers_another_request_is_refused(body: bytes, nonce: str | None) -> None:
    with pytest.raises(UntrustedAnswerError):
        check_answers(body, quote=QUOTE, nonce=nonce)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'"nonce"',
        b'{"nonce":"0","nonce":"0"}',
        b"\xff",
        b"[" * 100_000,
        report(isvEnclaveQuoteBody=1),
        report(isvEnclaveQuoteBody="?"),
    ],
)
def test_a_body_that_is_no_report_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        check_answers(body, quote=QUOTE, nonce=None)
