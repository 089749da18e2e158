"""DCAP evidence in the trusted process itself: isolated, from the measured sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from enclave import canonical_json
from enclave.binding import NO_OWNER, registration_report_data
from enclave.client import EnclaveClient
from enclave.configuration import Configuration
from enclave.dcap_errors import QuoteLengthError
from enclave.dcap_pki_errors import PckRevokedError
from enclave.errors import DebugEnclaveError
from tests.enclave import simulated_pki as pki
from tests.negatives.dcap import NODE_ID, sgx_measurement, tdx_measurement
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, TDX_V5, Made, make, tagged
from tests.simulators.dcap_pki_factory import serial_of
from tests.simulators.dcap_quote_factory import Form

AT_US: Final = int(AT.timestamp()) * 10**6
CHAIN_ID: Final = "enigma-dcap"
POLICY: Final = canonical_json.encode(
    pki.policy_value(
        trust_roots=[make(SGX_V3).trust_root_entry],
        evidence_kinds=["dcap-sgx", "dcap-tdx"],
        measurements=sorted((sgx_measurement(), tdx_measurement()), key=canonical_json.encode),
        epid_quote_statuses=[],
        platform_tcb_statuses=["UpToDate"],
        qe_tcb_statuses=["UpToDate"],
        advisories=[],
        min_tcb_evaluation_data_number=17,
        max_evidence_age_s=366 * 86_400,
        require_owner=False,
    )
)
NETWORK_ID: Final = Configuration.parse(CHAIN_ID, POLICY).network_id
REPORT_DATA: Final = registration_report_data(NODE_ID, NETWORK_ID, NO_OWNER)


def evidence(form: Form, **changes: Any) -> Made:
    body = {"report_data": REPORT_DATA, **changes.pop("body", {})}
    return make(form, body=body, **changes)


@pytest.fixture(scope="module")
def judge() -> Iterator[EnclaveClient]:
    with EnclaveClient.judge_role(package=None, chain_id=CHAIN_ID, policy=POLICY) as started:
        yield started


@pytest.mark.parametrize("form", [SGX_V3, TDX_V4, TDX_V5], ids=str)
def test_the_judge_judges_a_quote(judge: EnclaveClient, form: Form) -> None:
    reply = judge.judge(evidence(form).container, NO_OWNER, AT_US)

    assert reply.node_id == NODE_ID
    assert reply.evidence_kind == ("dcap-sgx" if form.is_sgx else "dcap-tdx")
    assert reply.tcb_status == "UpToDate"


def test_its_refusals_come_back_as_the_class_of_the_rule(judge: EnclaveClient) -> None:
    revoked = evidence(SGX_V3, pck_crl={"revoked": (serial_of("pck"),)})
    with pytest.raises(PckRevokedError, match="listed"):
        judge.judge(revoked.container, NO_OWNER, AT_US)

    good = evidence(TDX_V4)
    padded = tagged((2, good.quote + b"\0"), (3, good.collateral_intel))
    with pytest.raises(QuoteLengthError):
        judge.judge(padded, NO_OWNER, AT_US)

    with pytest.raises(DebugEnclaveError):
        judge.judge(evidence(SGX_V3, body={"flags": 0x07}).container, NO_OWNER, AT_US)


def test_the_role_with_keys_judges_the_same(tmp_path: Path) -> None:
    with EnclaveClient.keys(package=None, state=tmp_path / "state") as keys:
        keys.keygen(CHAIN_ID, POLICY)
        reply = keys.judge(evidence(SGX_V3).container, NO_OWNER, AT_US)

    assert reply.node_id == NODE_ID


def modules_of(started: EnclaveClient) -> str:
    process = started._process
    assert process is not None
    return Path(f"/proc/{process._popen.pid}/maps").read_text()


def test_the_library_is_loaded_at_start_where_the_policy_lists_quotes(
    judge: EnclaveClient,
) -> None:
    judge.status()
    assert "_dcap_qvl" in modules_of(judge)

    epid = canonical_json.encode(pki.policy_value())
    with EnclaveClient.judge_role(package=None, chain_id=CHAIN_ID, policy=epid) as other:
        other.status()
        assert "_dcap_qvl" not in modules_of(other)


def test_the_role_with_keys_loads_it_once_it_knows_its_policy(tmp_path: Path) -> None:
    with EnclaveClient.keys(package=None, state=tmp_path / "state") as keys:
        keys.keygen(CHAIN_ID, POLICY)
        keys.close()
        keys.status()
        assert "_dcap_qvl" in modules_of(keys)
