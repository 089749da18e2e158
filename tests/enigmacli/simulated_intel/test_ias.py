import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from enclave.evidence.ias_report import IasReport, SignedReport
from enigmacli.attestation.ias_answer import parse_signed_report
from enigmacli.simulated_intel.behaviour import Behaviour
from enigmacli.simulated_intel.exchange import Answer, Delivery, Request
from enigmacli.simulated_intel.ias import SimulatedIas
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import Platforms
from enigmacli.simulated_intel.report_body import QuoteStatus
from tests.enigmacli.simulated_intel.quoting import QuotingPlatform, linkable

AT_US = 1_790_000_000_123_456
PLATFORM = QuotingPlatform()
KEY_HEADER = "ocp-apim-subscription-key"


@pytest.fixture
def ias(pki: SimulatedPki, tmp_path: Path) -> SimulatedIas:
    platforms = Platforms(tmp_path / "platforms.json")
    platforms.add(PLATFORM.platform_key)
    return SimulatedIas(pki, platforms)


def post(path: str, body: Any, **headers: str) -> Request:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", path, headers=headers, body=data)


def evidence(quote: bytes | None = None, **members: Any) -> dict[str, Any]:
    given = PLATFORM.quote() if quote is None else quote
    return {"isvEnclaveQuote": base64.b64encode(given).decode()} | members


def ask(ias: SimulatedIas, quote: bytes | None = None, **members: Any) -> Answer:
    return ias.answer(post("/attestation/v4/report", evidence(quote, **members)), AT_US)


def signed_report(answer: Answer) -> SignedReport:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return parse_signed_report(headers, answer.body)


def is_signed(signed: SignedReport) -> bool:
    key = x509.load_der_x509_certificate(signed.signing_cert).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(signed.signature, signed.report, padding.PKCS1v15(), hashes.SHA256())
    except Exception:  # noqa: BLE001 -- any failure means the same here
        return False
    return True


def reason(answer: Answer) -> str:
    text = json.loads(answer.body)["reason"]
    assert isinstance(text, str)
    return text


def control(ias: SimulatedIas, **settings: Any) -> Answer:
    return ias.answer(post("/simulation/v1/faults", settings), AT_US)


def test_a_good_quote_gets_a_signed_report(ias: SimulatedIas) -> None:
    answer = ask(ias, nonce="0123")

    signed = signed_report(answer)
    assert answer.status == 200
    assert is_signed(signed)
    report = IasReport.parse(signed.report)
    assert (report.status, report.nonce, report.version) == ("OK", "0123", 4)
    assert report.timestamp_us == AT_US
    assert len(signed.further_certs) == 1


def test_the_answer_has_the_headers_of_the_real_service(ias: SimulatedIas) -> None:
    assert ask(ias).headers.keys() == {
        "Content-Type",
        "X-IASReport-Signature",
        "X-IASReport-Signing-Certificate",
        "Request-ID",
    }


def test_version_five_says_so(ias: SimulatedIas) -> None:
    request = post("/attestation/v5/report", evidence())

    for query in ({}, {"update": "early"}, {"update": "standard"}):
        answer = ias.answer(replace(request, query=query), AT_US)
        assert IasReport.parse(answer.body).version == 5


def test_no_two_reports_have_the_same_id(ias: SimulatedIas) -> None:
    assert len({IasReport.parse(ask(ias).body).id for _ in range(5)}) == 5


def test_a_linkable_quote_gets_a_pseudonym(ias: SimulatedIas) -> None:
    answer = ask(ias, PLATFORM.sign(linkable(PLATFORM.body())))

    assert IasReport.parse(answer.body).epid_pseudonym is not None


@pytest.mark.parametrize("status", QuoteStatus)
def test_every_status_can_be_had(ias: SimulatedIas, status: QuoteStatus) -> None:
    assert control(ias, quote_status=status.value).status == 200

    answer = ask(ias)

    assert is_signed(signed_report(answer))
    assert IasReport.parse(answer.body).status == status.value


def test_a_platform_that_was_not_provisioned_is_refused(ias: SimulatedIas) -> None:
    stranger = QuotingPlatform(SigningKey(b"\x08" * 32))

    answer = ask(ias, stranger.quote())

    assert answer.status == 400
    assert "not provisioned" in reason(answer)


def test_a_forged_quote_of_a_provisioned_platform_is_found_out(ias: SimulatedIas) -> None:
    quote = bytearray(PLATFORM.quote())
    quote[400] ^= 1

    answer = ask(ias, bytes(quote))

    assert IasReport.parse(answer.body).status == "SIGNATURE_INVALID"


def test_a_forged_quote_is_found_out_whatever_status_was_ordered(ias: SimulatedIas) -> None:
    control(ias, quote_status="GROUP_OUT_OF_DATE")

    answer = ask(ias, PLATFORM.sign(PLATFORM.body(), b"another list"))

    assert IasReport.parse(answer.body).status == "SIGNATURE_INVALID"


def test_a_quote_from_before_the_revocation_list_is_told(ias: SimulatedIas) -> None:
    control(ias, sig_rl=base64.b64encode(b"revoked").decode())

    assert IasReport.parse(ask(ias).body).status == "SIGRL_VERSION_MISMATCH"
    assert IasReport.parse(ask(ias, PLATFORM.quote(sig_rl=b"revoked")).body).status == "OK"


def test_a_platform_is_provisioned_once_and_for_all(ias: SimulatedIas, tmp_path: Path) -> None:
    stranger = QuotingPlatform(SigningKey(b"\x08" * 32))
    request = post("/simulation/v1/provision", {"platform_key": stranger.platform_key.hex()})

    answers = [ias.answer(request, AT_US) for _ in range(2)]

    for answer in answers:
        assert json.loads(answer.body) == {"gid": "00000e16", "simulation": True}
    assert ask(ias, stranger.quote()).status == 200
    assert stranger.platform_key in Platforms(tmp_path / "platforms.json")


@pytest.mark.parametrize("key", [None, 1, "", "00" * 31, "00" * 33, "AB" * 32, "zz" * 32])
def test_only_a_platform_key_can_be_provisioned(ias: SimulatedIas, key: Any) -> None:
    answer = ias.answer(post("/simulation/v1/provision", {"platform_key": key}), AT_US)

    assert answer.status == 400
    assert len(ias.platforms) == 1


@pytest.mark.parametrize("gid", ["00000e16", "00000E16"])
def test_a_group_without_revocations_has_an_empty_list(ias: SimulatedIas, gid: str) -> None:
    answer = ias.answer(Request("GET", f"/attestation/v4/sigrl/{gid}"), AT_US)

    assert (answer.status, answer.body) == (200, b"")


def test_a_revocation_list_comes_in_base64(ias: SimulatedIas) -> None:
    control(ias, sig_rl=base64.b64encode(b"revoked").decode())

    answer = ias.answer(Request("GET", "/attestation/v5/sigrl/00000e16"), AT_US)

    assert base64.b64decode(answer.body, validate=True) == b"revoked"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/attestation/v4/sigrl/00000e17", 404),
        ("GET", "/attestation/v4/sigrl/e16", 404),
        ("GET", "/attestation/v4/sigrl/00000e16/", 404),
        ("GET", "/attestation/v3/sigrl/00000e16", 404),
        ("GET", "/attestation/v6/sigrl/00000e16", 404),
        ("GET", "/attestation", 404),
        ("GET", "/simulation/v1", 404),
        ("POST", "/attestation/v4/sigrl/00000e16", 405),
        ("GET", "/attestation/v4/report", 405),
        ("GET", "/simulation/v1/provision", 405),
        ("PUT", "/simulation/v1/faults", 405),
    ],
)
def test_other_requests_are_refused(ias: SimulatedIas, method: str, path: str, status: int) -> None:
    assert ias.answer(Request(method, path), AT_US).status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"nonce":"0"}',
        b'{"isvEnclaveQuote":1}',
        b'{"isvEnclaveQuote":"*"}',
        b"[" * 1000,
        evidence(b""),
        evidence(bytes(431)),
        evidence(bytes(432)),
        evidence(bytes(542)),
        evidence(PLATFORM.quote() + b"\x00"),
        evidence(PLATFORM.quote()[:-1]),
        evidence(PLATFORM.quote() + bytes(17_000)),
        evidence(PLATFORM.sign(b"\x09" + PLATFORM.body()[1:])),
        evidence(PLATFORM.sign(PLATFORM.body()[:4] + b"\x00" + PLATFORM.body()[5:])),
        evidence(nonce="x" * 33),
        evidence(nonce=1),
        evidence(nonce=None),
        evidence(pseManifest=""),
        b'{"isvEnclaveQuote":"' + b"A" * 70_000 + b'"}',
    ],
)
def test_a_malformed_request_for_a_report_is_a_bad_request(ias: SimulatedIas, body: Any) -> None:
    assert ias.answer(post("/attestation/v4/report", body), AT_US).status == 400


@pytest.mark.parametrize(
    ("version", "query"),
    [(4, {"update": "early"}), (5, {"update": "late"}), (5, {"other": "early"})],
)
def test_an_unknown_query_is_a_bad_request(
    ias: SimulatedIas, version: int, query: dict[str, str]
) -> None:
    request = post(f"/attestation/v{version}/report", evidence())

    assert ias.answer(replace(request, query=query), AT_US).status == 400


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_get_an_answer(ias: SimulatedIas, body: bytes) -> None:
    for path in ("/attestation/v4/report", "/simulation/v1/provision", "/simulation/v1/faults"):
        assert ias.answer(post(path, body), AT_US).status in (200, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/attestation/v4/sigrl/00000e16",
        "/attestation/v4/report",
        "/simulation/v1/faults",
        "/simulation/v1/provision",
        "/unknown",
    ],
)
@pytest.mark.parametrize("key", ["", "wrong", "key", "key-1 ", "\udcff"])
def test_without_its_key_nothing_is_served(ias: SimulatedIas, path: str, key: str) -> None:
    ias.api_keys = ("key-1", "key-2")

    assert ias.answer(Request("GET", path, headers={KEY_HEADER: key}), AT_US).status == 401


@pytest.mark.parametrize("key", ["key-1", "key-2"])
def test_with_a_key_everything_is_served(ias: SimulatedIas, key: str) -> None:
    ias.api_keys = ("key-1", "key-2")

    request = post("/attestation/v4/report", evidence(), **{KEY_HEADER: key})
    assert ias.answer(request, AT_US).status == 200


def test_the_first_page_says_simulation_to_everybody(ias: SimulatedIas) -> None:
    ias.api_keys = ("key-1",)

    answer = ias.answer(Request("GET", "/"), AT_US)

    assert answer.status == 200
    assert b"SIMULATION ONLY" in answer.body
    assert ias.pki.trust_root_entry().encode() in answer.body


def test_the_root_is_public(ias: SimulatedIas) -> None:
    ias.api_keys = ("key-1",)

    answer = ias.answer(Request("GET", "/simulation/v1/root"), AT_US)

    root = x509.load_pem_x509_certificate(answer.body)
    assert root.public_bytes(Encoding.DER) == ias.pki.root_der


def test_settings_can_be_read_back(ias: SimulatedIas) -> None:
    control(ias, quote_status="KEY_REVOKED", next=["503,times=2"])

    shown = json.loads(ias.answer(Request("GET", "/simulation/v1/faults"), AT_US).body)

    assert (shown["quote_status"], shown["faults_left"]) == ("KEY_REVOKED", 2)


def test_a_refused_setting_changes_nothing(ias: SimulatedIas) -> None:
    answer = control(ias, latency_ms=5, quote_status="FINE")

    assert answer.status == 400
    assert "FINE" in reason(answer)
    assert ias.behaviour.latency_ms == 0


def test_latency_is_asked_for_with_every_attestation_answer(ias: SimulatedIas) -> None:
    control(ias, latency_ms=250)

    assert ask(ias).delay_ms == 250
    assert ask(ias, b"").delay_ms == 250
    assert ias.answer(Request("GET", "/"), AT_US).delay_ms == 0


def test_a_status_fault_names_the_pause_it_was_told(ias: SimulatedIas) -> None:
    control(ias, next=["503,retry-after=7", "429"])

    first, second, third = (ask(ias) for _ in range(3))

    assert (first.status, first.headers["Retry-After"]) == (503, "7")
    assert second.status == 429
    assert "Retry-After" not in second.headers
    assert third.status == 200


@pytest.mark.parametrize(
    ("fault", "is_spoiled"),
    [
        ("drop-connection", lambda answer: answer.delivery is Delivery.DROPPED),
        ("truncated-body", lambda answer: answer.delivery is Delivery.TRUNCATED),
        ("missing-signature", lambda answer: "X-IASReport-Signature" not in answer.headers),
        (
            "missing-certificate",
            lambda answer: "X-IASReport-Signing-Certificate" not in answer.headers,
        ),
        ("wrong-signature", lambda answer: not is_signed(signed_report(answer))),
    ],
)
def test_a_fault_spoils_one_answer(
    ias: SimulatedIas, fault: str, is_spoiled: Callable[[Answer], bool]
) -> None:
    control(ias, next=[fault])

    spoiled, good = ask(ias), ask(ias)

    assert is_spoiled(spoiled)
    assert fault in spoiled.note
    assert not is_spoiled(good)
    assert is_signed(signed_report(good))


def test_a_replayed_report_is_the_last_good_one_byte_by_byte(ias: SimulatedIas) -> None:
    good = ask(ias, nonce="first")
    control(ias, next=["replayed-report"])

    replayed = ask(ias, nonce="second")

    assert replayed.body == good.body
    assert signed_report(replayed) == signed_report(good)


def test_without_an_older_report_none_is_replayed(ias: SimulatedIas) -> None:
    control(ias, next=["replayed-report"])

    assert IasReport.parse(ask(ias, nonce="first").body).nonce == "first"


def test_a_fault_of_reports_leaves_revocation_lists_alone(ias: SimulatedIas) -> None:
    control(ias, next=["503,endpoint=report"])

    assert ias.answer(Request("GET", "/attestation/v4/sigrl/00000e16"), AT_US).status == 200
    assert ask(ias).status == 503


def test_the_service_begins_with_the_behaviour_it_was_given(
    pki: SimulatedPki, tmp_path: Path
) -> None:
    behaviour = Behaviour().changed({"quote_status": "KEY_REVOKED"})
    ias = SimulatedIas(pki, Platforms(tmp_path / "platforms.json"), behaviour)
    ias.platforms.add(PLATFORM.platform_key)

    assert IasReport.parse(ask(ias).body).status == "KEY_REVOKED"
