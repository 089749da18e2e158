import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.appraise.policy import Policy
from enclave.errors import PolicyFormatError
from enigmacli.policy_check import read_policy
from tests.enclave import simulated_pki as pki


def problems(value: Any) -> list[str]:
    """The members that are wrong."""
    reading = read_policy(json.dumps(value).encode())
    assert (reading.policy is None) == bool(reading.problems)
    assert all(problem.message for problem in reading.problems)
    return [problem.member for problem in reading.problems]


def test_a_policy_in_any_layout_has_no_problem() -> None:
    value = pki.policy_value(note="a note")
    reading = read_policy(json.dumps(value, indent=4).encode())

    assert reading.problems == ()
    assert reading.policy == Policy.from_value(value)


@pytest.mark.parametrize("member", sorted(pki.policy_value()))
def test_each_member_that_is_missing_is_named(member: str) -> None:
    assert problems(pki.policy_value(**{member: ...})) == [member]


@pytest.mark.parametrize("member", sorted(pki.policy_value(note="")))
def test_each_member_of_another_type_is_named(member: str) -> None:
    assert problems(pki.policy_value(**{member: {"a": 1}})) == [member]


def test_every_problem_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "evidence_kinds": ["epid", "sev"],
        "measurements": [{"mr_enclave": "00" * 32}, {"mr_enclave": "AA" * 32}, {}],
        "advisories": ["INTEL-SA-00334", "INTEL-SA-00100"],
        "max_evidence_age_s": -1,
        "min_gas_price": ...,
        "max_age": 7,
    }

    assert problems(pki.policy_value(**wrong)) == [
        "min_gas_price",
        "advisories",
        "evidence_kinds[1]",
        "max_age",
        "max_evidence_age_s",
        "measurements[1]",
        "measurements[2]",
    ]


def test_a_problem_says_what_was_expected_and_seen() -> None:
    value = pki.policy_value(max_clock_skew_s="30")
    (problem,) = read_policy(json.dumps(value).encode()).problems

    assert problem.message == "max_clock_skew_s has another form"
    assert problem.expected == "integer 0 to 9007199254740991"
    assert problem.seen == "'30'"


@pytest.mark.parametrize(
    ("changes", "members"),
    [
        ({"simulation": False}, ["simulation"]),
        ({"trust_roots": ["intel"]}, ["simulation"]),
        ({"trust_roots": ["intel"], "simulation": False, "allow_debug": True}, ["allow_debug"]),
        ({"trust_roots": ["intel"], "allow_debug": True}, ["simulation", "allow_debug"]),
        ({"trust_roots": ["amd"]}, ["trust_roots[0]"]),
        ({"trust_roots": []}, ["trust_roots"]),
        ({"trust_roots": ["intel", pki.trust_root(pki.root())]}, ["trust_roots"]),
        ({"trust_roots": ["simulation:AAAA"], "simulation": False}, ["trust_roots[0]"]),
    ],
)
def test_members_that_contradict_each_other_are_named(
    changes: dict[str, Any], members: list[str]
) -> None:
    assert problems(pki.policy_value(**changes)) == members


def test_a_contradiction_is_named_beside_a_problem_of_form() -> None:
    wrong = {"simulation": False, "max_clock_skew_s": "30"}

    assert problems(pki.policy_value(**wrong)) == ["max_clock_skew_s", "simulation"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":1.5}', b"\xff", b"null", b"{}" * 2]
)
def test_a_file_that_is_no_json_object_has_one_problem(data: bytes) -> None:
    reading = read_policy(data)

    assert reading.policy is None
    assert [problem.member for problem in reading.problems] == [""]


def test_the_number_of_problems_is_bounded() -> None:
    unknown = {f"member {number}": number for number in range(500)}

    assert len(problems(pki.policy_value(**unknown))) == 100


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**54) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(pki.policy_value(note=""))), _json, min_size=1))
def test_there_are_problems_exactly_where_the_trusted_side_refuses(changes: dict[str, Any]) -> None:
    value = pki.policy_value(**changes)
    reading = read_policy(json.dumps(value).encode())
    try:
        expected = Policy.from_value(value)
    except PolicyFormatError:
        assert reading.policy is None
        assert reading.problems
    else:
        assert (reading.policy, reading.problems) == (expected, ())
