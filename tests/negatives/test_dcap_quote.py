"""Cases 38 to 53: the quote itself, who signed it, and what it says about the code."""

from dataclasses import replace

import pytest

from enigmacli.chain.signing import verify_signature
from enigmacli.chain.tx import TxInvalidError, decode_tx
from tests.enigmacli.app.chain import ALICE, BOB, CHAIN_ID, Chain, genesis
from tests.negatives import dcap, genuine
from tests.negatives.dcap import ALL, Case, numbered
from tests.negatives.dcap_quote_cases import QUOTE_CASES, high_s
from tests.simulators.dcap_quote_factory import Form

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize("form", ALL, ids=str)
def test_evidence_of_which_nothing_is_changed_is_accepted(form: Form) -> None:
    assert Case(0, "unchanged", dcap.ACCEPTED, {}, form).verdict() == dcap.ACCEPTED


@numbered(QUOTE_CASES, 38)
def test_case_38_a_truncated_quote(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 39)
def test_case_39_bytes_behind_the_quote(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 40)
def test_case_40_sizes_that_are_not_true(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 41)
def test_case_41_versions_and_types_that_do_not_fit(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 42)
def test_case_42_another_type_of_attestation_key(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 43)
def test_case_43_another_vendor(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 44)
def test_case_44_certification_data_of_another_type(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 45)
def test_case_45_a_changed_header_or_body(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 46)
def test_case_46_another_attestation_key(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 47)
def test_case_47_a_report_of_the_quoting_enclave_that_no_pck_signed(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 48)
def test_case_48_a_tail_behind_the_binding(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 49)
def test_case_49_numbers_that_are_no_signature(case: Case) -> None:
    assert case.verdict() == case.code


def test_case_49_a_high_s_in_a_transaction() -> None:
    chain = Chain(genesis()).start()
    number, _ = chain.account(ALICE)
    tx = decode_tx(chain.send(ALICE, BOB))
    other = high_s(tx.signature, SECP256K1_ORDER)

    verify_signature(tx, CHAIN_ID, number)
    with pytest.raises(TxInvalidError):
        verify_signature(replace(tx, signature=other), CHAIN_ID, number)


@numbered(QUOTE_CASES, 50)
def test_case_50_a_key_that_is_no_point(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 51)
def test_case_51_attributes_of_an_enclave(case: Case) -> None:
    assert case.verdict() == case.code


def test_case_51_a_genuine_debug_enclave() -> None:
    case, advisories = "secretnetwork_dcap_2025_collateral", ("INTEL-SA-00334", "INTEL-SA-00615")

    assert genuine.verdict(case, advisories=advisories) == "debug-enclave"


@numbered(QUOTE_CASES, 52)
def test_case_52_attributes_and_registers_of_a_trust_domain(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(QUOTE_CASES, 53)
def test_case_53_another_identity_or_binding(case: Case) -> None:
    assert case.verdict() == case.code
