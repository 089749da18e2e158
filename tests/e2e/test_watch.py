"""``status --watch`` and ``wait`` as real processes: on a terminal, in a pipe, against a server
that hangs."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ENVIRON = {
    name: value for name, value in os.environ.items() if not name.startswith(("ENIGMA_", "NO_COL"))
}


def start(home: Path, *arguments: str, stdout: int, stderr: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "enigmacli", "--home", str(home), *arguments],
        stdin=subprocess.DEVNULL, env=ENVIRON | {"TERM": "xterm"}, stdout=stdout, stderr=stderr,
    )  # fmt: skip


def test_in_a_pipe_each_look_is_a_document_until_the_interruption(tmp_path: Path) -> None:
    watching = start(
        tmp_path / "home", "status", "--watch", "--interval", "0.1", "-o", "json",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert watching.stdout
    looks = [json.loads(watching.stdout.readline()) for _ in range(2)]
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=30)

    assert [look["state"] for look in looks] == ["no-home"] * 2
    assert looks[0]["at"] < looks[1]["at"]
    assert watching.returncode == 130
    assert json.loads(err)["error"]["code"] == "interrupted"


def test_on_a_terminal_the_view_is_drawn_over_and_the_cursor_comes_back(tmp_path: Path) -> None:
    person, terminal = pty.openpty()
    try:
        watching = start(
            tmp_path / "home", "status", "--watch", "--interval", "0.1",
            stdout=terminal, stderr=subprocess.PIPE,
        )  # fmt: skip
        shown = b""
        while b"\x1b[1A" not in shown:
            shown += os.read(person, 4096)
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
        os.set_blocking(person, False)
        shown += os.read(person, 65536)
    finally:
        os.close(person)
        os.close(terminal)

    assert watching.returncode == 130
    assert b"\x1b[?25l" in shown
    assert shown.rstrip().endswith(b"\x1b[?25h")
    assert err == b"enigmacli: error: interrupted\n"


def test_a_server_that_hangs_does_not_outlast_the_time_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        waiting = start(
            tmp_path / "home", "wait", "--for", "node", "--node", url, "--timeout", "1",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = waiting.communicate(timeout=8)

    assert (waiting.returncode, out) == (9, b"")
    assert b"not node after 1 s" in err


def test_what_can_never_come_is_said_at_once(tmp_path: Path) -> None:
    waiting = start(
        tmp_path / "home", "wait", "--for", "synced", "--timeout", "60", "-o", "json",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, err = waiting.communicate(timeout=30)

    assert waiting.returncode == 3
    assert json.loads(err)["error"]["code"] == "home-missing"
