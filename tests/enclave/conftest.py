"""Nodes of one simulated network, for every test of the trusted side that wants them."""

from pathlib import Path

import pytest

from tests.simulators.enclave_home import EnclaveHome


@pytest.fixture
def home(tmp_path: Path) -> EnclaveHome:
    return EnclaveHome(tmp_path / "home")


@pytest.fixture
def first(tmp_path: Path) -> EnclaveHome:
    """The bootstrap node."""
    node = EnclaveHome(tmp_path / "first")
    node.bootstrap()
    return node


@pytest.fixture
def newcomer(tmp_path: Path) -> EnclaveHome:
    node = EnclaveHome(tmp_path / "newcomer")
    node.keygen()
    return node
