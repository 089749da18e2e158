"""Cases 75 to 85: TCB levels and statuses, the quoting enclave, advisories, encodings, times."""

from typing import Any

import pytest

from enclave import calls, codec
from enclave.errors import CallError
from tests.negatives import dcap, genuine
from tests.negatives.dcap import Case, numbered
from tests.negatives.dcap_tcb_cases import TCB_CASES


@numbered(TCB_CASES, 75)
def test_case_75_evaluation_numbers_too_low_or_differing(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 76)
def test_case_76_levels_in_disorder(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 77)
def test_case_77_a_status_that_intel_does_not_use(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 78)
def test_case_78_each_platform_status_that_is_not_allowed(case: Case) -> None:
    assert case.verdict() == case.code


def test_case_78_genuine_platforms_of_other_statuses() -> None:
    advised = ("INTEL-SA-01036", "INTEL-SA-01099")
    relaunch = "openenclave_seamldr5_eval18"
    hardening = "automata_quotev3"

    assert genuine.verdict(relaunch, advisories=advised) == "platform-status-not-allowed"
    assert (
        genuine.verdict(relaunch, platform_tcb_statuses=("TDRelaunchAdvised",), advisories=advised)
        == dcap.ACCEPTED
    )
    assert (
        genuine.verdict(hardening, platform_tcb_statuses=("UpToDate",))
        == "platform-status-not-allowed"
    )


@numbered(TCB_CASES, 79)
def test_case_79_a_quoting_enclave_out_of_date(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 80)
def test_case_80_another_quoting_enclave(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 81)
def test_case_81_an_advisory_that_is_not_allowed(case: Case) -> None:
    assert case.verdict() == case.code


def test_case_81_a_genuine_advisory() -> None:
    assert genuine.verdict("automata_quotev3") == "advisory-not-allowed"
    assert genuine.verdict("automata_quotev3", advisories=("INTEL-SA-00615",)) == dcap.ACCEPTED


@numbered(TCB_CASES, 82)
def test_case_82_a_chain_in_the_collateral(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 83)
def test_case_83_hexadecimal_and_base64_confused(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(TCB_CASES, 85)
def test_case_85_times_far_away(case: Case) -> None:
    assert case.verdict() == case.code


@pytest.mark.parametrize("at_us", [-1, 2**63, 2**64, 1.5, 1e6, float("nan"), True])
def test_case_85_a_time_that_is_no_number_of_microseconds(at_us: Any) -> None:
    with pytest.raises(CallError):
        codec.encode(calls.Judge(b"evidence", bytes(20), at_us, catch_up=False))


def test_case_85_a_time_beyond_63_bits_on_the_wire() -> None:
    sent = codec.encode(calls.Judge(b"evidence", bytes(20), 1, catch_up=False))
    beyond = sent.replace((1).to_bytes(8, "big"), (2**63).to_bytes(8, "big"))

    assert beyond != sent
    with pytest.raises(CallError):
        codec.decode(calls.Judge, beyond)
