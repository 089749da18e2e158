"""The examples for CI jobs: each step of the workflow is run as a CI service does."""

import subprocess
from pathlib import Path

import pytest

from enigmacli.localnet.ports import free_addresses
from tests.corpus import ROOT
from tests.e2e.peer_script import surroundings
from tests.e2e.workflow_file import Step, read

pytestmark = pytest.mark.e2e

WORKFLOW = (ROOT / "examples" / "github-workflow.yml").read_text()


def run(step: Step, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", step.script],
        env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip


def test_the_workflow_is_read_whole() -> None:
    workflow = read(WORKFLOW)

    assert workflow.environment == {"INSTALL": "python3 -m pip install .", "WORK": "smoke-test"}
    assert len(workflow.steps) == WORKFLOW.count("run:") == 5
    assert len(workflow.uses) == WORKFLOW.count("uses:") == 2
    assert [step.script for step in workflow.steps if step.name == "install"] == ["$INSTALL"]
    (smoke,) = [step for step in workflow.steps if "smoke-test.sh" in step.script]
    assert smoke.script == 'mkdir -p "$WORK"\nexamples/smoke-test.sh'
    assert [step.condition for step in workflow.steps if step.name == "logs"] == ["failure()"]


def test_every_step_of_the_workflow_passes(tmp_path: Path) -> None:
    workflow = read(WORKFLOW)
    (address,) = free_addresses(1)
    adapted = {"INSTALL": "enigmad version", "WORK": str(tmp_path / "work"), "RPC": address}
    environment = surroundings(**workflow.environment | adapted, HOME=str(tmp_path))

    for step in workflow.steps:
        if step.condition:
            continue
        ran = run(step, environment)
        assert ran.returncode == 0, f"{step.name}\n{ran.stdout}\n{ran.stderr}"

    (logs,) = [step for step in workflow.steps if step.condition]
    assert "seed_ready" in run(logs, environment).stdout


def test_a_smoke_test_that_fails_ends_with_the_code_of_its_step(tmp_path: Path) -> None:
    (tmp_path / "network").write_text("a file where a folder is wanted")
    (smoke,) = [step for step in read(WORKFLOW).steps if "smoke-test.sh" in step.script]

    failed = run(smoke, surroundings(WORK=str(tmp_path), HOME=str(tmp_path)))

    assert failed.returncode == 2
    assert "all is well" not in failed.stdout
