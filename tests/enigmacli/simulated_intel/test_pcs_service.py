"""The simulated PCS as a service: control, keys, faults, and whatever else arrives."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES, DcapPki
from enigmacli.simulated_intel.exchange import Answer, Delivery, Request
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.platforms import Platforms
from tests.enigmacli.simulated_intel.pcs_kit import (
    AT_US,
    FMSPC,
    PCK,
    SGX,
    TDX,
    chain,
    get,
    order,
    pck_query,
    post,
)

TCB = (SGX + "tcb", {"fmspc": FMSPC})
_HEX = PCK.hex()
KEY_HEADER = "ocp-apim-subscription-key"


def provision(pcs: SimulatedPcs, text: Any = _HEX, **headers: str) -> Answer:
    return post(pcs, "/simulation/v1/provision", {"pck_key": text}, **headers)


def test_provisioning_says_how_to_ask_for_the_certificate(pcs: SimulatedPcs) -> None:
    told = json.loads(provision(pcs).body)

    names = ("encrypted_ppid", "cpusvn", "pcesvn", "pceid")
    assert {name: told[name] for name in names} == pck_query()
    assert (told["fmspc"], told["simulation"]) == (FMSPC, True)


@pytest.mark.parametrize(
    "text", [None, 7, "", PCK.hex()[2:], PCK.hex().upper(), "00" * PCK_KEY_BYTES]
)
def test_nothing_but_a_point_of_the_curve_is_provisioned(pcs: SimulatedPcs, text: Any) -> None:
    assert provision(pcs, text).status == 400
    assert len(pcs.platforms) == 0


def test_what_was_provisioned_is_known_after_a_restart(dcap_pki: DcapPki, tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    provision(SimulatedPcs(dcap_pki, Platforms(file, PCK_KEY_BYTES)))

    again = SimulatedPcs(dcap_pki, Platforms(file, PCK_KEY_BYTES))

    assert get(again, SGX + "pckcert", pck_query()).status == 200


def test_a_pccs_registers_the_platforms_that_were_provisioned(pcs: SimulatedPcs) -> None:
    registration = {"enc_ppid": pck_query()["encrypted_ppid"]}
    assert post(pcs, SGX + "platforms", registration).status == 461
    provision(pcs)

    assert post(pcs, SGX + "platforms", registration).status == 200
    (listed,) = json.loads(get(pcs, SGX + "platforms").body)
    assert listed["enc_ppid"] == registration["enc_ppid"].upper()


def test_a_key_is_asked_for_where_intel_asks(dcap_pki: DcapPki, tmp_path: Path) -> None:
    platforms = Platforms(tmp_path / "known.json", PCK_KEY_BYTES)
    pcs = SimulatedPcs(dcap_pki, platforms, api_keys=("the key",))

    assert provision(pcs).status == 401
    assert provision(pcs, **{KEY_HEADER: "the key"}).status == 200
    assert get(pcs, SGX + "pckcert", pck_query()).status == 401
    assert get(pcs, "/simulation/v1/faults").status == 401
    assert get(pcs, *TCB).status == 200


def test_the_root_is_shown_as_a_policy_names_it(pcs: SimulatedPcs, dcap_pki: DcapPki) -> None:
    page = get(pcs, "/").body.decode()

    assert "SIMULATION ONLY" in page
    assert f"simulation:{base64.b64encode(dcap_pki.root_der).decode()}" in page
    assert get(pcs, "/simulation/v1/root").body == dcap_pki.root_pem


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tcb_status": "Fine"}, "no TCB status"),
        ({"qe_status": "SWHardeningNeeded"}, "no status"),
        ({"advisory_ids": ["SA-1"]}, "not an advisory id"),
        ({"tcb_evaluation_data_number": 0}, "begins with 1"),
        ({"documents": "old"}, "no edition"),
        ({"documents": {"pckcert": "expired"}}, "no dated document"),
        ({"revoked": ["root"]}, "nothing to revoke"),
        ({"revoked": "tcb-signing"}, "short list"),
        ({"pck_ca": "root"}, "no authority"),
        ({"caching": 1}, "true or false"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"next": ["wrong-signature,endpoint=pckcrl"]}, "cannot have the fault"),
        ({"next": ["replayed-report"]}, "not a fault"),
        ({"next": ["503,endpoint=sigrl"]}, "no endpoint"),
        ({"quote_status": "OK"}, "no setting"),
    ],
)
def test_a_setting_out_of_bounds_changes_nothing(
    pcs: SimulatedPcs, settings: dict[str, Any], reason: str
) -> None:
    before = get(pcs, "/simulation/v1/faults").body

    answer = post(pcs, "/simulation/v1/faults", {"latency_ms": 9} | settings)

    assert (answer.status, reason in answer.body.decode()) == (400, True)
    assert get(pcs, "/simulation/v1/faults").body == before


def test_settings_are_shown_as_they_were_given(pcs: SimulatedPcs) -> None:
    given = {
        "tcb_status": "OutOfDate", "advisory_ids": ["INTEL-SA-00334"], "qe_status": "Revoked",
        "qe_advisory_ids": [], "module_status": "OutOfDate", "tcb_evaluation_data_number": 18,
        "revoked": ["tcb-signing", PCK.hex()], "pck_ca": "processor", "caching": True,
        "latency_ms": 5,
    }  # fmt: skip

    shown = order(pcs, **given)

    assert {name: shown[name] for name in given} == given
    assert get(pcs, *TCB).delay_ms == 5


def test_a_fault_is_met_once_and_at_its_endpoint(pcs: SimulatedPcs) -> None:
    order(pcs, next=["461,endpoint=tcb", "503,retry-after=2,times=2"])

    identity = get(pcs, SGX + "qe/identity")
    statuses = [get(pcs, *TCB).status for _ in range(3)]

    assert (identity.status, identity.headers["Retry-After"]) == (503, "2")
    assert statuses == [461, 503, 200]


def test_a_connection_can_end_without_an_answer_or_within_it(pcs: SimulatedPcs) -> None:
    order(pcs, next=["drop-connection", "truncated-body"])

    deliveries = [get(pcs, *TCB).delivery for _ in range(3)]

    assert deliveries == [Delivery.DROPPED, Delivery.TRUNCATED, Delivery.WHOLE]


def test_a_signature_can_be_another(pcs: SimulatedPcs) -> None:
    good = get(pcs, *TCB).body
    order(pcs, next=["wrong-signature"])

    bad = get(pcs, *TCB).body

    assert json.loads(bad)["tcbInfo"] == json.loads(good)["tcbInfo"]
    assert json.loads(bad)["signature"][:-1] == json.loads(good)["signature"][:-1]
    assert bad != good


def test_a_chain_can_be_missing_wrong_or_named_as_before(pcs: SimulatedPcs) -> None:
    header = "TCB-Info-Issuer-Chain"
    good = get(pcs, *TCB)
    order(pcs, next=["missing-chain", "wrong-chain", "old-header"])

    missing, wrong, old = (get(pcs, *TCB) for _ in range(3))

    assert header not in missing.headers
    assert chain(wrong, header) == [chain(good, header)[1]] * 2
    assert old.headers[f"SGX-{header}"] == good.headers[header]
    assert header not in old.headers


def test_a_refusal_is_not_spoiled_further(pcs: SimulatedPcs) -> None:
    order(pcs, next=["wrong-signature"])

    assert get(pcs, SGX + "tcb", {"fmspc": "00" * 6}).status == 404


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("GET", "/sgx/certification/v3/tcb"), 404),
        (Request("GET", TDX + "pckcrl"), 404),
        (Request("GET", TDX + "qve/identity"), 404),
        (Request("POST", SGX + "tcb"), 405),
        (Request("DELETE", SGX + "pckcert"), 405),
        (Request("GET", "/simulation/v1/provision"), 405),
        (Request("POST", SGX + "pckcert", body=b"[]"), 400),
        (Request("POST", "/simulation/v1/faults", body=b'{"latency_ms": 1, "latency_ms": 2}'), 400),
        (Request("POST", "/simulation/v1/root"), 405),
    ],
)
def test_what_is_not_served_says_why(pcs: SimulatedPcs, request_: Request, status: int) -> None:
    answer = pcs.answer(request_, AT_US)

    assert answer.status == status
    assert answer.body.startswith(b"SIMULATION ONLY: ")
    assert len(answer.headers["Request-ID"]) == 32


_PATHS = st.sampled_from(
    [
        *(SGX + name for name in ("pckcert", "pckcerts", "pckcrl", "crl", "tcb", "platforms")),
        SGX + "qe/identity",
        "/simulation/v1/provision",
        "/simulation/v1/faults",
    ]
)
_NAMES = st.sampled_from(
    ["fmspc", "update", "tcbEvaluationDataNumber", "ca", "encoding", "uri", "pceid", "cpusvn"]
)


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=_PATHS,
    query=st.dictionaries(_NAMES, st.text(max_size=40) | st.just("http://[")),
    body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_request_gets_an_answer(
    pcs: SimulatedPcs, method: str, path: str, query: dict[str, str], body: bytes
) -> None:
    answer = pcs.answer(Request(method, path, query, body=body), AT_US)

    assert answer.status in (200, 400, 404, 405, 410, 461)
