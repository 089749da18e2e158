"""Every command in a shell block of README.md and docs/ exists, with its options."""

import pytest

from enigmacli.cli.options import Group
from tests.corpus import ROOT
from tests.docs.page_commands import calls, find, unknown_options

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CALLS = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for page in PAGES
    for words in calls(page)
]


@pytest.mark.parametrize("words", CALLS)
def test_a_command_of_a_page_exists_with_its_options(words: list[str]) -> None:
    command, left = find(words)

    assert not isinstance(command, Group)
    assert unknown_options(command, left) == []


def test_the_pages_hold_commands() -> None:
    assert len(CALLS) > 60
