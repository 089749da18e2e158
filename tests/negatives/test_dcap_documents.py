"""Cases 66 to 74: TCB Info and QE Identity as documents."""

from tests.negatives import genuine
from tests.negatives.dcap import Case, numbered
from tests.negatives.dcap_document_cases import DOCUMENT_CASES


@numbered(DOCUMENT_CASES, 66)
def test_case_66_a_document_that_is_not_as_signed(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 67)
def test_case_67_a_signature_of_something_else(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 68)
def test_case_68_a_document_signed_by_another_role(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 69)
def test_case_69_a_signer_of_another_name(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 70)
def test_case_70_another_fmspc(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 71)
def test_case_71_another_pce_id(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 72)
def test_case_72_a_document_about_something_else(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(DOCUMENT_CASES, 73)
def test_case_73_another_version(case: Case) -> None:
    assert case.verdict() == case.code


def test_case_73_the_peers_collateral_of_version_2() -> None:
    assert genuine.verdict("secretnetwork_dcap_own_collateral") == "dcap-tcb-info-version"


@numbered(DOCUMENT_CASES, 74)
def test_case_74_dates_that_do_not_hold(case: Case) -> None:
    assert case.verdict() == case.code
