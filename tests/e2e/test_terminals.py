"""The program on a real terminal: narrow, dumb, without colours, without letters, plain."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigmacli.simulated_intel.pki import SimulatedPki
from tests.e2e.terminal import PROGRAM, environment, on_terminal

pytestmark = pytest.mark.e2e

CLOSED = "http://127.0.0.1:1"
SPINS = ("attest", "fetch", "--provider", "ias", "--url", CLOSED, "--retries", "0")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which evidence may be asked for, of a service that is not there."""
    folder = tmp_path_factory.mktemp("terminals") / "home"
    root = folder.parent / "root.pem"
    root.write_bytes(SimulatedPki.load_or_create(folder.parent, datetime.now(UTC)).root_pem)
    for arguments in (
        ("init", "alpha", "--simulated", "--chain-id", "net-1", "--ias-root", str(root)),
        ("keys", "add", "alice", "--keyring-backend", "test"),
        ("config", "set", "account.keyring_backend", "test"),
        ("enclave", "keygen"),
    ):
        piped(folder, *arguments)
    return folder


def piped(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """A call without any terminal."""
    return subprocess.run(
        [*PROGRAM, "--home", str(home), *arguments],
        env=environment(**variables), stdin=subprocess.DEVNULL, capture_output=True, check=False,
        timeout=60,
    )  # fmt: skip


def shown(home: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and everything that a terminal got."""
    command = (*PROGRAM, "--home", str(home), *arguments)
    with on_terminal(command, environment(**variables)) as screen:
        return screen.end(), screen.text


def test_a_good_terminal_sees_a_coloured_spinner_and_the_cursor_comes_back(home: Path) -> None:
    code, text = shown(home, *SPINS)

    assert code == 4
    assert "⠋" in text
    assert "\x1b[32m" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "enigmacli: error: " in text


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}], ids=lambda variables: next(iter(variables))
)
def test_colours_are_left_out_where_they_are_not_welcome(
    home: Path, variables: dict[str, str]
) -> None:
    code, text = shown(home, *SPINS, **variables)

    assert code == 4
    assert "⠋" in text
    assert "\x1b[3" not in text


@pytest.mark.parametrize(
    "variables", [{"TERM": "dumb"}, {"ENIGMA_OUTPUT_PLAIN": "true"}], ids=["dumb", "plain"]
)
def test_nothing_moves_on_a_dumb_terminal_and_in_plain_mode(
    home: Path, variables: dict[str, str]
) -> None:
    code, text = shown(home, *SPINS, **variables)

    assert code == 4
    assert "\x1b" not in text
    assert "\r" not in text
    assert "asking for evidence: ias" in text


def test_without_a_terminal_there_are_plain_lines(home: Path) -> None:
    ran = piped(home, *SPINS)

    assert ran.returncode == 4
    assert ran.stdout == b""
    assert b"\x1b" not in ran.stderr
    assert b"asking for evidence: ias" in ran.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "iso-8859-1"},
    ],
    ids=["ascii", "iso-8859-1"],
)
def test_a_locale_without_the_letters_gets_others_in_their_place(
    home: Path, variables: dict[str, str]
) -> None:
    code, text = shown(home, *SPINS, **variables)
    ran = piped(home, *SPINS, **variables)

    assert code == ran.returncode == 4
    assert text.isascii()
    assert ran.stderr.isascii()
    assert b"asking for evidence: ias" in ran.stderr
    assert b" ...\n" in ran.stderr


def test_help_fits_a_terminal_of_40_columns(home: Path) -> None:
    command = (*PROGRAM, "--home", str(home), "tx", "register", "auth", "--help")

    with on_terminal(command, environment(), columns=40) as screen:
        code, text = screen.end(), screen.text

    help_text, _, _ = text.partition("\nExamples:\n")
    assert code == 0
    assert max(map(len, help_text.splitlines())) <= 40


def test_plain_mode_says_one_fact_a_line(home: Path) -> None:
    code, text = shown(home, "keys", "list", "--plain")

    assert code == 0
    assert text.startswith("alice: enigma1")


def test_json_is_the_same_on_every_terminal_but_for_its_layout(home: Path) -> None:
    arguments = ("keys", "list", "-o", "json")
    _, text = shown(home, *arguments, TERM="dumb", LC_ALL="C", PYTHONUTF8="0")

    assert json.loads(text) == json.loads(piped(home, *arguments).stdout)


def test_a_standard_stream_that_is_closed_is_no_bug(home: Path) -> None:
    command = [*PROGRAM, "--home", str(home), "keys", "list"]
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run(
            command, stdout=write, stderr=subprocess.PIPE, env=environment(), check=False,
            timeout=60,
        )  # fmt: skip
    finally:
        os.close(write)

    assert (ran.returncode, ran.stderr) == (0, b"")
