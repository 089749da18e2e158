"""Manual pages, made from the commands' own help: one roff page for each command.

The macros are those of man(7). A page says nothing that the program does not know: names and
options come from the commands, exit codes from their table, variables from the configuration.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Final

import click

from enigmacli.cli.examples import Command
from enigmacli.cli.exit_codes import MEANINGS
from enigmacli.cli.help_layout import Context
from enigmacli.cli.options import ConfigOption
from enigmacli.cli.tree import Path, walk
from enigmacli.config import KEYS
from enigmacli.version import VERSION

PROGRAM: Final = "enigmacli"
SECTION: Final = 1

FILES: Final = (
    ("~/.enigmacli", "The home folder, unless --home or ENIGMA_HOME names another."),
    ("HOME/config.toml", "The configuration; enigmacli config show --origin."),
    ("HOME/config/genesis.json", "The network's genesis document, appraisal policy included."),
    ("HOME/enclave", "What the enclave has sealed; enigmacli enclave backup."),
    ("HOME/keyring-file, HOME/keyring-test", "Account keys, by backend."),
    ("HOME/logs", "Log files, and the tracebacks of bugs."),
)
VARIABLES: Final = (
    ("ENIGMA_HOME", "The home folder, where there is no --home."),
    ("ENIGMA_SECTION_KEY", "The configuration key section.key, where no option sets it."),
    ("NO_COLOR", "Where it is not empty: no colours. CLICOLOR=0 does the same."),
    ("TERM", "With dumb, nothing moves and nothing is in colour."),
)


def pages(root: click.Command) -> Iterator[tuple[str, str]]:
    """Every page as its file's name and its roff text, ASCII only."""
    for path, command in walk(root):
        yield f"{title(path)}.{SECTION}", page(root, path, command)


def title(path: Path) -> str:
    """A page's name, such as ``enigmacli-keys-show``."""
    return "-".join((PROGRAM, *path))


def page(root: click.Command, path: Path, command: click.Command) -> str:
    """One command's page.

    Args:
        root: the program.
        path: the words that lead from there to the command.
        command: the one that the page is about.
    """
    context = _context(root, path, command)
    name = title(path)
    lines = [
        f'.TH "{_roff(name.upper())}" "{SECTION}" "" "{PROGRAM} {VERSION}" "{PROGRAM} manual"',
        ".SH NAME",
        f"{_roff(name)} \\- {_roff(_summary(command))}",
        *_section("SYNOPSIS", [f"\\fB{_roff(context.command_path)}\\fR {_usage(context)}"]),
        *_section("DESCRIPTION", _paragraphs(command.help or "")),
        *_section("COMMANDS", _definitions(_children(context))),
        *_section("OPTIONS", _definitions(_options(context))),
        *_section("EXAMPLES", _examples(command)),
        *_section("EXIT STATUS", _definitions(_exit_codes())),
        *_section("FILES", _definitions(FILES)),
        *_section("ENVIRONMENT", _definitions(_variables(context))),
        *_section("SEE ALSO", [_see_also(root, path)]),
    ]
    return "\n".join(lines) + "\n"


def _context(root: click.Command, path: Path, command: click.Command) -> click.Context:
    """A context in which the command knows the words that lead to it."""
    context: click.Context = Context(root, info_name=PROGRAM, **root.context_settings)
    for word in path[:-1]:
        group = context.command
        child = group.get_command(context, word) if isinstance(group, click.Group) else None
        context = Context(child or root, info_name=word, parent=context)
    return Context(command, info_name=path[-1], parent=context) if path else context


# --- what a page says -------------------------------------------------------------------------


def _summary(command: click.Command) -> str:
    """The first sentence of the help, without its full stop."""
    words = " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())
    return words.removesuffix(".")


def _usage(context: click.Context) -> str:
    return _roff(" ".join(context.command.collect_usage_pieces(context)))


def _children(context: click.Context) -> Iterator[tuple[str, str]]:
    for path, child in walk(context.command):
        if len(path) == 1:
            yield path[0], f"{_summary(child)}."


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield record


def _exit_codes() -> Iterator[tuple[str, str]]:
    for code, (meaning, remedy) in MEANINGS.items():
        yield str(code), f"{meaning}; {remedy}." if code else f"{meaning}."


def _variables(context: click.Context) -> Iterator[tuple[str, str]]:
    """The general ones, and those of the keys that the command's options override."""
    yield from VARIABLES
    is_root = context.parent is None
    own = {one.key for one in context.command.params if isinstance(one, ConfigOption)}
    for key in KEYS.values():
        if is_root or key.name in own:
            yield key.variable, key.doc


def _examples(command: click.Command) -> list[str]:
    examples = command.examples if isinstance(command, Command) else ()
    return [line for one in examples for line in (".PP", ".nf", _roff(one), ".fi")]


def _see_also(root: click.Command, path: Path) -> str:
    """The group that a page belongs to, what it holds itself, and its neighbours."""
    parent = path[:-1]
    near = [
        other
        for other, _ in walk(root)
        if other != path
        and (other == parent or other[:-1] == path or (path and other and other[:-1] == parent))
    ]
    return ",\n".join(f"\\fB{_roff(title(other))}\\fR({SECTION})" for other in near)


# --- roff -------------------------------------------------------------------------------------


def _section(heading: str, lines: Iterable[str]) -> list[str]:
    """A section, or nothing where it has no lines."""
    found = list(lines)
    return [f".SH {heading}", *found] if found else []


def _definitions(entries: Iterable[tuple[str, str]]) -> list[str]:
    return [line for term, text in entries for line in (".TP", _bold(term), _roff(text))]


def _paragraphs(text: str) -> list[str]:
    paragraphs = re.split(r"\n\n+", inspect.cleandoc(text))
    return [line for one in paragraphs for line in (".PP", _roff(" ".join(one.split())))]


def _bold(text: str) -> str:
    return f"\\fB{_roff(text)}\\fR"


def _roff(text: str) -> str:
    """Text that roff prints as it is; letters beyond ASCII by their number."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    escaped = escaped.replace("^", "\\(ha").replace("`", "\\(ga").replace("'", "\\(aq")
    escaped = escaped.replace('"', "\\(dq")
    spelt = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return f"\\&{spelt}" if spelt.startswith((".", " ")) else spelt
