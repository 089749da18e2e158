"""``docs/negative-cases.md`` says what the tests in ``tests/negatives`` do."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import pytest

import enclave.errors
import enigmacli.errors
from tests.corpus import ROOT
from tests.negatives import (
    dcap,
    dcap_document_cases,
    dcap_pki_cases,
    dcap_quote_cases,
    dcap_tcb_cases,
)

FOLDER = ROOT / "tests" / "negatives"
TEXT = (ROOT / "docs" / "negative-cases.md").read_text()
DCAP = range(38, 86)
"""The cases whose sub-cases are values with a number and a code."""

ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TESTS = re.compile(r"`(test_\w+\.py)`: ((?:`test_case_\w+`(?:, )?)+)")
CODE = re.compile(r"`([a-z0-9-]+)`")


@dataclass(frozen=True)
class Row:
    number: int
    checks: frozenset[str]
    accepts: bool
    tests: frozenset[str]
    """``file::function``."""


def read(found: tuple[str, str, str, str]) -> Row:
    number, _, checks, tests = found
    named = {
        f"{file}::{name}"
        for file, names in TESTS.findall(tests)
        for name in re.findall(r"`(\w+)`", names)
    }
    return Row(int(number), frozenset(CODE.findall(checks)), "accepted" in checks, frozenset(named))


ROWS = [read(found) for found in ROW.findall(TEXT)]


@cache
def existing_tests() -> dict[int, set[str]]:
    """``file::function`` of every test of a case, by its number."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted(FOLDER.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_case_"):
                found[int(node.name.split("_")[2])].add(f"{path.name}::{node.name}")
    return found


@cache
def dcap_codes() -> dict[int, set[str]]:
    """The codes of every DCAP sub-case, by the case's number."""
    modules: tuple[ModuleType, ...] = (
        dcap_document_cases, dcap_pki_cases, dcap_quote_cases, dcap_tcb_cases,
    )  # fmt: skip
    found: dict[int, set[str]] = defaultdict(set)
    for module in modules:
        for value in vars(module).values():
            for case in value if isinstance(value, list | tuple) else ():
                if isinstance(case, dcap.Case):
                    found[case.number].add(case.code)
    return found


@cache
def sources() -> str:
    """Everything that may define a check."""
    paths = [path for name in ("enclave", "enigmacli") for path in (ROOT / name).rglob("*.py")]
    return "\n".join(path.read_text() for path in sorted(paths))


def test_every_number_has_its_row_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, 89))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_names_exactly_the_tests_of_its_case(row: Row) -> None:
    assert row.tests == existing_tests()[row.number]
    assert row.tests


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_names_checks_that_exist(row: Row) -> None:
    assert row.checks
    assert [check for check in row.checks if f'"{check}"' not in sources()] == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.number in DCAP], ids=lambda row: str(row.number)
)
def test_a_row_about_dcap_names_the_codes_of_its_cases(row: Row) -> None:
    expected = dcap_codes()[row.number]

    assert row.checks == expected - {dcap.ACCEPTED}
    assert row.accepts == (dcap.ACCEPTED in expected)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.number not in DCAP], ids=lambda row: str(row.number)
)
def test_a_row_about_epid_names_codes_that_its_tests_expect(row: Row) -> None:
    classes = {
        error.code: name
        for module in (enclave.errors, enigmacli.errors)
        for name, error in vars(module).items()
        if isinstance(error, type) and hasattr(error, "code")
    }
    files = {test.partition("::")[0] for test in row.tests}
    text = "".join((FOLDER / file).read_text() for file in sorted(files))

    for check in row.checks:
        assert f'"{check}"' in text or classes.get(check, "?") in text, check
