from typing import Any

import pytest

from enigmacli.policy_words import Explained, duration, explain_policy
from tests.enclave import simulated_pki as pki


def words(member: str, **changes: Any) -> Explained:
    (found,) = [one for one in explain_policy(pki.policy(**changes)) if one.member == member]
    return found


def test_every_member_that_decides_is_explained() -> None:
    explained = {one.member for one in explain_policy(pki.policy(note="for people"))}

    assert explained == pki.policy_value().keys()
    assert all(one.accepts and one.refuses for one in explain_policy(pki.policy()))


def test_an_empty_list_accepts_nothing() -> None:
    for member in ("evidence_kinds", "measurements"):
        assert words(member, **{member: []}).accepts == "nothing"
    assert words("platform_tcb_statuses", platform_tcb_statuses=[]).accepts.endswith("nothing")
    assert "no advisory" in words("advisories", advisories=[]).accepts


def test_what_is_not_listed_is_refused_by_name() -> None:
    found = words("epid_quote_statuses")

    assert "OK or SW_HARDENING_NEEDED" in found.accepts
    assert found.refuses.startswith("CONFIGURATION_AND_SW_HARDENING_NEEDED, CONFIGURATION_NEEDED")
    assert "revoked in every case" in found.refuses
    assert "Revoked in every case" in words("platform_tcb_statuses").refuses


def test_a_measurement_is_shown_with_all_that_it_asks() -> None:
    entry = {"mr_enclave": "ab" * 32, "isv_prod_id": 7, "min_isv_svn": 3}
    found = words("measurements", measurements=[entry])

    assert f"mr_enclave {'ab' * 32}" in found.accepts
    assert "isv_prod_id 7" in found.accepts
    assert "min_isv_svn 3" in found.accepts


def test_a_flag_says_both_sides() -> None:
    assert "production" in words("allow_debug").accepts
    assert "debug enclaves" in words("allow_debug", allow_debug=True).accepts
    assert "no account" in words("require_owner", require_owner=False).accepts
    intel = {"trust_roots": ["intel"], "simulation": False}
    assert "Intel vouches" in words("trust_roots", **intel).accepts
    assert "SHA-256" in words("trust_roots").accepts
    assert words("simulation", **intel) != words("simulation")


def test_a_floor_of_zero_refuses_nothing() -> None:
    assert words("min_tcb_evaluation_data_number", min_tcb_evaluation_data_number=0).refuses == (
        "nothing"
    )
    assert "16" in words("min_tcb_evaluation_data_number").refuses


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (30, "30 s"),
        (60, "60 s (1 minute)"),
        (3600, "3600 s (1 hour)"),
        (86_400, "86400 s (1 day)"),
        (172_800, "172800 s (2 days)"),
        (86_401, "86401 s"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: int, text: str) -> None:
    assert duration(seconds) == text
