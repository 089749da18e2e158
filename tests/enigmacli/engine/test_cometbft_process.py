"""Finding CometBFT, reading its log, and its end, with small programs in its place."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.engine.cometbft_process import CometbftProcess, find_program, read_log_line
from enigmacli.errors import ConfigError


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o700)
    return path


@pytest.mark.parametrize("version", ["0.38.25", "v0.38.25", "0.38.23-secret.1", "0.39.4", "0.40.0"])
def test_a_program_of_a_line_that_speaks_the_same_is_found(tmp_path: Path, version: str) -> None:
    program = script(tmp_path / "cometbft", f"echo {version}")

    assert find_program(str(program)) == program


@pytest.mark.parametrize("version", ["0.37.9", "0.41.0", "1.0.1", "0.380.1", ""])
def test_another_line_is_refused(tmp_path: Path, version: str) -> None:
    program = script(tmp_path / "cometbft", f"echo {version}")

    with pytest.raises(ConfigError, match=r"0\.38, 0\.39 or 0\.40 line") as refused:
        find_program(str(program))

    assert "go install" in refused.value.hint


def test_a_program_that_fails_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not tell its version"):
        find_program(str(script(tmp_path / "cometbft", "exit 3")))


def test_without_a_path_the_one_on_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script(tmp_path / "cometbft", "echo 0.38.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("") == program
    program.unlink()

    with pytest.raises(ConfigError, match="on PATH"):
        find_program("")


def test_a_log_line_is_level_and_text() -> None:
    line = '{"level":"error","ts":"2026","_msg":"no peers","module":"p2p","n":0}'

    assert read_log_line(line) == ("error", "no peers module=p2p n=0")


def test_a_panic_is_an_error() -> None:
    assert read_log_line("panic: out of range") == ("error", "panic: out of range")


@given(st.text(max_size=200) | st.just("[" * 100_000) | st.from_regex(r'\{"level":.*\}'))
def test_any_line_is_a_level_and_a_text(line: str) -> None:
    level, text = read_log_line(line)

    assert isinstance(level, str)
    assert len(text) <= 2_000


def test_its_words_are_heard_and_its_end_is_known(tmp_path: Path) -> None:
    program = script(tmp_path / "program", 'echo "{\\"_msg\\":\\"hello\\"}"', "exit 7")
    heard: list[tuple[str, str]] = []

    process = CometbftProcess(program, tmp_path, lambda *line: heard.append(line))
    words = process.last_words
    process.stop()

    assert heard == [("error", "hello")]
    assert words == "hello"
    assert process.exit_code == 7


def test_it_runs_in_its_home_with_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMT_RPC_LADDR", "tcp://0.0.0.0:1")
    program = script(tmp_path / "program", "pwd", 'echo "$CMT_RPC_LADDR$*"')
    heard: list[str] = []

    CometbftProcess(program, tmp_path, lambda _, text: heard.append(text)).stop()

    assert set(heard) <= {str(tmp_path), f"start --home {tmp_path}"}


def test_stopping_ends_one_that_would_go_on(tmp_path: Path) -> None:
    up = threading.Event()
    program = script(tmp_path / "program", "echo up", "exec sleep 1000")

    process = CometbftProcess(program, tmp_path, lambda *_: up.set())
    assert up.wait(20)
    process.stop()

    assert process.exit_code == -15
    assert not os.path.exists(f"/proc/{process._process.pid}")  # noqa: PTH110 -- no path of ours
