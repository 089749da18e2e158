"""What several folders of tests share; a key pair takes longer to make than most tests to run."""

from datetime import UTC, datetime

import pytest

from enigmacli.simulated_intel.pki import SimulatedPki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPki:
    """A simulated root and leaf, valid from 2026 on."""
    folder = tmp_path_factory.mktemp("pki")
    return SimulatedPki.load_or_create(folder, datetime(2026, 1, 2, tzinfo=UTC))
