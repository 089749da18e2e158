"""The commands for people who write a policy; ``what-if`` has a file of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.enclave import simulated_pki as pki


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A policy as people write it."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(pki.policy_value(), indent=2))
    return path


def write(path: Path, **changes: Any) -> str:
    path.write_text(json.dumps(pki.policy_value(**changes)))
    return str(path)


def test_a_good_policy_is_checked_with_its_warnings(program: Any, file: Path) -> None:
    found = program.ok("policy", "check", str(file))

    assert found["valid"]
    assert found["problems"] == []
    assert len(found["sha256"]) == 64
    assert [warning["member"] for warning in found["warnings"]] == ["simulation"]
    shown = program("policy", "check", str(file))
    assert shown.err == ""
    assert shown.out.splitlines()[-1] == "the policy is well-formed"
    assert shown.out.startswith("warning  admits   simulation is true")


def test_every_problem_of_a_bad_policy_is_on_standard_output(program: Any, file: Path) -> None:
    name = write(file, max_clock_skew_s="30", advisories=..., extra=1)

    got = program("policy", "check", name, "-o", "json")
    shown = program("policy", "check", name)

    assert (got.code, got.err, shown.code, shown.err) == (5, "", 5, "")
    assert not got.document["valid"]
    assert got.document["sha256"] is None
    members = [problem["member"] for problem in got.document["problems"]]
    assert members == ["advisories", "extra", "max_clock_skew_s"]
    assert shown.out.splitlines()[-1] == "this is NOT a policy"
    assert "problem  max_clock_skew_s has another form, expected integer" in shown.out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"app_state"', '["app_state"]', "\x1b[2J"])
def test_what_is_no_json_object_is_malformed(program: Any, file: Path, text: str) -> None:
    file.write_text(text)

    for verb in (("check",), ("explain",)):
        assert program("policy", *verb, str(file)).code == 5


@pytest.mark.parametrize("verb", ["check", "explain"])
def test_a_file_that_cannot_be_read_is_local_state(program: Any, tmp_path: Path, verb: str) -> None:
    got = program("policy", verb, str(tmp_path / "none"), "-o", "json")

    assert (got.code, got.out, got.error["code"]) == (3, "", "storage")


def test_a_policy_may_come_from_standard_input(program: Any, file: Path) -> None:
    found = program.ok("policy", "check", "-", stdin=file.read_text())

    assert found == program.ok("policy", "check", str(file))


def test_a_genesis_document_has_a_policy_too(simulated: Any, tmp_path: Path) -> None:
    genesis = simulated.home / "config" / "genesis.json"
    alone = tmp_path / "policy.json"
    value = json.loads(genesis.read_text())
    alone.write_text(json.dumps(value["app_state"]["register"]["params"]))

    checked = simulated.ok("policy", "check", str(genesis))

    assert checked == simulated.ok("policy", "check", str(alone))
    assert simulated.ok("policy", "diff", str(genesis), str(alone))["same"]
    del value["app_state"]["register"]["params"]
    genesis.write_text(json.dumps(value))
    got = simulated("policy", "check", str(genesis), "-o", "json")
    assert (got.code, got.error["code"]) == (3, "config")


def test_a_malformed_policy_in_a_genesis_document_has_its_problems_named(
    simulated: Any, tmp_path: Path
) -> None:
    value = json.loads((simulated.home / "config" / "genesis.json").read_text())
    value["app_state"]["register"]["params"]["max_evidence_age_s"] = -1
    (tmp_path / "g.json").write_text(json.dumps(value))

    got = simulated("policy", "check", str(tmp_path / "g.json"), "-o", "json")

    assert got.code == 5
    assert [one["member"] for one in got.document["problems"]] == ["max_evidence_age_s"]


def test_a_policy_is_explained_member_by_member(program: Any, file: Path) -> None:
    name = write(file, note="written by hand")

    found = program.ok("policy", "explain", name)
    shown = program("policy", "explain", name).out

    assert {one["member"] for one in found["members"]} == pki.policy_value().keys()
    assert found["note"] == "written by hand"
    for one in found["members"]:
        block = f"{one['member']}\n  accepts  {one['accepts']}\n  refuses  {one['refuses']}\n"
        assert block in shown
    assert "note\n  written by hand" in shown
    assert "warning  admits   simulation is true" in shown


def test_a_malformed_policy_is_not_explained_and_check_is_named(program: Any, file: Path) -> None:
    got = program("policy", "explain", write(file, advisories="none"), "-o", "json")

    assert (got.code, got.out, got.error["code"]) == (5, "", "policy-malformed")
    assert "policy check" in got.error["hint"]


def test_what_is_stricter_and_what_looser_is_said(program: Any, file: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.json", max_evidence_age_s=60, advisories=["INTEL-SA-00615"])

    found = program.ok("policy", "diff", str(file), other)
    shown = program("policy", "diff", str(file), other).out

    assert not found["same"]
    assert [(one["member"], one["effect"]) for one in found["changes"]] == [
        ("advisories", "stricter"),
        ("max_evidence_age_s", "stricter"),
    ]
    assert "stricter  max_evidence_age_s  3600 s (1 hour) becomes 60 s (1 minute)" in shown


def test_the_same_policy_in_two_layouts_is_the_same(
    program: Any, file: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other.json")

    assert program.ok("policy", "diff", str(file), other) == {"same": True, "changes": []}
    assert program("policy", "diff", str(file), other).out == "the policies are the same\n"


def test_control_characters_of_a_note_do_not_reach_the_terminal(program: Any, file: Path) -> None:
    assert "\x1b" not in program("policy", "explain", write(file, note="\x1b[2J")).out
