"""Every policy and every command of ``docs/policy-cookbook.md``, line by line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from enigmacli.cli import cli
from tests.corpus import ROOT

TEXT = (ROOT / "docs" / "policy-cookbook.md").read_text()

POLICY = re.compile(
    r"^`(?P<name>\S+\.json)` is(?: `(?P<base>\S+)`(?: without `(?P<without>\w+)` and)? with)?\n\n"
    r"```json\n(?P<members>.*?)\n```$",
    re.DOTALL | re.MULTILINE,
)
SESSION = re.compile(
    r"^```console\n\$ enigmacli (?P<typed>.*?)\n(?P<out>.*?)\n```$", re.DOTALL | re.MULTILINE
)
EXIT_CODE = re.compile(r"\n\[exit code (\d+)\]\Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All policies of the page as files."""
    path = tmp_path_factory.mktemp("cookbook")
    policies: dict[str, dict[str, Any]] = {}
    for found in POLICY.finditer(TEXT):
        base = policies[found["base"]] if found["base"] else {}
        policies[found["name"]] = base | json.loads(found["members"])
        if found["without"]:
            del policies[found["name"]][found["without"]]
    for name, policy in policies.items():
        (path / name).write_text(json.dumps(policy))
    return path


def test_the_page_has_policies_and_sessions() -> None:
    assert len(POLICY.findall(TEXT)) == TEXT.count("```json") == 8
    assert len(SESSION.findall(TEXT)) == TEXT.count("```console") == 9


@pytest.mark.parametrize("session", list(SESSION.finditer(TEXT)), ids=lambda found: found["typed"])
def test_the_program_answers_as_the_page_says(session: re.Match[str], folder: Path) -> None:
    arguments = [
        str(folder / word) if word.endswith(".json") else word for word in session["typed"].split()
    ]
    expected = EXIT_CODE.search(session["out"])

    result = CliRunner().invoke(cli, arguments)

    assert result.stdout.rstrip("\n") == EXIT_CODE.sub("", session["out"])
    assert result.exit_code == (int(expected[1]) if expected else 0)


def test_every_policy_of_the_page_but_the_broken_one_is_a_policy(folder: Path) -> None:
    wrong = [
        path.name
        for path in sorted(folder.glob("*.json"))
        if CliRunner().invoke(cli, ["policy", "check", str(path)]).exit_code != 0
    ]

    assert wrong == ["broken.json"]


def test_every_member_of_a_policy_is_on_the_page() -> None:
    members = json.loads(next(POLICY.finditer(TEXT))["members"])

    table = TEXT[TEXT.index("| member |") :]
    assert [member for member in members if f"`{member}`" not in table] == []
