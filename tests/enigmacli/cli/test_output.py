"""How output looks: one place decides whether anything moves, is coloured, drawn, or plain."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click
import pytest

from enigmacli.cli.context import Services
from enigmacli.cli.output import animates, coloured, draws, is_plain, table, working

GOOD = {"TERM": "xterm-256color"}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@contextmanager
def at_a_terminal(encoding: str = "utf-8") -> Iterator[Terminal]:
    """Both streams lead to one terminal; not a fixture, as pytest changes them in between."""
    screen = Terminal(encoding)
    with redirect_stdout(screen), redirect_stderr(screen):
        yield screen


def services(environ: dict[str, str], home: Path = Path("/nowhere"), *, json: bool = False) -> Any:
    made = Services(environ=environ, json=json)
    made.home_flag = str(home)
    return made


def test_a_good_terminal_has_all() -> None:
    here = services(GOOD)

    with at_a_terminal():
        assert animates(here)
        assert coloured(here)
        assert draws(here)
        assert not is_plain(here)


@pytest.mark.parametrize(
    ("environ", "moves", "coloured_too", "drawn"),
    [
        (GOOD | {"NO_COLOR": "1"}, True, False, True),
        (GOOD | {"NO_COLOR": ""}, True, True, True),
        (GOOD | {"CLICOLOR": "0"}, True, False, True),
        (GOOD | {"CLICOLOR": "1"}, True, True, True),
        ({"TERM": "dumb"}, False, False, True),
        ({"TERM": ""}, False, False, True),
        ({}, False, False, True),
        (GOOD | {"ENIGMA_OUTPUT_PLAIN": "true"}, False, False, False),
        (GOOD | {"ENIGMA_OUTPUT_PLAIN": "false"}, True, True, True),
    ],
)
def test_the_environment_takes_things_away(
    environ: dict[str, str], *, moves: bool, coloured_too: bool, drawn: bool
) -> None:
    here = services(environ)

    with at_a_terminal():
        assert (animates(here), coloured(here), draws(here)) == (moves, coloured_too, drawn)


def test_nothing_moves_with_json() -> None:
    with at_a_terminal():
        assert not animates(services(GOOD, json=True))


def test_nothing_moves_and_nothing_is_coloured_without_a_terminal() -> None:
    assert not animates(services(GOOD))
    assert not coloured(services(GOOD))


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_nothing_is_drawn_with_letters_that_are_missing(encoding: str) -> None:
    with at_a_terminal(encoding):
        assert not draws(services(GOOD))
        assert draws(services(GOOD), "-|")


def test_the_file_and_the_flag_ask_for_plain_words_too(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[output]\nplain = true\n")
    flagged = services(GOOD)
    flagged.override("output.plain", "true")

    assert is_plain(services(GOOD, tmp_path))
    assert is_plain(flagged)


def test_a_configuration_that_cannot_be_read_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[output")

    assert not is_plain(services(GOOD, tmp_path))


def spinning(environ: dict[str, str]) -> str:
    with at_a_terminal() as screen, working(services(environ), "asking"):
        pass
    return screen.getvalue()


def test_a_spinner_is_shown_on_a_good_terminal_only() -> None:
    assert "\x1b[" in spinning(GOOD)
    assert spinning({"TERM": "dumb"}) == "asking …\n"
    assert spinning(GOOD | {"ENIGMA_OUTPUT_PLAIN": "true"}) == "asking …\n"


def test_a_spinner_has_colours_only_where_they_are_welcome() -> None:
    coloured_dots = "\x1b[32m"

    assert coloured_dots in spinning(GOOD)
    assert coloured_dots not in spinning(GOOD | {"NO_COLOR": "1"})


def in_a_command(environ: dict[str, str]) -> click.Context:
    return click.Context(click.Command("x"), obj=services(environ))


ROWS = [("name", "height"), ("alpha", "5"), ("b", "12")]
ALIGNED = "name   height\nalpha  5\nb      12"


def test_a_table_has_aligned_columns() -> None:
    assert table(ROWS, heading=True) == ALIGNED
    assert table([]) == ""


def test_a_plain_table_says_one_fact_a_line() -> None:
    with in_a_command({"ENIGMA_OUTPUT_PLAIN": "true"}):
        assert table(ROWS, heading=True) == "name: alpha\nheight: 5\n\nname: b\nheight: 12"
        assert table(ROWS[1:]) == "alpha: 5\nb: 12"
        assert table([("  a", "b", "", "c")]) == "a, b, c"
        assert table([]) == ""


def test_a_terminal_too_narrow_for_the_columns_gets_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [("name", "hash"), ("alpha", "f" * 64)]

    with at_a_terminal():
        monkeypatch.setenv("COLUMNS", "40")
        assert table(wide, heading=True) == "name: alpha\nhash: " + "f" * 64
        assert table(ROWS, heading=True) == ALIGNED
        monkeypatch.setenv("COLUMNS", "80")
        assert table(wide, heading=True).startswith("name   hash\n")
