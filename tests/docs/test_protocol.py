"""``docs/protocol.md`` names files that exist, and its tables say what the code says."""

import math
import re
from importlib import import_module
from typing import Any

import pytest

from enclave import calls
from enclave.appraise import policy, reference_values
from enclave.judge import JudgeService
from enclave.keys import SALT, Order
from enigmacli.app import method_queries
from enigmacli.app.refusals import RegisterCode, ValidatorCode
from enigmacli.protobuf.enigma import SCHEMA
from tests.corpus import ROOT

DOCS = ROOT / "docs"
TEXT = (DOCS / "protocol.md").read_text()
PATH = re.compile(r"`((?:enclave|enigmacli|tests)/[\w/.]+)`")
LINK = re.compile(r"\]\(([\w.-]+\.md)\)")
LIMIT = re.compile(r"^\| ([^|]+) \| ([\d,^; ]+) \| (`[\w.]+`(?:; `[\w.]+`)*) \|$", re.MULTILINE)
LABEL = re.compile(r"^\| `(enigma/[\w/-]+)` \| [^|]+ \| `([\w.]+)` \|$", re.MULTILINE)
MESSAGE = re.compile(r"^\| `(?:/[\w.]+\.)?(\w+)` \| `([^`]+ = [^`]+)` \|$", re.MULTILINE)


def constant(name: str) -> Any:
    """The value of a dotted name."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def number(text: str) -> int:
    """``65,536`` or ``2^50``."""
    base, _, power = text.replace(",", "").partition("^")
    return math.prod([int(base)] * int(power or 1))


def section(number_and_title: str) -> str:
    """One section, to its end."""
    return TEXT.split(f"\n## {number_and_title}\n")[1].split("\n## ")[0]


def schema_fields(message: str) -> list[str]:
    """The fields of a message as the schema has them."""
    found = re.search(rf"^message {message} \{{([^}}]*)\}}", SCHEMA, re.MULTILINE)
    assert found is not None, message
    return [" ".join(field.split()) for field in found[1].split(";") if field.strip()]


def test_every_path_named_exists() -> None:
    named = set(PATH.findall(TEXT))

    assert len(named) > 100
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_page_linked_exists() -> None:
    linked = set(LINK.findall(TEXT))

    assert "decisions.md" in linked
    assert sorted(page for page in linked if not (DOCS / page).is_file()) == []


def test_every_section_that_builds_something_names_code_and_tests() -> None:
    parts = re.split(r"^## (\d+)\. ", TEXT, flags=re.MULTILINE)[1:]
    sections = {int(place): text for place, text in zip(parts[::2], parts[1::2], strict=True)}

    assert list(sections) == list(range(1, 20))
    for place in range(2, 17):
        built, _, held = sections[place].partition("Built in: ")[2].partition("Held by:")
        assert PATH.search(built), place
        assert "`tests/" in held, place


@pytest.mark.parametrize(("what", "values", "names"), LIMIT.findall(TEXT))
def test_limits_are_those_of_the_code(what: str, values: str, names: str) -> None:
    expected = [constant(name.strip("`")) for name in names.split("; ")]

    assert [number(value) for value in values.split("; ")] == expected, what


def test_every_row_of_the_limits_is_compared() -> None:
    rows = [line for line in section("17. Limits").splitlines() if line.startswith("| ")]

    assert len(LIMIT.findall(TEXT)) == len(rows) - 1


@pytest.mark.parametrize(("label", "name"), LABEL.findall(TEXT))
def test_a_label_is_that_of_the_code(label: str, name: str) -> None:
    value = constant(name)

    assert label == (value if isinstance(value, str) else value.decode())


def test_every_label_used_on_the_page_is_in_the_table() -> None:
    used = set(re.findall(r"`(enigma/[\w/-]+)`", TEXT))

    assert used == {label for label, _ in LABEL.findall(TEXT)}


def test_salt_and_orders_are_those_of_the_code() -> None:
    orders = re.findall(r"^\| (\d) \| ", section("3. Keys"), re.MULTILINE)

    assert f"`{SALT.hex()}`" in TEXT
    assert [int(order) for order in orders] == list(Order)


@pytest.mark.parametrize(("message", "fields"), MESSAGE.findall(TEXT))
def test_a_message_has_the_fields_of_the_schema(message: str, fields: str) -> None:
    assert fields.split("; ") == schema_fields(message)


def test_four_messages_are_compared() -> None:
    names = [name for name, _ in MESSAGE.findall(TEXT)]

    assert names == ["RaAuthenticate", "ConfirmNode", "SetValidator", "NodeRecord"]


def test_the_policy_has_exactly_these_members() -> None:
    members = re.findall(r"^\| `(\w+)` \| ", section("6. The policy"), re.MULTILINE)

    assert {*members} == set(policy.Policy.__dataclass_fields__)
    for field in reference_values.TdxMeasurement.__dataclass_fields__:
        assert f"`{field}`" in TEXT or field in {"rtmr1", "rtmr2"}


def test_the_calls_are_those_of_the_interface() -> None:
    rows = [
        (place, name, roles)
        for named, roles in re.findall(r"^\| (`\d+ .+?`) \| ([\w, ]+) \| ", TEXT, re.MULTILINE)
        for place, name in re.findall(r"`(\d+) (\w+)`", named)
    ]
    judge = {call.__name__ for call in JudgeService(ROOT / "enclave").offered()}

    assert {int(place): name for place, name, _ in rows} == {
        place: call.__name__ for place, call in calls.BY_NUMBER.items()
    }
    assert {name for _, name, roles in rows if "judge" in roles} == judge | {"Shutdown"}


def test_the_queries_are_those_that_are_answered() -> None:
    paths = re.findall(r"^\| `(/[\w.]+/\w+)` \| ", section("15. Queries"), re.MULTILINE)

    assert {*paths} == {*constant(f"{method_queries.__name__}._METHODS")}


@pytest.mark.parametrize(
    ("codespace", "codes"), [("register", RegisterCode), ("validator", ValidatorCode)]
)
def test_the_codes_are_those_of_the_code(
    codespace: str, codes: type[RegisterCode] | type[ValidatorCode]
) -> None:
    row = re.search(rf"^\| `{codespace}` \| (.+) \|$", TEXT, re.MULTILINE)
    assert row is not None
    listed = [item.split() for item in row[1].split(" · ")]

    assert {name: int(code) for code, name in listed} == {
        one.name.lower().replace("_", "-"): int(one) for one in codes
    }
