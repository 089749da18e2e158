"""What a command prints: data on standard output, talk on standard error.

With ``-o json`` a command prints exactly one JSON document and standard error stays empty
but for one document where it failed; talk is left out and warnings travel in that document
or, on success, behind the result. Text from elsewhere never reaches a terminal with its
control characters.

How it looks is decided here and nowhere else: nothing moves but on a terminal that can
(:func:`animates`), colours only where they are welcome (:func:`coloured`), lines and pictures
only where there are letters for them (:func:`draws`), and none of it in plain mode
(``--plain``, ``[output] plain``), which prints one fact a line, for screen readers.

A command that runs for long calls :func:`show_warnings` when it has started.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.context import Services
from enigmacli.cli.lines import as_json, printable, warning_line

if TYPE_CHECKING:
    from rich.console import Console

_NARROW: Final = 60
_FEW: Final = 2


def emit(services: Services, document: Mapping[str, Any], text: str | Callable[[], str]) -> None:
    """Print the result: ``document`` with ``-o json``, else ``text`` where it is not empty."""
    if services.json:
        click.echo(as_json(document, indent=2 if sys.stdout.isatty() else None))
    else:
        words = text if isinstance(text, str) else text()
        if words:
            click.echo(printable(words))


def say(services: Services, message: str) -> None:
    """Tell people what happens, one line on standard error; silent with ``-o json``."""
    if not services.json:
        click.echo(printable(message), err=True)


def show_warnings(services: Services) -> None:
    """Print the warnings collected so far, each once."""
    for warning in services.take_warnings():
        click.echo(warning_line(warning, services.program, json=services.json), err=True)


@contextmanager
def working(services: Services, what: str) -> Iterator[None]:
    """Show that something takes time: a spinner where things may move, else one plain line."""
    if not animates(services):
        say(services, f"{what} …")
        yield
        return
    spinner = "dots" if draws(services, "⠋", err=True) else "line"
    with console(services, err=True).status(printable(what), spinner=spinner):
        yield


# --- how it looks -----------------------------------------------------------------------------


def is_plain(services: Services) -> bool:
    """Whether plain words were asked for: ``--plain``, or the key ``output.plain``.

    A configuration that cannot be read asks for nothing; the command says what is wrong with it.
    """
    from enigmacli.errors import ConfigError  # noqa: PLC0415 -- not needed for --help and --version

    try:
        return services.config.output.plain
    except ConfigError:
        return False


def animates(services: Services, *, err: bool = True) -> bool:
    """Whether something may move, or be drawn over, on standard error (or output)."""
    stream = sys.stderr if err else sys.stdout
    if services.json or not stream.isatty():
        return False
    return services.environ.get("TERM", "dumb") not in {"", "dumb"} and not is_plain(services)


def coloured(services: Services, *, err: bool = False) -> bool:
    """Whether colours are welcome; see https://no-color.org and https://bixense.com/clicolors."""
    environ = services.environ
    if environ.get("NO_COLOR") or environ.get("CLICOLOR") == "0":
        return False
    return animates(services, err=err)


def draws(services: Services, letters: str = "─│●", *, err: bool = False) -> bool:
    """Whether standard output (or error) has these letters, and may show them."""
    stream = sys.stderr if err else sys.stdout
    try:
        letters.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return not is_plain(services)


def columns() -> int:
    """How wide the terminal is: ``COLUMNS``, else what it says, else 80."""
    return shutil.get_terminal_size().columns


def console(services: Services, *, err: bool = False) -> "Console":
    """Rich's console for what moves and for pictures, as everything else here decides.

    Import of rich is slow: only for people at a terminal.
    """
    from rich.console import Console  # noqa: PLC0415 -- paid only by people at a terminal

    return Console(
        stderr=err,
        no_color=not coloured(services, err=err),
        highlight=False,
        markup=False,
        emoji=False,
        safe_box=True,
    )


def table(rows: Sequence[tuple[str, ...]], *, heading: bool = False) -> str:
    """Rows as aligned columns, two spaces apart, nothing at the end of a line; may be empty.

    Args:
        rows: of equal length.
        heading: the first row names the columns. In plain mode, and on a terminal too narrow
            for the columns, each further row then is a paragraph with one named fact a line.
    """
    context = click.get_current_context(silent=True)
    services = context.find_object(Services) if context else None
    plain = services is not None and is_plain(services)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    narrow = sys.stdout.isatty() and columns() < min(_NARROW, sum(widths) + 2 * len(widths) - 2)
    if heading and (plain or narrow):
        names, *records = rows
        return "\n\n".join(_facts(zip(names, record, strict=True)) for record in records)
    if plain:
        return "\n".join(map(_sentence, rows))
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _facts(named: Iterator[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in named)


def _sentence(row: tuple[str, ...]) -> str:
    """A row as words: its first cell names it where there are just two."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return (": " if len(row) == _FEW else ", ").join(cells)
