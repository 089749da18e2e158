import json
from typing import get_args

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_crl

from enigmacli.attestation import pcs_request
from enigmacli.attestation.pcs import PcsServer, ProvisionedPlatform
from enigmacli.attestation.pcs_request import Edition, PckCa, PcsRequest
from enigmacli.cli.exit_codes import exit_code
from enigmacli.errors import (
    CertificatesUnavailableError,
    ConfigError,
    EvaluationNumberGoneError,
    MalformedError,
    PlatformUnknownError,
    RateLimitedError,
    ServiceIntegrityError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)
from tests.corpus import corpus_dir
from tests.enigmacli.attestation.recorded_pcs import SGX_FMSPC, TDX_FMSPC, URL, RecordedPcs
from tests.enigmacli.attestation.scripted import API_KEY, Service, Time, respond

TCB_PATH = "/sgx/certification/v4/tcb"
SGX_TCB = pcs_request.tcb_info("sgx", SGX_FMSPC, Edition())


@pytest.mark.parametrize(
    ("request_", "file"),
    [
        (SGX_TCB, "sgx_tcb_info_00906ED50000.json"),
        (pcs_request.tcb_info("sgx", SGX_FMSPC, Edition(early=True)), "sgx_tcb_info_early.json"),
        (pcs_request.tcb_info("tdx", TDX_FMSPC, Edition()), "tdx_tcb_info.json"),
        (pcs_request.tcb_info("tdx", TDX_FMSPC, Edition(number=17)), "tdx_tcb_info_eval17.json"),
        (pcs_request.qe_identity("sgx", Edition()), "sgx_qe_identity.json"),
        (pcs_request.qe_identity("tdx", Edition()), "tdx_qe_identity.json"),
        (pcs_request.evaluation_numbers("sgx"), "sgx_tcb_eval_nums.json"),
        (pcs_request.evaluation_numbers("tdx"), "tdx_tcb_eval_nums.json"),
        (pcs_request.root_ca_crl(), "IntelSGXRootCA.der"),
    ],
    ids=lambda value: value.target if isinstance(value, PcsRequest) else "",
)
def test_every_document_comes_back_byte_for_byte(request_: PcsRequest, file: str) -> None:
    answer = RecordedPcs().server().get(request_)

    assert answer.body == (corpus_dir() / "pcs" / file).read_bytes()
    assert len(answer.chain) == (2 if request_.chain_headers else 0)


@pytest.mark.parametrize("ca", get_args(PckCa))
def test_a_crl_comes_back_in_der_whatever_it_was_served_in(ca: PckCa) -> None:
    pem = (corpus_dir() / f"pcs/pck_crl_{ca}.pem").read_bytes()

    answer = RecordedPcs().server().get(pcs_request.pck_crl(ca))

    assert answer.body == load_pem_x509_crl(pem).public_bytes(Encoding.DER)
    assert len(answer.chain) == 2


def test_the_older_spelling_of_a_header_is_read_too() -> None:
    def rename(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        return body, {"SGX-TCB-Info-Issuer-Chain": headers["TCB-Info-Issuer-Chain"]}

    usual = RecordedPcs().server().get(SGX_TCB)

    assert RecordedPcs(changes={TCB_PATH: rename}).server().get(SGX_TCB) == usual


def test_a_document_without_its_issuer_chain_is_malformed() -> None:
    without = RecordedPcs(changes={TCB_PATH: lambda body, _: (body, {})})

    with pytest.raises(MalformedError, match="without its issuer chain"):
        without.server().get(SGX_TCB)


def test_a_plus_sign_in_a_header_survives() -> None:
    def unescape(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        return body, {name: value.replace("%2B", "+") for name, value in headers.items()}

    plain = RecordedPcs(changes={TCB_PATH: unescape}).server().get(SGX_TCB)

    assert plain == RecordedPcs().server().get(SGX_TCB)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, ServiceRefusedError, 3),
        (401, ServiceRefusedError, 3),
        (404, PlatformUnknownError, 3),
        (410, EvaluationNumberGoneError, 3),
        (460, ServiceIntegrityError, 3),
        (461, PlatformUnknownError, 3),
        (462, CertificatesUnavailableError, 3),
        (302, ServiceRefusedError, 3),
        (429, RateLimitedError, 4),
        (500, ServiceUnavailableError, 4),
        (502, ServiceUnavailableError, 4),
        (503, ServiceUnavailableError, 4),
    ],
)
def test_every_status_has_its_own_error(status: int, error: type[Exception], code: int) -> None:
    with pytest.raises(error) as failure:
        RecordedPcs(statuses={TCB_PATH: status}).server().get(SGX_TCB)

    assert type(failure.value) is error
    assert exit_code(failure.value) == code
    assert failure.value.details["status"] == status  # type: ignore[attr-defined]


def test_a_refusal_names_server_document_and_reason() -> None:
    with pytest.raises(PlatformUnknownError) as failure:
        RecordedPcs(statuses={TCB_PATH: 404}).server().get(SGX_TCB)

    assert str(failure.value) == (
        "https://pcs.example has no SGX TCB Info of FMSPC 00906ED50000: it does not know the "
        "platform, or keeps nothing for it (HTTP status 404): No cache data for this platform."
    )
    assert "--url" in failure.value.hint


def test_the_pause_that_a_busy_server_asks_for_is_kept_and_told() -> None:
    time = Time()
    busy = RecordedPcs(statuses={TCB_PATH: 429}, headers={"Retry-After": "7"})

    with pytest.raises(RateLimitedError) as failure:
        busy.server(time=time).get(SGX_TCB)

    assert time.pauses == [7.0]
    assert failure.value.details["retry_after_s"] == 7.0


def test_another_platforms_document_is_not_taken() -> None:
    wanted = pcs_request.tcb_info("sgx", TDX_FMSPC, Edition())
    mixed_up = Service(
        [lambda _: respond(200, document("sgx_tcb_info_00906ED50000.json"), chain_headers())]
    )

    with pytest.raises(UntrustedAnswerError, match="not the SGX TCB Info of FMSPC 00806F050000"):
        scripted(mixed_up).get(wanted)


def test_the_identity_of_another_quoting_enclave_is_not_taken() -> None:
    mixed_up = Service([lambda _: respond(200, document("tdx_qe_identity.json"), chain_headers())])

    with pytest.raises(UntrustedAnswerError, match="not the QE Identity for SGX"):
        scripted(mixed_up).get(pcs_request.qe_identity("sgx", Edition()))


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"tcbInfo":[]}', b"<html>", b"\xff"])
def test_an_answer_that_is_no_such_document_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError, match="TCB Info"):
        scripted(Service([lambda _: respond(200, body, chain_headers())])).get(SGX_TCB)


def test_the_api_key_goes_out_for_pck_certificates_alone() -> None:
    pcs = RecordedPcs()
    server = pcs.server(key=API_KEY)

    server.get(SGX_TCB)
    with pytest.raises(PlatformUnknownError):
        server.get(pcs_request.pck_certificate("aa", "00" * 16, "0d00", "0000"))

    assert [request.headers.get("ocp-apim-subscription-key") for request in pcs.seen] == [
        None,
        API_KEY,
    ]
    assert API_KEY not in repr(server)


def test_intels_root_crl_comes_from_intels_other_host() -> None:
    pcs = RecordedPcs()

    pcs.server("https://api.trustedservices.intel.com").get(pcs_request.root_ca_crl())

    assert [str(request.url) for request in pcs.seen] == [
        "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
    ]


def test_a_caching_service_is_asked_for_the_root_crl_by_its_own_path_first() -> None:
    pcs = RecordedPcs()

    pcs.server().get(pcs_request.root_ca_crl())

    assert [request.url.path for request in pcs.seen] == [
        "/sgx/certification/v4/rootcacrl",
        "/IntelSGXRootCA.der",
    ]


@pytest.mark.parametrize("tail", ["", "/", "/sgx/certification/v4", "/sgx/certification/v4/"])
def test_an_address_from_intels_own_configuration_files_works(tail: str) -> None:
    assert RecordedPcs().server(URL + tail).name == URL


def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="plain http"):
        PcsServer("http://pccs.example:8081")


def test_a_file_that_is_no_tls_authority_is_refused() -> None:
    with pytest.raises(ConfigError, match="no TLS authority"):
        PcsServer(URL, ca_file="/dev/null")


GOOD_REPLY = json.dumps(
    {"fmspc": "53494d000000", "pceid": "0000", "cpusvn": "07", "pcesvn": "0d00",
     "encrypted_ppid": "ab"}
).encode()  # fmt: skip


def test_provisioning_answers_how_to_ask_for_the_certificate() -> None:
    service = Service([lambda _: respond(200, GOOD_REPLY)])

    platform = scripted(service).provision(bytes(64))

    assert platform == ProvisionedPlatform("ab", "07", "0d00", "0000")
    assert service.seen[0].content == b'{"pck_key": "%s"}' % (b"00" * 64)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", GOOD_REPLY.replace(b'"ab"', b'"a&b"')])
def test_a_malformed_provisioning_answer_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError):
        scripted(Service([lambda _: respond(200, body)])).provision(bytes(64))


def document(file: str) -> bytes:
    return (corpus_dir() / "pcs" / file).read_bytes()


def chain_headers() -> dict[str, str]:
    (found,) = [
        entry["headers"]["TCB-Info-Issuer-Chain"]
        for entry in RecordedPcs().responses
        if entry["body_file"] == "sgx_tcb_info_00906ED50000.json"
    ]
    return {"TCB-Info-Issuer-Chain": found, "SGX-Enclave-Identity-Issuer-Chain": found}


def scripted(service: Service) -> PcsServer:
    return PcsServer(URL, transport=httpx.MockTransport(service))
