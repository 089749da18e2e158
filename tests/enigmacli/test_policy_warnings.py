from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from enclave.appraise.policy import Policy
from enigmacli.policy_warnings import (
    ADMITS,
    REFUSES,
    ROOT_CRL_AGE_S,
    SAMPLE_SIGNERS,
    policy_warnings,
)
from tests import corpus
from tests.enclave import simulated_pki as pki

DAY_S = 86_400
SGX = {"mr_enclave": "ab" * 32}
TDX = {
    **dict.fromkeys(
        (
            "mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner",
            "mr_owner_config", "mr_seam",
        ),
        "cd" * 48,
    ),
    "td_attributes": "0000001000000000",
    "xfam": "e702060000000000",
}  # fmt: skip


def production(**changes: Any) -> Policy:
    """A policy without a setting that deserves a warning."""
    quiet = {
        "trust_roots": ["intel"],
        "simulation": False,
        "evidence_kinds": ["dcap-sgx", "dcap-tdx"],
        "epid_quote_statuses": [],
        "measurements": [TDX, SGX],
        "max_evidence_age_s": 400 * DAY_S,
    }
    return pki.policy(**(quiet | changes))


def test_a_careful_policy_has_no_warning() -> None:
    assert policy_warnings(production()) == ()


REFUSING: list[tuple[dict[str, Any], str]] = [
    ({"evidence_kinds": []}, "evidence_kinds is empty"),
    ({"measurements": []}, "measurements is empty"),
    ({"platform_tcb_statuses": []}, "platform_tcb_statuses is empty"),
    ({"qe_tcb_statuses": []}, "qe_tcb_statuses is empty"),
    ({"max_registrations_per_block": 0}, "max_registrations_per_block is 0"),
    ({"max_evidence_age_s": 0}, "max_evidence_age_s is 0"),
    ({"max_evidence_age_s": 380 * DAY_S - 1}, "max_evidence_age_s is below 380 days"),
    ({"evidence_kinds": ["dcap-sgx", "dcap-tdx", "epid"]}, "epid_quote_statuses is empty"),
    (
        {"evidence_kinds": ["dcap-sgx", "dcap-tdx", "epid"], "epid_quote_statuses": ["OK"]},
        "ended on 2025-04-02",
    ),
    ({"measurements": [TDX]}, "measurements lists no SGX enclave"),
    ({"measurements": [SGX]}, "measurements lists no trust domain"),
    ({"evidence_kinds": ["dcap-sgx"]}, "evidence_kinds lists no kind for the trust domain"),
    ({"evidence_kinds": ["dcap-tdx"]}, "evidence_kinds lists no kind for the SGX enclave"),
    ({"platform_tcb_statuses": ["SWHardeningNeeded"]}, "does not list UpToDate"),
    ({"qe_tcb_statuses": ["SWHardeningNeeded"]}, "does not list UpToDate"),
    ({"epid_quote_statuses": ["SW_HARDENING_NEEDED"]}, "does not list OK"),
    (
        {"epid_quote_statuses": ["OK", "SW_HARDENING_NEEDED"], "advisories": []},
        "advisories is empty",
    ),
    ({"measurements": [TDX | {"td_attributes": "0100001000000000"}, SGX]}, "a debug domain"),
    ({"measurements": [TDX | {"td_attributes": "00" * 8}, SGX]}, "without SEPT_VE_DISABLE"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSING, ids=[words for _, words in REFUSING])
def test_what_refuses_good_evidence_is_said(changes: dict[str, Any], words: str) -> None:
    found = policy_warnings(production(**changes))

    assert [words in warning.message for warning in found if warning.effect == REFUSES].count(True)
    assert all(warning.message.startswith(f"{warning.member} ") for warning in found)


ADMITTING: list[tuple[dict[str, Any], str]] = [
    ({"min_tcb_evaluation_data_number": 0}, "min_tcb_evaluation_data_number is 0"),
    (
        {"evidence_kinds": ["epid"], "max_evidence_age_s": 30 * DAY_S + 1},
        "max_evidence_age_s is above 30 days",
    ),
    ({"max_clock_skew_s": 301}, "max_clock_skew_s is above 300 s"),
    ({"require_owner": False}, "require_owner is false"),
    ({"max_registrations_per_block": 65}, "max_registrations_per_block is above 64"),
    ({"min_gas_price": "0uscrt"}, "min_gas_price is 0"),
    ({"platform_tcb_statuses": ["OutOfDate", "UpToDate"]}, "platform_tcb_statuses lists OutOfDate"),
    ({"qe_tcb_statuses": ["OutOfDate", "UpToDate"]}, "qe_tcb_statuses lists OutOfDate"),
    ({"epid_quote_statuses": ["GROUP_OUT_OF_DATE", "OK"]}, "lists GROUP_OUT_OF_DATE"),
    ({"measurements": [TDX, SGX | {"mr_signer": min(SAMPLE_SIGNERS)}]}, "whose key is published"),
    (
        {"trust_roots": [pki.trust_root(pki.root())], "simulation": True},
        "simulation is true",
    ),
    (
        {"trust_roots": [pki.trust_root(pki.root())], "simulation": True, "allow_debug": True},
        "allow_debug is true",
    ),
]


@pytest.mark.parametrize(("changes", "words"), ADMITTING, ids=[words for _, words in ADMITTING])
def test_what_admits_too_much_is_said(changes: dict[str, Any], words: str) -> None:
    found = policy_warnings(production(**changes))

    assert [words in warning.message for warning in found if warning.effect == ADMITS].count(True)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_evidence_age_s": 380 * DAY_S},
        {"max_clock_skew_s": 300},
        {"max_registrations_per_block": 64},
        {"min_tcb_evaluation_data_number": 1},
        {"platform_tcb_statuses": ["SWHardeningNeeded", "UpToDate"]},
    ],
)
def test_a_setting_at_the_edge_is_no_warning(changes: dict[str, Any]) -> None:
    assert policy_warnings(production(**changes)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence_kinds": ["epid"], "max_evidence_age_s": 30 * DAY_S},
        {"trust_roots": [pki.trust_root(pki.root())], "simulation": True, "max_evidence_age_s": 60},
    ],
    ids=["epid", "simulated dcap"],
)
def test_an_age_that_suits_its_kind_is_no_warning(changes: dict[str, Any]) -> None:
    members = {warning.member for warning in policy_warnings(production(**changes))}

    assert "max_evidence_age_s" not in members


def test_the_root_crl_of_genuine_collateral_is_older_than_the_rest_is_ever() -> None:
    case = corpus.load("dcap/dcapqvl_tdx_quote_outdated.json")
    crl = x509.load_der_x509_crl(bytes.fromhex(case["collateral"]["root_ca_crl"]))

    age = datetime.fromisoformat(case["verify_at"]) - crl.last_update_utc
    lifetime = (crl.next_update_utc or crl.last_update_utc) - crl.last_update_utc
    assert timedelta(days=300) < age < lifetime < timedelta(seconds=ROOT_CRL_AGE_S)


def test_what_refuses_comes_first() -> None:
    found = policy_warnings(production(measurements=[], require_owner=False, max_clock_skew_s=999))

    assert [warning.effect for warning in found] == [REFUSES, ADMITS, ADMITS]
