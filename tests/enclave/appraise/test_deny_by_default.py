"""What a policy does not say, it refuses: one case for each of its members.

Each case begins with evidence and a policy that go together, takes one word of the policy
away, and names the refusal. A member that is missing altogether makes no policy.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_registration
from enclave.binding import registration_report_data
from enclave.calls import JudgeReply
from enclave.errors import EnclaveError, PolicyFormatError
from enclave.times import parse_rfc3339
from tests.enclave import simulated_pki as pki
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, make
from tests.simulators.dcap_quote_factory import Form

NETWORK = b"n" * 32
OWNER = bytes(range(20))
NODE_ID = b"\x09" + bytes(31)
BOUND = registration_report_data(NODE_ID, NETWORK, OWNER)
ADVISORY = "INTEL-SA-00334"
AT_US = parse_rfc3339("2026-11-23T10:00:00Z")
S = 1_000_000

Judge = Callable[..., JudgeReply]


def members(form: Form | None, **changes: Any) -> dict[str, Any]:
    """A policy's JSON that goes with the evidence of :func:`judge_epid` or :func:`judge_dcap`."""
    value = pki.policy_value(
        evidence_kinds=["dcap-sgx", "dcap-tdx", "epid"],
        advisories=[ADVISORY],
        max_evidence_age_s=10**8,
        epid_quote_statuses=["SW_HARDENING_NEEDED"],
        platform_tcb_statuses=["SWHardeningNeeded"],
    )
    if form is not None:
        value["trust_roots"] = [make(form).trust_root_entry]
        value["measurements"] = [kit.measurement(form)]
    return {name: item for name, item in (value | changes).items() if item is not ...}


def judge_epid(**changes: Any) -> JudgeReply:
    report = pki.report(
        pki.quote_body(BOUND),
        isvEnclaveQuoteStatus="SW_HARDENING_NEEDED",
        advisoryIDs=[ADVISORY],
        version=5,
        tcbEvaluationDataNumber=16,
    )
    evidence = pki.on_chain(pki.signed(report))
    return judge(evidence, None, pki.AT_US, changes)


def judge_sgx(**changes: Any) -> JudgeReply:
    return judge_dcap(SGX_V3, changes)


def judge_tdx(**changes: Any) -> JudgeReply:
    return judge_dcap(TDX_V4, changes)


def judge_dcap(form: Form, changes: dict[str, Any]) -> JudgeReply:
    plain = make(form)
    document = json.loads(plain.collateral["tcb_info"])
    levels = document["tcbLevels"]
    levels[0] |= {"tcbStatus": "SWHardeningNeeded", "advisoryIDs": [ADVISORY]}
    evidence = make(form, body={"report_data": BOUND}, tcb_info={"tcbLevels": levels})
    return judge(evidence.container, form, AT_US, changes)


def judge(evidence: bytes, form: Form | None, at_us: int, changes: dict[str, Any]) -> JudgeReply:
    at_us = changes.pop("at_us", at_us)
    policy = Policy.from_value(members(form, **changes))
    return judge_registration(evidence, OWNER, policy, NETWORK, at_us)


EVERY = pytest.mark.parametrize("judged", [judge_epid, judge_sgx, judge_tdx])
DCAP = pytest.mark.parametrize("judged", [judge_sgx, judge_tdx])


def refusal(judged: Judge, **changes: Any) -> str:
    with pytest.raises(EnclaveError) as caught:
        judged(**changes)
    return caught.value.code


@EVERY
def test_the_policy_and_the_evidence_go_together(judged: Judge) -> None:
    assert judged().node_id == NODE_ID


@EVERY
@pytest.mark.parametrize("name", sorted(pki.POLICY_MEMBERS))
def test_a_policy_without_one_of_its_members_is_none(judged: Judge, name: str) -> None:
    with pytest.raises(PolicyFormatError, match=name):
        judged(**{name: ...})


@EVERY
def test_without_trust_roots_there_is_no_policy(judged: Judge) -> None:
    assert refusal(judged, trust_roots=[]) == "policy-malformed"


@EVERY
def test_without_evidence_kinds_every_kind_is_refused(judged: Judge) -> None:
    assert refusal(judged, evidence_kinds=[]) == "evidence-kind-not-allowed"


@EVERY
def test_without_measurements_every_measurement_is_refused(judged: Judge) -> None:
    assert refusal(judged, measurements=[]) == "measurement-not-allowed"


def test_without_quote_statuses_every_quote_status_is_refused() -> None:
    assert refusal(judge_epid, epid_quote_statuses=[]) == "quote-status-not-allowed"


@DCAP
def test_without_platform_statuses_every_platform_status_is_refused(judged: Judge) -> None:
    assert refusal(judged, platform_tcb_statuses=[]) == "platform-status-not-allowed"


@DCAP
def test_without_quoting_enclave_statuses_every_one_of_them_is_refused(judged: Judge) -> None:
    assert refusal(judged, qe_tcb_statuses=[]) == "qe-status-not-allowed"


@EVERY
def test_without_advisories_every_advisory_is_refused(judged: Judge) -> None:
    assert refusal(judged, advisories=[]) == "advisory-not-allowed"


@EVERY
def test_evidence_below_the_evaluation_number_is_refused(judged: Judge) -> None:
    code = refusal(judged, min_tcb_evaluation_data_number=10**6)

    assert code == "tcb-evaluation-too-low"


@EVERY
def test_an_age_of_nothing_allows_no_age(judged: Judge) -> None:
    at_us = pki.AT_US if judged is judge_epid else AT_US

    assert refusal(judged, max_evidence_age_s=0, at_us=at_us + 1) == "evidence-too-old"


@EVERY
def test_a_skew_of_nothing_allows_no_skew(judged: Judge) -> None:
    start_us = judged().valid_from_us

    assert judged(at_us=start_us - 30 * S).node_id == NODE_ID
    code = refusal(judged, max_clock_skew_s=0, at_us=start_us - 1)
    assert code in {"evidence-in-future", "dcap-tcb-info-time"}


@EVERY
def test_an_owner_that_is_not_required_is_not_read_from_evidence(judged: Judge) -> None:
    assert refusal(judged, require_owner=False) == "binding-mismatch"


@EVERY
def test_a_simulated_root_counts_for_nothing_where_intels_is_named(judged: Judge) -> None:
    code = refusal(judged, trust_roots=["intel"], simulation=False)

    assert code in {"ias-certificate-chain", "dcap-root"}
