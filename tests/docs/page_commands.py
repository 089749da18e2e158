"""Commands that stand on a page, looked up in the program."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from enigmacli.cli import PROGRAMS, cli
from enigmacli.cli.options import Group
from enigmacli.cli.peer.names import translate

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"\|\|?|&&|;|\$\(|[()]")


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that ``words`` call, and what is left of them."""
    left = translate(words)
    command: click.Command = cli
    while isinstance(command, Group) and left and left[0][:1].islower():
        child = command.get_command(click.Context(command), left[0])
        if child is None:
            break
        command, left = child, left[1:]
    return command, left


def unknown_options(command: click.Command, words: list[str]) -> list[str]:
    """Those of ``words`` that look like an option and are none of the command's."""
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    known |= {"--help", "-h", "--version"}
    options = [word.split("=")[0] for word in words if word.startswith("-") and word != "-"]
    return [word for word in options if word not in known]


def calls(page: Path) -> Iterator[list[str]]:
    """Words behind the program's name, for each call in the page's shell blocks."""
    for block in _BLOCK.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            for part in _PART.split(line):
                words = shlex.split(part.replace('"', " ").replace("'", " "), comments=True)
                words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
                if words and words[0] in PROGRAMS:
                    end = next(
                        (at for at, word in enumerate(words) if word in ("&", ">", "<", "2>")), None
                    )
                    yield words[1:end]
