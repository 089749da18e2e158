import ast
from typing import Any

import pytest

from enigmacli.app.refusals import RegisterCode, ValidatorCode
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.cli.chain_codes import CHAIN_CODES, CHAIN_REMEDIES
from enigmacli.cli.explain import ELSEWHERE, by_code
from enigmacli.cli.explanations import EXPLANATIONS, explanation_of
from enigmacli.doctor.checks import CHECKS
from tests.corpus import ROOT


def test_an_error_code_is_explained(program: Any) -> None:
    shown = program.ok("explain", "measurement-not-allowed")

    assert shown["meaning"] == "The code identity is not among the policy's reference values."
    assert shown["exit_code"] == 6
    assert shown["try"] == "enigmacli enclave measure"


def test_a_code_without_words_of_its_own_has_its_familys(program: Any) -> None:
    family = program.ok("explain", "sealed-state-refused")

    assert program.ok("explain", "sealed-network")["why"] == family["why"]


def test_an_exit_code_is_explained(program: Any) -> None:
    assert program.ok("explain", "6")["meaning"] == "authentic, but the policy refuses"


def test_a_chains_code_is_explained(program: Any) -> None:
    assert program.ok("explain", "register/7")["meaning"] == CHAIN_CODES["register/7"]


def test_without_a_code_all_are_listed(program: Any) -> None:
    assert program("explain").out.split() == sorted(by_code())


@pytest.mark.parametrize("code", ["measurement-not-alowed", "7777", "register/99", ""])
def test_an_unknown_code_is_wrong_usage(program: Any, code: str) -> None:
    failed = program("explain", code, "-o", "json")

    assert failed.code == 2
    assert f"no code '{code}'" in failed.error["message"]


def test_no_module_with_a_code_is_forgotten() -> None:
    found = set()
    for folder in ("enigmacli", "enclave"):
        for path in (ROOT / folder).rglob("*.py"):
            if _defines_a_code(ast.parse(path.read_text())):
                found.add(".".join(path.relative_to(ROOT).with_suffix("").parts))

    assert found - {"enigmacli.errors", "enclave.errors"} == set(ELSEWHERE)


def _defines_a_code(tree: ast.Module) -> bool:
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return any(
        isinstance(name, ast.Name) and name.id == "code" and isinstance(line.value, ast.Constant)
        for cls in classes
        if cls.name.endswith("Error")
        for line in cls.body
        if isinstance(line, ast.Assign | ast.AnnAssign)
        for name in (line.targets if isinstance(line, ast.Assign) else [line.target])
    )


def test_a_list_is_the_same_as_no_code(program: Any) -> None:
    assert program("explain", "--list").out == program("explain").out
    assert program("explain", "--list", "6").code == 2


@pytest.mark.parametrize("code", CHAIN_CODES)
def test_a_chains_code_says_what_to_do(program: Any, code: str) -> None:
    assert program.ok("explain", code)["what to do"]


def test_every_code_that_the_chain_defines_is_explained() -> None:
    defined = {f"register/{int(one)}" for one in RegisterCode}
    defined |= {f"validator/{int(one)}" for one in ValidatorCode}
    defined |= {f"sdk/{int(one)}" for one in SdkCode}

    assert defined == set(CHAIN_CODES) == set(CHAIN_REMEDIES)


def test_every_error_says_why_it_happens() -> None:
    """The fallback's words are for the root of the family alone."""
    root = EXPLANATIONS["error"]

    assert [code for code, cls in by_code().items() if explanation_of(cls) is root] == ["error"]


@pytest.mark.parametrize("finding", sorted(CHECKS))
def test_a_finding_is_explained(program: Any, finding: str) -> None:
    assert program.ok("explain", finding)["why"] == CHECKS[finding].why


def test_a_mistyped_code_gets_a_suggestion(program: Any) -> None:
    assert "measurement-not-allowed" in program("explain", "measurement-not-alowed").err
    assert "clock.kept" in program("explain", "clock.kep").err
