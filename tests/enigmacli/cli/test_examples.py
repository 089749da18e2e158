"""The examples that end each command's help: each is a call that the program would take."""

import re
import shlex
from typing import Any

import click
import pytest

from enigmacli.cli import cli
from enigmacli.cli.examples import Command
from enigmacli.cli.tree import walk

PROGRAM = "enigmacli"
WIDEST = 92
MACHINES = {"cut", "jq", "tee"}
"""Other programs that an example may end in."""
TREE = list(walk(cli))
EXAMPLES = [
    (path, example)
    for path, command in TREE
    if isinstance(command, Command)
    for example in command.examples
]


def calls(example: str) -> list[list[str]]:
    """The calls of the program in a line of shell, without its name and where output goes."""
    lexer = shlex.shlex(example, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if word in {"|", "&&", "||", ";"}:
            found.append([])
        elif word in {">", "<", ">>"}:
            next(words)
        else:
            found[-1].append(word)
    for call in found:
        assert call[0] in {PROGRAM, *MACHINES}
    return [call[1:] for call in found if call[0] == PROGRAM]


def stands_for_a_value(text: str) -> bool:
    return "$" in text or re.fullmatch(r"[A-Z][A-Z0-9_]*", text) is not None


def check(arguments: list[str]) -> tuple[str, ...]:
    """Read a call as the program does, but for running it; returns the command's path.

    Raises:
        click.UsageError: there is no such command or option, or a value is not of its type.
    """
    command: click.Command = cli
    context = click.Context(cli, info_name=PROGRAM)
    path: tuple[str, ...] = ()
    while isinstance(command, click.Group):
        name, child, arguments = command.resolve_command(context, arguments)
        assert name is not None
        assert child is not None
        path, command = (*path, name), child
        context = click.Context(command, info_name=name, parent=context)
    given, left, _ = command.make_parser(context).parse_args(args=list(arguments))
    if left:
        raise click.UsageError(f"too many arguments: {left}", context)
    for parameter in command.get_params(context):
        value = given.get(str(parameter.name))
        if parameter.required and not isinstance(value, (str, tuple, list)):
            raise click.MissingParameter(ctx=context, param=parameter)
        if isinstance(value, str) and not stands_for_a_value(value):
            _convert(parameter, value, context)
    return path


def _convert(parameter: click.Parameter, value: str, context: click.Context) -> None:
    if not isinstance(parameter.type, (click.Path, click.File)):
        parameter.type_cast_value(context, (value,) if parameter.multiple else value)


@pytest.mark.parametrize(("path", "command"), TREE, ids=lambda value: str(value)[:60])
def test_every_command_and_group_has_examples(path: tuple[str, ...], command: Any) -> None:
    assert isinstance(command, Command)
    assert command.examples, path
    assert command.help, path


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=lambda value: str(value)[:60])
def test_an_example_is_a_call_that_the_program_takes(path: tuple[str, ...], example: str) -> None:
    called = [check(call) for call in calls(example)]

    assert any(one[: len(path)] == path for one in called)
    assert len(example) <= WIDEST


@pytest.mark.parametrize(
    "wrong",
    [
        "enigmacli nonsense",
        "enigmacli keys frobnicate",
        "enigmacli keys show",
        "enigmacli keys show alice bob",
        "enigmacli keys list --nonsense",
        "enigmacli keys list --keyring-backend os",
        "enigmacli query block soon",
    ],
)
def test_an_example_that_the_program_would_refuse_is_noticed(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        [check(call) for call in calls(wrong)]


def test_an_example_may_redirect_and_call_others() -> None:
    line = "enigmacli query register seed NODE_ID | cut -c 3- > seed  # why"

    assert calls(line) == [["query", "register", "seed", "NODE_ID"]]


def test_help_ends_with_the_examples_each_whole_on_a_line(program: Any) -> None:
    shown = program("keys", "export", "--help").out

    _, _, examples = shown.partition("\nExamples:\n")
    assert examples.splitlines() == [
        "  enigmacli keys export alice --out alice.key",
        "  enigmacli keys export alice --export-passphrase-file secret.txt > alice.key",
    ]
