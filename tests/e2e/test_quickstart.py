"""The main job as a new user runs it: real processes, free ports, one command."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

PROGRAM = (sys.executable, "-m", "enigmacli")
PATIENCE_S = 120


def run_quickstart(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PROGRAM, "quickstart", *options),
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip


def told(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    document: dict[str, Any] = json.loads(run.stdout)
    return document


def processes_below(folder: Path) -> list[int]:
    """The processes whose command line names ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in command:
                found.append(int(entry.name))
    return found


def wait_until_none_is_left(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while processes_below(folder):
        assert time.monotonic() < deadline, "a child outlived its parent"
        time.sleep(0.05)


def test_the_story_ends_with_both_nodes_at_one_height_and_app_hash(tmp_path: Path) -> None:
    folder = tmp_path / "kept"

    story = told(run_quickstart("--keep", str(folder), "-o", "json"))

    assert [phase["title"].split(":")[0] for phase in story["phases"]] == [
        "Before", "Phase 1", "Phase 2", "Phase 3",
    ]  # fmt: skip
    assert story["simulation"] is True
    assert story["height"] >= 3
    assert re.fullmatch("[0-9a-f]{64}", story["app_hash"])
    assert processes_below(folder) == []


def test_the_same_story_is_told_with_dcap(tmp_path: Path) -> None:
    folder = tmp_path / "kept"

    story = told(run_quickstart("--provider", "dcap", "--keep", str(folder), "-o", "json"))

    assert story["height"] >= 3
    assert (folder / "second" / "attestation_combined.bin").is_file()
    genesis = json.loads((folder / "first" / "config" / "genesis.json").read_text())
    policy = genesis["app_state"]["register"]["params"]
    assert policy["evidence_kinds"] == ["dcap-sgx", "dcap-tdx"]
    assert processes_below(folder) == []


def test_a_kept_folder_is_resumed_with_the_same_node_and_seed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = told(run_quickstart("--keep", str(folder), "-o", "json"))
    seed = (folder / "first" / "enclave" / "seed.sealed").read_bytes()

    again = told(run_quickstart("--keep", str(folder), "-o", "json"))

    assert again["node_id"] == first["node_id"]
    assert again["app_hash"] == first["app_hash"]  # nothing was sent twice
    assert again["height"] >= first["height"]
    assert (folder / "first" / "enclave" / "seed.sealed").read_bytes() == seed


@pytest.mark.parametrize("milestone", ["enigmacli start --bootstrap", "tx register auth"])
def test_children_die_with_a_killed_parent_and_the_same_command_completes(
    tmp_path: Path, milestone: str
) -> None:
    folder = tmp_path / "kept"
    with subprocess.Popen(
        (*PROGRAM, "quickstart", "--keep", str(folder)),
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    ) as parent:  # fmt: skip
        assert parent.stderr
        for line in parent.stderr:
            if milestone in line:
                break
        parent.send_signal(signal.SIGKILL)
    wait_until_none_is_left(folder)

    assert told(run_quickstart("--keep", str(folder), "-o", "json"))["height"] >= 3


def test_without_keep_nothing_is_left_behind(tmp_path: Path) -> None:
    run = subprocess.run(
        (*PROGRAM, "quickstart"),
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert "both nodes are at height" in run.stdout
    assert "warning: simulation" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_polite_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        (*PROGRAM, "quickstart"),
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as parent:  # fmt: skip
        assert parent.stderr
        for line in parent.stderr:
            if "enigmacli init first" in line:
                break
        parent.send_signal(signal.SIGTERM)
        parent.stderr.read()

    assert parent.returncode == 130
    assert list(tmp_path.iterdir()) == []
