# ruff: noqa: INP001 -- a program, in no package
"""Write ``docs/errors.md`` from the tables of ``explain``: ``python -m scripts.errors_page``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from enigmacli.cli.chain_codes import CHAIN_CODES
from enigmacli.cli.exit_codes import MEANINGS
from enigmacli.cli.explain import by_code, explain
from enigmacli.doctor.checks import CHECKS

FILE: Final = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

_HEAD: Final = """\
# Errors

Every code that the program or the chain can give. `enigmacli explain CODE` prints the same.
This page is generated: `python -m scripts.errors_page` writes it.
"""


def page() -> str:
    """The page's text."""
    return "\n".join((_HEAD, *_exit_codes(), *_errors(), *_chain(), *_findings()))


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| code | meaning | what to do |"
    yield "|---|---|---|"
    for code, (meaning, remedy) in MEANINGS.items():
        yield f"| {code} | {meaning} | {remedy} |"
    yield ""


def _errors() -> Iterator[str]:
    yield "## Errors by code\n"
    classes = by_code()
    for code in sorted(classes):
        yield from _error(explain(code, classes))


def _error(found: dict[str, Any]) -> Iterator[str]:
    yield f"### {found['code']}\n"
    yield f"{found['meaning']} Exit code {found['exit_code']}.\n"
    yield f"- Why: {found['why']}"
    yield f"- What to do: {found['what to do']}"
    if "try" in found:
        yield f"- Try: `{found['try']}`"
    yield ""


def _chain() -> Iterator[str]:
    yield "## Codes of the chain\n"
    yield "A refused transaction ends with exit code 7 and names one of these.\n"
    yield "| code | meaning | what to do |"
    yield "|---|---|---|"
    for code in CHAIN_CODES:
        found = explain(code, {})
        yield f"| {code} | {found['meaning']} | {found['what to do']} |"
    yield ""


def _findings() -> Iterator[str]:
    yield "## Findings of doctor\n"
    yield "| id | why it matters |"
    yield "|---|---|"
    for name in sorted(CHECKS):
        yield f"| {name} | {CHECKS[name].why} |"
    yield ""


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
