"""Processes that outlive their command: found, ended, never taken for another."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enigmacli.errors import EnigmaError, HomeBusyError
from enigmacli.localnet import recorded_exec
from enigmacli.localnet.processes import Background, Owner, descendants, started_at

FOREVER = ("-c", "print(flush=True); import time; time.sleep(1000)")
STUBBORN = (
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, 1); print(flush=True); time.sleep(1000)",
)


@contextmanager
def recorded(folder: Path, program: tuple[str, ...]) -> Iterator[Background]:
    """A Python program that has recorded itself and said a first word."""
    (folder / "run").mkdir(exist_ok=True)
    process = subprocess.Popen(
        (sys.executable, "-I", recorded_exec.__file__, str(folder / "run" / "it.json"),
         sys.executable, *program),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        yield Background(folder, "it")
    finally:
        process.kill()
        process.communicate()


def test_who_runs_is_known_while_it_runs(tmp_path: Path) -> None:
    assert Background(tmp_path, "it").owner() is None

    with recorded(tmp_path, FOREVER) as background:
        owner = background.owner()

        assert owner is not None
        assert started_at(owner.pid) == owner.started
    assert background.owner() is None


@pytest.mark.parametrize(("program", "how"), [(FOREVER, "stopped"), (STUBBORN, "killed")])
def test_stopping_asks_first(tmp_path: Path, program: tuple[str, ...], how: str) -> None:
    with recorded(tmp_path, program) as background:
        assert background.stop(timeout_s=0.5) == how

        assert background.owner() is None
        assert background.stop() == "not running"


def test_killing_ends_it_at_once(tmp_path: Path) -> None:
    with recorded(tmp_path, STUBBORN) as background:
        before = background.owner()

        assert background.kill() == before
        assert background.kill() is None


def test_a_second_one_of_a_name_does_not_start(tmp_path: Path) -> None:
    with recorded(tmp_path, FOREVER) as background:
        before = background.owner()
        second = subprocess.run(
            (sys.executable, "-I", recorded_exec.__file__, str(tmp_path / "run" / "it.json"),
             sys.executable, "-c", "print('started')"),
            capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip

        assert (second.returncode, second.stdout) == (1, "")
        assert "running already" in second.stderr
        assert background.owner() == before


def test_another_process_of_the_same_pid_is_not_signalled() -> None:
    with subprocess.Popen((sys.executable, *FOREVER), stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        started = started_at(stranger.pid)
        assert started is not None

        Owner(stranger.pid, started - 1).signal(signal.SIGKILL)
        still_runs = stranger.poll() is None
        Owner(stranger.pid, started).signal(signal.SIGKILL)
        code = stranger.wait(20)

    assert still_runs
    assert code == -signal.SIGKILL


def test_a_record_that_is_held_and_names_nobody_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    record = tmp_path / "run" / "it.json"
    record.write_text('{"pid": 1, "started": -1}')
    with record.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(HomeBusyError, match="does not name"):
            Background(tmp_path, "it").owner()


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    background = Background(tmp_path, "it")

    with pytest.raises(EnigmaError, match="no home") as failed:
        background.start("start", "--home", str(tmp_path / "none"))

    assert failed.value.code == "home-missing"
    assert background.owner() is None


def test_children_of_children_are_found() -> None:
    program = "import subprocess, sys; subprocess.run((sys.executable, *sys.argv[1:]))"
    with subprocess.Popen(
        (sys.executable, "-c", program, *FOREVER), stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()

        found = descendants(os.getpid())
        for one in found:
            one.signal(signal.SIGKILL)

    assert parent.pid in {one.pid for one in found}
    assert len(found) >= 2


def test_events_are_whole_lines_from_a_place_on(tmp_path: Path) -> None:
    background = Background(tmp_path, "it")
    assert list(background.events()) == []
    background.log.parent.mkdir()
    background.log.write_text('{"event": "old"}\nnoise\n[1]\n{"event": "new"}\n{"event": "cu')

    assert [one["event"] for one in background.events()] == ["old", "new"]
    assert [one["event"] for one in background.events(17)] == ["new"]
