import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_crl

from enclave.evidence.collateral import TEE_TDX, Collateral
from enigmacli.attestation.collateral import Platform, fetch_collateral
from enigmacli.attestation.pcs_request import Edition
from enigmacli.errors import (
    EnigmaError,
    EvaluationNumberGoneError,
    MalformedError,
    PlatformUnknownError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)
from tests.corpus import corpus_dir
from tests.enigmacli.attestation.recorded_pcs import SGX_FMSPC, TDX_FMSPC, RecordedPcs

SGX = Platform("sgx", SGX_FMSPC, "processor")
TDX = Platform("tdx", TDX_FMSPC, "platform")
SGX_TCB = "/sgx/certification/v4/tcb"
SGX_IDENTITY = "/sgx/certification/v4/qe/identity"


def fetch(
    *servers: RecordedPcs,
    platform: Platform = SGX,
    edition: Edition | None = None,
    told: list[str] | None = None,
) -> Collateral:
    sources = [pcs.server(f"https://pcs{number}.example") for number, pcs in enumerate(servers)]
    notice = ([] if told is None else told).append
    return fetch_collateral(sources, platform, edition or Edition(), notice)


def der_of(pem: bytes) -> bytes:
    return load_pem_x509_crl(pem).public_bytes(Encoding.DER)


def recorded(file: str) -> bytes:
    return (corpus_dir() / "pcs" / file).read_bytes()


def test_the_set_for_sgx_is_what_intel_served() -> None:
    collateral = fetch(RecordedPcs())

    assert collateral.tcb_info == recorded("sgx_tcb_info_00906ED50000.json")
    assert collateral.qe_identity == recorded("sgx_qe_identity.json")
    assert collateral.pck_crl == der_of(recorded("pck_crl_processor.pem"))
    assert collateral.root_ca_crl == recorded("IntelSGXRootCA.der")
    assert collateral.tcb_info_issuer_chain.count(b"BEGIN CERTIFICATE") == 2
    assert Collateral.parse_intel(collateral.encode_intel()) == collateral


def test_the_set_for_tdx_has_documents_of_tdx_and_the_same_crls() -> None:
    collateral = fetch(RecordedPcs(), platform=TDX)

    assert collateral.tee_type == TEE_TDX
    assert json.loads(collateral.qe_identity)["enclaveIdentity"]["id"] == "TD_QE"
    assert collateral.root_ca_crl == recorded("IntelSGXRootCA.der")


def test_the_next_server_is_asked_for_the_whole_set() -> None:
    first, second, told = RecordedPcs(statuses={SGX_IDENTITY: 404}), RecordedPcs(), list[str]()

    collateral = fetch(first, second, told=told)

    assert collateral == fetch(RecordedPcs())
    assert {request.url.host for request in second.seen} == {"pcs1.example"}
    assert len(second.seen) == 5  # four documents, and the root CRL's second place
    assert len(told) == 1
    assert told[0].startswith("https://pcs0.example has no QE Identity for SGX")


def test_later_servers_are_left_alone_where_the_first_one_has_all() -> None:
    second = RecordedPcs()

    fetch(RecordedPcs(), second)

    assert second.seen == []


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        (RecordedPcs(statuses={SGX_TCB: 404}), RecordedPcs(down=True), ServiceUnavailableError),
        (RecordedPcs(down=True), RecordedPcs(statuses={SGX_TCB: 404}), ServiceUnavailableError),
        (
            RecordedPcs(statuses={SGX_TCB: 461}),
            RecordedPcs(statuses={SGX_TCB: 401}),
            PlatformUnknownError,
        ),
        (
            RecordedPcs(statuses={SGX_TCB: 401}),
            RecordedPcs(statuses={SGX_TCB: 461}),
            ServiceRefusedError,
        ),
        (
            RecordedPcs(changes={SGX_TCB: lambda _, headers: (b"", headers)}),
            RecordedPcs(statuses={SGX_TCB: 404}),
            MalformedError,
        ),
    ],
)
def test_where_none_has_it_the_error_is_what_may_pass_else_the_first_servers(
    first: RecordedPcs, second: RecordedPcs, error: type[EnigmaError]
) -> None:
    with pytest.raises(
        error, match="no server gave the collateral of FMSPC 00906ED50000: "
    ) as failure:
        fetch(first, second)

    assert type(failure.value) is error
    servers = failure.value.details["servers"]
    assert [one["server"] for one in servers] == ["https://pcs0.example", "https://pcs1.example"]


def another_number(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    return body.replace(b'"tcbEvaluationDataNumber":17', b'"tcbEvaluationDataNumber":18'), headers


def test_documents_of_two_sets_are_asked_for_again_by_the_lower_number() -> None:
    pcs = RecordedPcs()
    for entry in list(pcs.responses):
        if entry["path"] in (SGX_TCB, SGX_IDENTITY) and not entry["query"].get("update"):
            by_number = entry["query"] | {"tcbEvaluationDataNumber": "17"}
            pcs.responses.append(entry | {"query": by_number})

    def once(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        del pcs.changes[SGX_IDENTITY]
        return another_number(body, headers)

    pcs.changes[SGX_IDENTITY] = once

    assert fetch(pcs).qe_identity == recorded("sgx_qe_identity.json")
    assert [dict(request.url.params).get("tcbEvaluationDataNumber") for request in pcs.seen][
        :4
    ] == [None, None, "17", "17"]


def test_documents_that_stay_of_two_sets_are_refused() -> None:
    pcs = RecordedPcs(changes={SGX_IDENTITY: another_number})
    for entry in list(pcs.responses):
        if entry["path"] in (SGX_TCB, SGX_IDENTITY) and not entry["query"].get("update"):
            by_number = entry["query"] | {"tcbEvaluationDataNumber": "17"}
            pcs.responses.append(entry | {"query": by_number})

    with pytest.raises(UntrustedAnswerError, match="not of one set") as failure:
        fetch(pcs)

    assert (failure.value.details["expected"], failure.value.details["seen"]) == (17, 18)


def test_a_wanted_number_is_not_given_up_for_another() -> None:
    pcs = RecordedPcs()
    with pytest.raises(PlatformUnknownError):
        fetch(pcs, platform=TDX, edition=Edition(number=18))

    assert dict(pcs.seen[0].url.params)["tcbEvaluationDataNumber"] == "18"


def test_a_number_that_is_gone_comes_with_those_that_are_served() -> None:
    with pytest.raises(EvaluationNumberGoneError, match="; it has 19, 18, 17") as failure:
        fetch(RecordedPcs(statuses={SGX_TCB: 410}), edition=Edition(number=12))

    assert failure.value.details["served"] == [19, 18, 17]


def test_a_server_that_does_not_tell_its_numbers_refuses_all_the_same() -> None:
    numbers = "/sgx/certification/v4/tcbevaluationdatanumbers"

    with pytest.raises(EvaluationNumberGoneError) as failure:
        fetch(RecordedPcs(statuses={SGX_TCB: 410, numbers: 500}), edition=Edition(number=12))

    assert "served" not in failure.value.details
