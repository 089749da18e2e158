"""Cases 54 to 65: certificates and revocation lists."""

from tests.negatives.dcap import Case, numbered
from tests.negatives.dcap_pki_cases import PKI_CASES


@numbered(PKI_CASES, 54)
def test_case_54_another_root(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 55)
def test_case_55_another_root_of_the_same_name(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 56)
def test_case_56_a_pck_that_no_pck_ca_issued(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 57)
def test_case_57_a_list_of_another_ca(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 58)
def test_case_58_a_revoked_certificate(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 59)
def test_case_59_a_list_that_does_not_hold(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 60)
def test_case_60_a_list_older_than_the_last(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 61)
def test_case_61_a_certificate_out_of_time(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 62)
def test_case_62_an_extension_that_is_not_intels(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 63)
def test_case_63_another_curve_or_digest(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 64)
def test_case_64_chains_too_long_or_in_disorder(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 65)
def test_case_65_constraints_that_are_not_kept(case: Case) -> None:
    assert case.verdict() == case.code


@numbered(PKI_CASES, 84)
def test_case_84_collateral_older_than_the_last(case: Case) -> None:
    assert case.verdict() == case.code
