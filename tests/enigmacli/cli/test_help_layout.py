from typing import Any

import pytest

from enigmacli.cli import cli
from enigmacli.cli.help_layout import Formatter
from enigmacli.cli.tree import walk

TREE = list(walk(cli))


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("path", [path for path, _ in TREE], ids=" ".join)
def test_help_fits_the_terminal_but_for_its_examples(
    program: Any, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    shown, _, _ = program(*path, "--help").out.partition("\nExamples:\n")

    usage, *lines = shown.splitlines()
    assert [line for line in lines if len(line) > columns] == []
    assert len(usage) <= max(columns, len(f"Usage: enigmacli {' '.join(path)} "))


def test_a_long_choice_is_broken_between_its_words() -> None:
    formatter = Formatter(width=38)

    formatter.write_dl([("--for [initialised|keyed|attested|registered]", "A state.")])

    assert formatter.getvalue().splitlines() == [
        "--for [initialised|keyed|attested|",
        "    registered]",
        "              A state.",
    ]


def test_a_terminal_of_no_width_gets_the_narrowest_help(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1")

    assert max(map(len, program("version", "--help").out.splitlines())) <= 40
