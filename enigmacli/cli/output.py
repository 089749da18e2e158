"""What a command prints: data on standard output, talk on standard error.

With ``-o json`` a command prints exactly one JSON document and standard error stays empty
but for one document where it failed; talk is left out and warnings travel in that document
or, on success, behind the result. Text from elsewhere never reaches a terminal with its
control characters.

A command that runs for long calls :func:`show_warnings` when it has started.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from enigmacli.cli.context import Services
from enigmacli.cli.lines import as_json, printable, warning_line


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
    """Show that something takes time: a spinner on a terminal, else one plain line."""
    if services.json or not sys.stderr.isatty():
        say(services, f"{what} …")
        yield
        return
    from rich.console import Console  # noqa: PLC0415 -- paid only by people at a terminal

    with Console(stderr=True).status(printable(what), spinner="dots"):
        yield


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as aligned columns, two spaces apart, nothing at the end of a line; may be empty."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
