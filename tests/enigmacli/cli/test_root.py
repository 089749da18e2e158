import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import click
import pytest

from enigmacli.arguments import asks_json
from enigmacli.cli import COMMANDS, cli, program_name
from enigmacli.cli.context import Services
from enigmacli.cli.peer.names import ALIASES
from enigmacli.version import VERSION
from tests.corpus import ROOT

HEAVY = (
    "aiohttp", "coincurve", "cryptography", "enclave", "google", "httpx", "mnemonic", "nacl",
    "rich", "tomli", "tomlkit", "enigmacli.app", "enigmacli.attestation", "enigmacli.chain",
    "enigmacli.config", "enigmacli.engine", "enigmacli.home", "enigmacli.protobuf",
)  # fmt: skip


def present() -> list[str]:
    folder = ROOT / "enigmacli" / "cli"
    return [name for name in COMMANDS if (folder / f"{name}.py").exists()]


def test_help_lists_every_command_with_its_summary(program: Any) -> None:
    shown = program("--help")

    assert shown.code == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.out


def test_an_alias_works_and_is_not_listed(program: Any) -> None:
    assert "q" in ALIASES
    assert "\n  q " not in program("--help").out


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION == metadata.version("enigmacli")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    called = (
        "import sys\n"
        "from enigmacli.cli import cli\n"
        f"sys.argv = ['enigmacli', *{arguments!r}]\n"
        "try:\n    cli.main()\n"
        "except SystemExit as error:\n    assert not error.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", called], capture_output=True, text=True, check=True)

    loaded = ran.stderr.split()
    assert "click" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("name", present())
def test_every_command_module_holds_its_command(name: str) -> None:
    command = import_module(f"enigmacli.cli.{name}").command

    assert isinstance(command, click.Command)
    assert command.name == name


def leaves(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    found = [path]
    for name, child in command.commands.items():
        found += leaves(child, (*path, name))
    return found


def every_command() -> list[tuple[str, ...]]:
    return [
        path
        for name in present()
        for path in leaves(import_module(f"enigmacli.cli.{name}").command, (name,))
    ]


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_takes_home_and_output_and_has_help(
    program: Any, path: tuple[str, ...]
) -> None:
    shown = program(*path, "--help")

    assert shown.code == 0
    assert "--home DIR" in shown.out
    assert "-o, --output [text|json]" in shown.out
    summary = shown.out.split("\n\n")[1].strip()
    assert summary[0].isupper()


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/usr/bin/enigmad", "enigmad"),
        ("/usr/bin/enigmacli", "enigmacli"),
        ("/x/enigmacli/__main__.py", "enigmacli"),
        ("-c", "enigmacli"),
    ],
)
def test_the_program_goes_by_the_name_it_was_called_by(called: str, name: str) -> None:
    assert program_name(called) == name


def test_usage_and_errors_show_the_second_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"], "enigmad")
    with pytest.raises(SystemExit):
        cli.main(["nonsense"], "enigmad")

    shown = capsys.readouterr()
    assert shown.out.startswith("Usage: enigmad ")
    assert shown.err.startswith("enigmad: error: no such command 'nonsense'\nenigmad: hint: ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["stauts"], "did you mean 'status' or 'start'?"),
        (["keys", "lst"], "did you mean 'list'?"),
        (["keys", "add", "x", "--recovr"], "did you mean '--recover'?"),
        (["zzz"], "try 'enigmacli --help'"),
        (["version", "--frobnicate"], "try 'enigmacli version --help'"),
        (["config", "set", "chain.node"], "try 'enigmacli config set --help'"),
        (["-o", "yaml", "version"], "try 'enigmacli --help'"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_suggestion(
    program: Any, arguments: list[str], hint: str
) -> None:
    failed = program(*arguments)

    assert failed.code == 2
    assert failed.out == ""
    first, second = failed.err.splitlines()
    assert first.startswith("enigmacli: error: ")
    assert first[len("enigmacli: error: ")].islower()
    assert not first.endswith(".")
    assert second == f"enigmacli: hint: {hint}"


@pytest.mark.parametrize("arguments", [["-o", "json", "zzz"], ["keys", "zzz", "--output=json"]])
def test_wrong_usage_is_json_where_json_is_asked_for(program: Any, arguments: list[str]) -> None:
    failed = program(*arguments)

    assert failed.code == 2
    assert set(failed.error) == {"code", "message", "hint", "details"}
    assert failed.error["code"] == "usage"


@pytest.mark.parametrize("arguments", [[], ["keys"], ["genesis"]])
def test_a_group_alone_shows_its_commands_and_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Commands:" in shown.err


def test_options_without_a_command_are_wrong_usage(program: Any) -> None:
    assert program().code == 2
    assert program().err.startswith("enigmacli: error: missing command\n")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["-o", "json"], True),
        (["x", "--output", "json"], True),
        (["-ojson"], True),
        (["--output=json"], True),
        (["-o", "text"], False),
        (["-o"], False),
        (["--", "-o", "json"], False),
        (["json"], False),
    ],
)
def test_json_is_recognised_before_the_options_are_read(
    arguments: list[str], *, wanted: bool
) -> None:
    assert asks_json(arguments) is wanted


def test_home_and_output_are_taken_before_and_behind_the_command(tmp_path: Path) -> None:
    for arguments in (["-o", "json", "--home", "H", "version"], ["version", "-ojson", "--home=H"]):
        services = Services()
        with pytest.raises(SystemExit):
            cli.main(arguments, obj=services)
        assert services.json
        assert services.home_path == Path("H").absolute()
    assert not (tmp_path / "H").exists()
