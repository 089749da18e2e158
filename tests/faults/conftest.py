"""One simulated network per test; its root's keys are made once per process."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigmacli.simulated_intel.pki import SimulatedPki
from tests.simulators.network_in_memory import NetworkInMemory, network_in_memory


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPki:
    folder = tmp_path_factory.mktemp("pki")
    return SimulatedPki.load_or_create(folder, datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
def network(tmp_path: Path, pki: SimulatedPki) -> Iterator[NetworkInMemory]:
    root_file = tmp_path / "root.pem"
    root_file.write_bytes(pki.root_pem)
    with network_in_memory(tmp_path, pki, root_file) as made:
        yield made


@pytest.fixture(autouse=True)
def _unhurried_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a disk keeps is simulated here, so nobody waits for the real one."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
