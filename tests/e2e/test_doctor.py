"""``doctor`` beside a running node: real sockets, a real enclave process, a real disk."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.child import Child, run_command
from enigmacli.engine.cometbft_process import real_address

pytestmark = pytest.mark.e2e

TEST_KEYS = ("--keyring-backend", "test")
LIMIT_S = 30


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a running first node, which a service attested."""
    folder = tmp_path_factory.mktemp("doctor")
    home, logs = folder / "first", folder / "logs"
    at_home = ("--home", str(home))
    listen = ("--listen", "127.0.0.1:0", "--state", str(folder / "intel"))
    with Child("intel", ("ias", "serve", *listen), logs) as intel:
        url = str(intel.listening()["url"])
        run_command(
            "init", "first", "--simulated", "--chain-id", "doctor-1", "--ias-root", url, *at_home
        )
        run_command("keys", "add", "first", *TEST_KEYS, *at_home)
        address = real_address("127.0.0.1:0")
        for key, value in (
            ("attestation.ias_url", url), ("rpc.listen", address), ("chain.node", f"http://{address}"),
        ):  # fmt: skip
            run_command("config", "set", key, value, *at_home)
        run_command("bootstrap", *TEST_KEYS, *at_home)
        with Child("node", ("start", "--empty-blocks-interval", "0.5", *at_home), logs) as started:
            started.listening()
            yield home


def examined(home: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    document = run_command("doctor", *arguments, "--home", str(home))
    return {finding["id"]: finding for finding in document["findings"]}


def test_a_running_node_is_in_order(node: Path) -> None:
    found = examined(node)

    assert "doctor.incomplete" not in found
    assert found["ports.rpc"]["seen"].startswith("this home's process listens on")
    assert found["home.process"]["seen"].startswith("process ")
    good = ("node.answers", "node.synced", "chain.genesis", "clock.node", "clock.service")
    assert {found[check]["severity"] for check in good} == {"ok"}


def test_a_node_that_is_silent_is_a_service_s_failure_within_the_time_limit(node: Path) -> None:
    silent = real_address("127.0.0.1:0")
    line = ["doctor", "--only", "node", "--node", f"http://{silent}", "--home", str(node)]

    ran = subprocess.run(
        [sys.executable, "-m", "enigmacli", *line],
        check=False, capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip

    assert ran.returncode == 4
    assert "node.answers" in ran.stdout
    assert "Traceback" not in ran.stderr
