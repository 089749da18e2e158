"""The tables of ``docs/migrating.md`` and the program say the same.

Its command blocks are run by ``tests/enigmacli/cli/peer/test_page.py``.
"""

import re

import pytest

from enigmacli.cli import COMMANDS
from enigmacli.cli.options import Group
from enigmacli.cli.peer.names import LISTED, NOT_HERE, refused
from enigmacli.cli.peer.settings import KEPT, NOT_KEPT
from enigmacli.cli.peer.start_options import REFUSED, SAME
from enigmacli.config import KEYS
from tests.corpus import ROOT
from tests.docs.page_commands import find, unknown_options

TEXT = (ROOT / "docs" / "migrating.md").read_text()
SECTIONS = dict(
    zip(*[iter(re.split(r"^## (.*)\n", TEXT, flags=re.MULTILINE)[1:])] * 2, strict=True)
)


def rows(section: str) -> list[list[str]]:
    """The table's cells, without its head, each a list of what stands in backquotes."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def every(section: str, column: int) -> list[str]:
    return [words for row in rows(section) for words in quoted(row[column])]


@pytest.mark.parametrize("words", every("Command by command", 0) + every("Command by command", 1))
def test_every_command_of_the_page_exists_with_its_options(words: str) -> None:
    if words.startswith("-"):
        words = f"status {words}"
    command, left = find(words.split())

    assert not isinstance(command, Group) or words in ("q", "query")
    assert unknown_options(command, left) == []


@pytest.mark.parametrize("words", every("Options", 0) + every("Options", 1))
def test_every_option_of_the_page_exists(words: str) -> None:
    if words in (*KEYS, "min_gas_price"):
        return
    command, (option, *_) = find((f"start {words}" if words.startswith("-") else words).split())

    assert option in {name for one in command.params for name in one.opts}


@pytest.mark.parametrize("words", every("Not here", 0))
def test_what_is_not_here_is_refused_with_its_hint(words: str) -> None:
    assert refused(words.split()) == words


def test_the_page_forgets_no_name() -> None:
    told = {" ".join(words.split()[:2]) for words in every("Command by command", 0)}
    first = {words.split()[0] for words in told}

    assert set(LISTED) <= first
    assert {f"config {name}" for name in (*KEPT, *NOT_KEPT)} <= told
    assert set(NOT_HERE) == set(every("Not here", 0))
    options = {words.split()[1] for words in every("Options", 0)}
    assert all(options.intersection(names) for names in (*SAME, *REFUSED))
    assert first - set(LISTED) <= set(COMMANDS)
