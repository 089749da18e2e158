"""How long the command takes to say something, against importing what it cannot do without.

``status`` is measured in a home that holds the network's seed: without a node that answers,
and with the home's own node running. Both start the enclave and open the sealed files. The aim
is 2.5, which an idle machine of two processors reaches or misses by a tenth: reported, and not
promised.
"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.ratio import Ratio, measure
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.simulators.network_in_memory import network_in_memory

RUNS = 15
PROGRAM = str(Path(sys.executable).with_name("enigmacli"))


def ratios() -> Iterator[Ratio]:
    for argument in ("--help", "--version"):
        yield _against(f"enigmacli {argument}", "click", 2.0, PROGRAM, argument)
    with tempfile.TemporaryDirectory() as folder:
        home = _seeded_home(Path(folder))
        status = (PROGRAM, "--home", str(home), "status")
        yield _against("enigmacli status, no node", "click, httpx", None, *status)
        with _running(home):
            yield _against("enigmacli status, node runs", "click, httpx", None, *status)


def _against(name: str, modules: str, promised: float | None, *command: str) -> Ratio:
    return measure(
        f"{name} / python -c 'import {modules}'",
        partial(_run, *command),
        partial(_run, sys.executable, "-c", f"import {modules}"),
        runs=RUNS,
        promised=promised,
        clock=time.perf_counter,
    )


def _seeded_home(folder: Path) -> Path:
    """A network's first home, which talks to a port of this machine that nobody listens on."""
    (folder / "pki").mkdir()
    pki = SimulatedPki.load_or_create(folder / "pki", datetime(2026, 1, 2, tzinfo=UTC))
    root_file = folder / "root.pem"
    root_file.write_bytes(pki.root_pem)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with network_in_memory(folder, pki, root_file) as network:
        first = network.first
        first.ok("config", "set", "rpc.listen", f"127.0.0.1:{port}")
        first.ok("config", "set", "chain.node", f"http://127.0.0.1:{port}")
    return first.home


@contextmanager
def _running(home: Path) -> Iterator[None]:
    command = [PROGRAM, "--home", str(home), "start"]
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _run(PROGRAM, "--home", str(home), "wait", "--for", "synced", "--timeout", "60")
        yield
    finally:
        node.terminate()
        node.wait()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
