"""Where the tests find CometBFT, and its light client as a process."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

import pytest

from enigmacli.engine.cometbft_process import real_address

VARIABLE = "ENIGMA_COMETBFT"
SECOND = "ENIGMA_COMETBFT_SECOND"
REQUIRED = "ENIGMA_COMETBFT_REQUIRED"
PATIENCE_S = 30.0


def cometbft() -> str:
    """The binary named by ENIGMA_COMETBFT, which must exist then, or the one on PATH."""
    found = _named(VARIABLE) or shutil.which("cometbft")
    if found is None:
        _do_without(f"no CometBFT on PATH and none named by {VARIABLE}; see scripts/cometbft.sh")
    return found


def second_cometbft() -> str:
    """The binary of a later line, named by ENIGMA_COMETBFT_SECOND, which must exist then."""
    found = _named(SECOND)
    if found is None:
        _do_without(f"no CometBFT of a second line named by {SECOND}; see scripts/cometbft.sh")
    lines = {_line(program) for program in (found, cometbft())}
    assert len(lines) == 2, f"{SECOND} and {VARIABLE} are both of the line {lines}"
    return found


def _named(variable: str) -> str | None:
    named = os.environ.get(variable)
    assert named is None or os.access(named, os.X_OK), f"{variable}={named} is no program"
    return named


def _line(program: str) -> str:
    """``0.38`` of ``v0.38.25``."""
    told = subprocess.run((program, "version"), capture_output=True, text=True, check=True).stdout
    return told.strip().removeprefix("v").rpartition(".")[0]


def _do_without(reason: str) -> NoReturn:
    """Skip the test, or fail where ENIGMA_COMETBFT_REQUIRED=1 says that it may not be skipped."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def processes_of(home: Path) -> list[int]:
    """The CometBFT processes that run in the home of a node of ours."""
    wanted = os.fsencode(home / "cometbft")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"start" in arguments and wanted in arguments:
            found.append(int(entry.name))
    return found


def wait_until_ended(home: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while processes_of(home):
        assert time.monotonic() < deadline, "CometBFT outlived the node"
        time.sleep(0.02)


def ask(url: str, method: str, **parameters: str) -> dict[str, Any]:
    """The answer document of one JSON-RPC method in its URI form."""
    try:
        with urllib.request.urlopen(  # noqa: S310 -- a server of the test's own on loopback
            f"{url}/{method}?{urlencode(parameters)}", timeout=PATIENCE_S
        ) as answer:
            document: dict[str, Any] = json.load(answer)
    except HTTPError as refused:
        document = json.load(refused)
    return document


@contextmanager
def light_client(program: str, node: str, chain_id: str, folder: Path) -> Iterator[str]:
    """The URL of CometBFT's light-client proxy for ``node``, which it trusts at height 1."""
    first = ask(node, "commit", height="1")["result"]["signed_header"]["commit"]["block_id"]["hash"]
    address = real_address("127.0.0.1:0")
    log = folder / "light.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            (
                program, "light", chain_id, "--primary", node, "--witnesses", node,
                "--height", "1", "--hash", first, "--home-dir", str(folder / "light"),
                "--laddr", f"tcp://{address}",
            ),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={"HOME": str(folder), "PATH": os.defpath},
        )  # fmt: skip
    try:
        _wait_for(f"http://{address}", process, log)
        yield f"http://{address}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if "result" in ask(url, "health"):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(log.read_text())
