import io
import json
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.cli.context import NotAskedError, Services
from enigmacli.cli.inputs import read_input, read_passphrase
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.output import emit, say, table, working
from enigmacli.errors import ConfigError, PassphraseError, StorageError


def services(**environ: str) -> Services:
    return Services(environ=environ)


def test_the_home_is_the_flag_then_the_variable_then_the_default() -> None:
    made = services(ENIGMA_HOME="/from/variable")

    assert made.home_path == Path("/from/variable")
    made.home_flag = "/from/flag"
    assert made.home_path == Path("/from/flag")
    assert services().home_path == Path.home() / ".enigmacli"


def test_flags_override_the_environment(tmp_path: Path) -> None:
    made = services(ENIGMA_HOME=str(tmp_path), ENIGMA_CHAIN_NODE="http://env:1")
    made.override("chain.node", "http://flag:2")

    assert made.config.chain.node == "http://flag:2"


def test_a_chain_id_that_is_not_that_of_genesis_is_refused(simulated: Any) -> None:
    made = services(ENIGMA_HOME=str(simulated.home))
    made.override("chain.chain_id", "net-9")
    with pytest.raises(ConfigError) as caught:
        _ = made.chain_id
    assert caught.value.details == {"expected": "net-1", "seen": "net-9"}


def test_the_chain_id_is_that_of_genesis_else_the_configured_one(
    simulated: Any, tmp_path: Path
) -> None:
    assert services(ENIGMA_HOME=str(simulated.home)).chain_id == "net-1"
    assert services(ENIGMA_HOME=str(tmp_path), ENIGMA_CHAIN_CHAIN_ID="x-1").chain_id == "x-1"
    with pytest.raises(ConfigError, match="not known"):
        _ = services(ENIGMA_HOME=str(tmp_path)).chain_id


def test_no_question_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    made = services()

    with pytest.raises(NotAskedError):
        made.confirm("really?")
    with pytest.raises(NotAskedError):
        made.passphrase()
    made.assume_yes = True
    made.confirm("really?")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal: the end where a person types and reads, and the end of a program."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(("typed", "agrees"), [(b"y\n", True), (b"n\n", False), (b"\n", False)])
def test_a_person_is_asked(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch, typed: bytes, *, agrees: bool
) -> None:
    person, program = terminal
    os.write(person, typed)

    with os.fdopen(os.dup(program)) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        if agrees:
            services().confirm("really?")
        else:
            with pytest.raises(NotAskedError, match="not confirmed"):
                services().confirm("really?")


def test_a_passphrase_comes_from_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"correct horse\r\nsecond line")
    made = services(ENIGMA_HOME=str(tmp_path))
    made.passphrase_file = str(tmp_path / "file")

    assert made.passphrase() == "correct horse"
    made = services(ENIGMA_HOME=str(tmp_path), ENIGMA_ACCOUNT_KEYRING_BACKEND="test")
    assert made.passphrase() == ""


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", PassphraseError), (b"\nx", PassphraseError), (b"\xff", StorageError)],
)
def test_a_file_without_passphrase_is_refused(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(error):
        read_passphrase(str(tmp_path / "file"))


def test_input_is_bounded_and_its_absence_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"12345")))
    with pytest.raises(StorageError, match="longer than 4 bytes"):
        read_input("-", 4)
    with pytest.raises(StorageError, match="no such file"):
        read_input(str(tmp_path / "missing"))


def test_the_same_warning_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    made = services()

    made.warn("beware")
    made.warn("beware")

    assert capsys.readouterr().err == "enigmacli: warning: beware\n"


def test_with_json_talk_is_left_out_and_the_document_stands_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = services()
    made.json = True

    say(made, "working")
    with working(made, "thinking"):
        pass
    emit(made, {"a": "ä\x1b"}, "text")

    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"a": "ä\x1b"}
    assert "\x1b" not in shown.out
    assert shown.err == ""


def test_without_json_the_text_is_printed_and_talk_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = services()

    say(made, "working")
    with working(made, "thinking"):
        pass
    emit(made, {"a": 1}, lambda: "text\x1b[31m")
    emit(made, {"a": 1}, "")

    shown = capsys.readouterr()
    assert shown.out == "text\\x1b[31m\n"
    assert shown.err == "working\nthinking …\n"


def test_a_terminal_shows_that_something_takes_time(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(os.dup(terminal[1]), "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        with working(services(), "thinking"):
            pass

    shown = b""
    while b"thinking" not in shown:  # a terminal hands over what it has so far
        shown += os.read(terminal[0], 4096)


def test_columns_are_aligned_and_lines_end_with_their_text() -> None:
    assert table([("a", "1"), ("long", "")]) == "a     1\nlong"
    assert table([]) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain ä 漢", "plain ä 漢"), ("a\tb\nc", "a\tb\nc"), ("\x1b[0m\r\x00", "\\x1b[0m\\r\\x00")],
)
def test_control_characters_become_visible(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_is_ascii_and_keeps_its_order() -> None:
    assert as_json({"b": "漢", "a": 1}) == '{"b":"\\u6f22","a":1}'
