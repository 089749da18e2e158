import subprocess
import sys
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from enigmacli.cli import COMMANDS, cli
from enigmacli.cli.completion import SHELLS
from enigmacli.cli.context import Services
from enigmacli.config import KEYS


def offered(program: Any, line: str) -> list[str]:
    """What is offered for the last word of a line, which may be empty."""
    *words, begun = line.split(" ")
    services = Services()
    services.home_flag = str(program.home)
    asked = ShellComplete(cli, {"obj": services}, "enigmacli", "_ENIGMACLI_COMPLETE")
    return [
        item.value if item.type == "plain" else item.type
        for item in asked.get_completions(words, begun)
    ]


@pytest.fixture
def with_keys(program: Any) -> Any:
    program.ok("init", "alpha")
    for name in ("alice", "anna", "bob"):
        program.ok("keys", "add", name, "--keyring-backend", "test")
    return program


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("comp", ["completion"]),
        ("query regi", ["register"]),
        ("query register no", ["node", "nodes"]),
        ("completion ", [*SHELLS]),
        ("keys list --keyring-b", ["--keyring-backend"]),
        ("keys list --keyring-backend ", ["file", "test"]),
        ("config show chain.gas", ["chain.gas", "chain.gas_adjustment", "chain.gas_prices"]),
        ("config set output.", ["output.plain"]),
        ("explain home-", ["home-busy", "home-missing"]),
        ("attest verify ", ["file"]),
        ("attest verify --policy ", ["file"]),
        ("enclave restore ", ["dir"]),
        ("--home ", ["dir"]),
        ("nonsense ", []),
        ("keys nonsense x", []),
        ("keys list --nonsense x --keyring-backend t", ["test"]),
    ],
)
def test_a_begun_word_is_completed(program: Any, line: str, words: list[str]) -> None:
    found = offered(program, line)

    assert found[: len(words)] == words
    assert len(found) == len(words) or line == "nonsense "


def test_the_commands_and_configuration_keys_are_all_offered(program: Any) -> None:
    assert offered(program, "") == list(COMMANDS)
    assert offered(program, "config show ") == list(KEYS)


def test_every_state_is_offered(program: Any) -> None:
    assert "registered" in offered(program, "status --require ")


@pytest.mark.parametrize(
    "line",
    [
        "keys show --keyring-backend test a",
        "tx register auth --keyring-backend test --from a",
        "query balance a",
    ],
)
def test_the_names_of_this_homes_keys_are_offered(
    with_keys: Any, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("ENIGMA_ACCOUNT_KEYRING_BACKEND", "test")

    assert offered(with_keys, line) == ["alice", "anna"]


def test_whatever_is_wrong_with_the_home_offers_nothing_and_says_nothing(
    program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered(program, "keys show ") == []
    program.home.mkdir()
    (program.home / "config.toml").write_text("[chain")
    assert offered(program, "keys show ") == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_names_the_program_and_asks_it(program: Any, shell: str) -> None:
    script = program("completion", shell).out

    assert f"_ENIGMACLI_COMPLETE={shell}_complete" in script
    assert "_enigmacli_completion" in script
    assert program.ok("completion", shell) == {"shell": shell, "script": f"\n{script}"[1:]}


def test_completing_a_command_imports_no_command_and_nothing_heavy(tmp_path: Any) -> None:
    code = (
        "import os, sys\n"
        "os.environ |= {'_ENIGMACLI_COMPLETE': 'bash_complete', 'COMP_CWORD': '1',"
        " 'COMP_WORDS': 'enigmacli ke'}\n"
        "from enigmacli.cli import cli\n"
        "try:\n    cli.main([], 'enigmacli')\n"
        "except SystemExit:\n    pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert ran.stdout == "plain,keys\n"
    heavy = ("enigmacli.cli.keys", "enigmacli.config", "enclave", "httpx", "rich", "cryptography")
    assert [name for name in ran.stderr.split() if name.startswith(heavy)] == []
