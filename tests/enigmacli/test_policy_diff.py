from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.policy_diff import LOOSER, OTHER, STRICTER, Change, policy_changes
from tests.enclave import simulated_pki as pki

A, B = "ab" * 32, "cd" * 32


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    return policy_changes(pki.policy(**before), pki.policy(**after))


def effects(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [change.effect for change in changes(before, after)]


def test_equal_policies_have_no_difference() -> None:
    assert changes({"note": "same"}, {"note": "same"}) == ()


STRICTER_AFTER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"evidence_kinds": ["dcap-sgx", "epid"]}, {"evidence_kinds": ["epid"]}),
    ({"epid_quote_statuses": ["OK"]}, {"epid_quote_statuses": []}),
    ({"platform_tcb_statuses": ["UpToDate"]}, {"platform_tcb_statuses": []}),
    ({"qe_tcb_statuses": ["UpToDate"]}, {"qe_tcb_statuses": []}),
    ({"advisories": ["INTEL-SA-00334"]}, {"advisories": []}),
    ({"min_tcb_evaluation_data_number": 16}, {"min_tcb_evaluation_data_number": 17}),
    ({"max_evidence_age_s": 60}, {"max_evidence_age_s": 59}),
    ({"max_clock_skew_s": 30}, {"max_clock_skew_s": 29}),
    ({"max_registrations_per_block": 8}, {"max_registrations_per_block": 7}),
    ({"allow_debug": True}, {"allow_debug": False}),
    ({"min_gas_price": "0.0025uscrt"}, {"min_gas_price": "0.003uscrt"}),
    ({"measurements": [{"mr_enclave": A}]}, {"measurements": []}),
]


@pytest.mark.parametrize(("before", "after"), STRICTER_AFTER, ids=str)
def test_what_refuses_more_is_stricter_and_the_way_back_looser(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    (there,) = changes(before, after)
    (back,) = changes(after, before)

    assert (there.effect, back.effect) == (STRICTER, LOOSER)
    assert {there.member} == {back.member} == before.keys()


def test_one_item_for_another_is_both() -> None:
    (gone, new) = changes({"advisories": ["INTEL-SA-00334"]}, {"advisories": ["INTEL-SA-00615"]})

    assert (gone.effect, gone.message) == (STRICTER, "no longer accepts INTEL-SA-00334")
    assert (new.effect, new.message) == (LOOSER, "accepts INTEL-SA-00615")


def test_owners_that_become_required_exclude_what_was_accepted() -> None:
    assert effects({"require_owner": False}, {"require_owner": True}) == [STRICTER, LOOSER]
    assert effects({"require_owner": True}, {"require_owner": False}) == [STRICTER, LOOSER]


def test_a_network_that_becomes_simulated_is_looser() -> None:
    intel = {"trust_roots": ["intel"], "simulation": False}

    found = {(change.member, change.effect) for change in changes(intel, {})}
    assert found == {
        ("simulation", LOOSER),
        ("trust_roots", STRICTER),
        ("trust_roots", LOOSER),
    }


def test_a_root_is_named_by_its_hash() -> None:
    other = sorted((pki.trust_root(pki.root()), pki.trust_root(pki.root("other", "other"))))
    (change,) = changes({}, {"trust_roots": other})

    assert change.effect == LOOSER
    assert "SHA-256" in change.message


def test_a_measurement_that_asks_more_is_stricter() -> None:
    wide = {"measurements": [{"mr_enclave": A}]}
    for more in ({"mr_signer": B}, {"isv_prod_id": 1}, {"min_isv_svn": 2}):
        narrow = {"measurements": [{"mr_enclave": A} | more]}
        assert effects(wide, narrow) == [STRICTER, OTHER]
        assert effects(narrow, wide) == [OTHER, LOOSER]


def test_a_measurement_with_a_lower_security_version_is_looser() -> None:
    old = {"measurements": [{"mr_enclave": A, "min_isv_svn": 3}]}
    new = {"measurements": [{"mr_enclave": A, "min_isv_svn": 2}]}

    assert effects(old, new) == [OTHER, LOOSER]


def test_a_measurement_that_another_one_contains_changes_nothing() -> None:
    one = {"measurements": [{"mr_enclave": A}]}
    both = {"measurements": [{"isv_prod_id": 7, "mr_enclave": A}, {"mr_enclave": A}]}

    assert effects(one, both) == [OTHER]
    assert effects(both, one) == [OTHER]


def test_a_price_in_another_coin_or_spelling_is_neither() -> None:
    assert effects({"min_gas_price": "1uscrt"}, {"min_gas_price": "2uatom"}) == [OTHER]
    assert effects({"min_gas_price": "1uscrt"}, {"min_gas_price": "1.0uscrt"}) == [OTHER]


def test_a_note_is_neither() -> None:
    assert effects({}, {"note": "hello"}) == [OTHER]


_policies = st.builds(
    pki.policy,
    evidence_kinds=st.sampled_from([[], ["epid"], ["dcap-sgx", "epid"]]),
    max_evidence_age_s=st.integers(0, 3),
    require_owner=st.booleans(),
    allow_debug=st.booleans(),
    min_gas_price=st.sampled_from(["0uscrt", "0.0uscrt", "1uatom"]),
    measurements=st.sampled_from([[], [{"mr_enclave": A}], [{"mr_enclave": A, "isv_prod_id": 1}]]),
)


@given(_policies, _policies)
def test_two_policies_differ_exactly_where_a_difference_is_named(first: Any, second: Any) -> None:
    found = policy_changes(first, second)

    assert {change.member for change in found} == {
        member for member, value in first.to_value().items() if value != second.to_value()[member]
    }
