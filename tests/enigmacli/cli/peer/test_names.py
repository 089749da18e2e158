from typing import Any

import click
import pytest

from enigmacli.cli import COMMANDS, cli
from enigmacli.cli.options import Group
from enigmacli.cli.peer.names import ALIASES, LISTED, NOT_HERE, PEER_COMMANDS, translate


@pytest.mark.parametrize("name", PEER_COMMANDS)
def test_every_name_has_a_command_with_help_and_an_example(program: Any, name: str) -> None:
    shown = program(name, "--help")

    assert shown.code == 0
    assert "--home DIR" in shown.out
    assert "-o, --output [text|json]" in shown.out
    assert f"enigmacli {name}" in shown.out.split("Examples:")[1]


@pytest.mark.parametrize("words", ALIASES)
def test_other_words_are_those_of_a_command_of_ours(words: str) -> None:
    command: click.Command = cli

    for name in ALIASES[words].split():
        assert isinstance(command, Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    assert ALIASES[words].split()[0] in COMMANDS


def test_the_longest_words_are_taken_and_the_rest_is_kept() -> None:
    assert translate(["config", "set", "client", "node", "x"]) == ["config", "node", "x"]
    assert translate(["config", "set", "chain.node", "x"]) == ["config", "set", "chain.node", "x"]
    assert translate(["q", "register", "seed"]) == ["query", "register", "seed"]
    assert translate([]) == []


def test_help_tells_the_peers_names_below_our_commands(program: Any) -> None:
    shown = program("--help").out

    ours, _, theirs = shown.partition("Names from the peer:")
    assert all(name in theirs for name in LISTED)
    assert not any(f"\n  {name} " in ours for name in LISTED)


@pytest.mark.parametrize("words", NOT_HERE)
def test_what_is_not_here_is_refused_with_what_there_is(program: Any, words: str) -> None:
    refused = program(*words.split(), "--whatever", "-o", "json")

    assert refused.code == 2
    assert refused.error["message"] == f"there is no '{words}' here"
    assert refused.error["hint"] == NOT_HERE[words]


def test_a_refusal_names_the_words_that_were_meant(program: Any) -> None:
    assert "there is no 'query staking' here" in program("q", "staking", "validators").err
