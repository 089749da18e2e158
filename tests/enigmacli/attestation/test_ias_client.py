import base64
import json

import httpx
import pytest

from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.ias import IasClient
from enigmacli.errors import (
    ConfigError,
    EnigmaError,
    MalformedError,
    ServiceRefusedError,
    UntrustedAnswerError,
)
from tests.enigmacli.attestation.scripted import (
    API_KEY,
    LEAF,
    NONCE,
    QUOTE,
    URL,
    Service,
    client,
    good_report,
    report_body,
    report_headers,
    respond,
)


def test_a_report_keeps_the_exact_bytes_and_the_leaf() -> None:
    service = Service([good_report()])

    signed = client(service).report(QUOTE, NONCE)

    assert signed == SignedReport(report_body(), b"signature", LEAF, (LEAF,))
    (request,) = service.seen
    assert request.method == "POST"
    assert str(request.url) == "https://ias.example/sgx/attestation/v4/report"
    assert request.headers["Ocp-Apim-Subscription-Key"] == API_KEY
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"
    assert json.loads(request.content) == {
        "isvEnclaveQuote": base64.b64encode(QUOTE).decode(),
        "nonce": NONCE,
    }


def test_a_report_without_nonce_asks_for_none() -> None:
    service = Service([respond(200, report_body(None), report_headers())])

    client(service).report(QUOTE)

    assert json.loads(service.seen[0].content).keys() == {"isvEnclaveQuote"}


def test_without_an_api_key_no_header_is_sent() -> None:
    service = Service([good_report()])

    client(service, api_key=None).report(QUOTE, NONCE)

    assert "Ocp-Apim-Subscription-Key" not in service.seen[0].headers


def test_version_five_has_paths_of_its_own() -> None:
    service = Service([good_report()])

    client(service, api_version=5).report(QUOTE, NONCE)

    assert service.seen[0].url.path == "/sgx/attestation/v5/report"


def test_a_revocation_list_is_decoded_and_its_group_printed_big_endian() -> None:
    service = Service([respond(200, base64.b64encode(b"list") + b"\r\n")])

    assert client(service).sigrl(0xE16) == b"list"
    assert str(service.seen[0].url) == "https://ias.example/sgx/attestation/v4/sigrl/00000e16"


def test_an_empty_body_means_no_revocation_list() -> None:
    assert client(Service([respond(200)])).sigrl(0xE16) == b""


@pytest.mark.parametrize("body", [b"*", b"bGlzdA", b"\xff\xfe"])
def test_a_revocation_list_that_is_not_base64_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        client(Service([respond(200, body)])).sigrl(0xE16)


def test_provisioning_names_the_platform_key_and_answers_with_its_group() -> None:
    service = Service([respond(200, b'{"gid":"00000e16","simulation":true}')])

    assert client(service).provision(b"\x01" * 32) == 0xE16
    assert service.seen[0].url.path == "/sgx/simulation/v1/provision"
    assert json.loads(service.seen[0].content) == {"platform_key": "01" * 32}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"gid":3606}', b'{"gid":"E16"}', b"[]", b"<html>"])
def test_provisioning_that_names_no_group_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        client(Service([respond(200, body)])).provision(b"\x01" * 32)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, "it found the quote malformed"),
        (401, "API key is missing or not valid"),
        (403, "API key may not use this service"),
        (404, "no report service at this URL"),
        (418, "it gave no known cause"),
    ],
)
def test_a_refused_report_names_its_cause_and_is_not_repeated(status: int, cause: str) -> None:
    service = Service([respond(status, headers={"Request-ID": "77"})])

    with pytest.raises(ServiceRefusedError, match=cause) as caught:
        client(service).report(QUOTE, NONCE)

    assert len(service.seen) == 1
    assert caught.value.details == {"status": status, "request_id": "77"}


def test_an_unknown_group_is_named_as_the_cause() -> None:
    with pytest.raises(ServiceRefusedError, match="does not know this EPID group"):
        client(Service([respond(404)])).sigrl(0xE16)


def test_a_service_that_is_not_simulated_does_not_provision() -> None:
    with pytest.raises(ServiceRefusedError, match="not a simulated service"):
        client(Service([respond(404)])).provision(b"\x01" * 32)


def test_the_reason_in_a_refusal_is_shown() -> None:
    service = Service([respond(400, b'{"reason":"this platform was not provisioned"}')])

    with pytest.raises(ServiceRefusedError, match="this platform was not provisioned"):
        client(service).report(QUOTE, NONCE)


@pytest.mark.parametrize("body", [b'{"reason":"\\u001b[31m"}', b'{"reason":1}', b"\x1b[31m", b"["])
def test_a_reason_unfit_for_a_terminal_is_not_shown(body: bytes) -> None:
    with pytest.raises(ServiceRefusedError) as caught:
        client(Service([respond(400, body)])).report(QUOTE, NONCE)

    assert str(caught.value).isprintable()
    assert "[31m" not in str(caught.value)


@pytest.mark.parametrize("missing", ["X-IASReport-Signature", "X-IASReport-Signing-Certificate"])
def test_a_report_without_its_header_is_malformed(missing: str) -> None:
    headers = report_headers()
    del headers[missing]

    with pytest.raises(MalformedError, match=missing):
        client(Service([respond(200, report_body(), headers)])).report(QUOTE, NONCE)


@pytest.mark.parametrize("nonce", [None, "", NONCE[:-1] + "e"])
def test_a_report_with_another_nonce_is_refused(nonce: str | None) -> None:
    service = Service([respond(200, report_body(nonce), report_headers())])

    with pytest.raises(UntrustedAnswerError, match="nonce"):
        client(service).report(QUOTE, NONCE)


def test_a_report_about_another_quote_is_refused() -> None:
    body = report_body(quote=b"\x01" + QUOTE[1:])

    with pytest.raises(UntrustedAnswerError, match="another quote"):
        client(Service([respond(200, body, report_headers())])).report(QUOTE, NONCE)


@pytest.mark.parametrize("nonce", ["", "x" * 33])
def test_a_nonce_that_the_service_would_refuse_is_not_sent(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        client(Service([good_report()])).report(QUOTE, nonce)


@pytest.mark.parametrize("gid", [-1, 2**32])
def test_a_group_id_has_32_bits(gid: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        client(Service([respond(200)])).sigrl(gid)


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "é", "x" * 129])
def test_a_malformed_api_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigError, match="API key") as caught:
        IasClient(URL, key)

    assert not key.strip() or key not in str(caught.value)


def test_an_unknown_api_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="4 or 5"):
        IasClient(URL, api_version=3)


def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="plain http"):
        IasClient("http://ias.example", API_KEY)


@pytest.mark.parametrize(
    "step",
    [
        respond(401),
        respond(302, headers={"Location": "https://elsewhere.example"}),
        httpx.ConnectError("refused"),
        respond(200, b"?"),
    ],
)
def test_the_api_key_is_in_no_error(step: httpx.Response | Exception) -> None:
    with pytest.raises(EnigmaError) as caught:
        client(Service([step])).sigrl(0xE16)

    error = caught.value
    assert API_KEY not in f"{error!r} {error} {error.hint} {error.details} {error.__cause__!r}"


def test_the_api_key_is_not_shown_by_the_client() -> None:
    shown = client(Service([good_report()]))

    assert repr(shown) == "IasClient('https://ias.example/sgx')"
    assert API_KEY not in repr(vars(shown))
