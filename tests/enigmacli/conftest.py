"""What several folders of tests share; a key pair takes longer to make than most tests to run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES, DcapPki
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import Platforms


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPki:
    """A simulated root and leaf, valid from 2026 on."""
    folder = tmp_path_factory.mktemp("pki")
    return SimulatedPki.load_or_create(folder, datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture(scope="session")
def dcap_pki(tmp_path_factory: pytest.TempPathFactory) -> DcapPki:
    """A simulated root and its authorities, valid from 2026 on."""
    folder = tmp_path_factory.mktemp("dcap_pki")
    return DcapPki.load_or_create(folder, datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
def pcs(dcap_pki: DcapPki, tmp_path: Path) -> SimulatedPcs:
    """A simulated PCS that nobody has told anything yet."""
    return SimulatedPcs(dcap_pki, Platforms(tmp_path / "platforms.json", PCK_KEY_BYTES))
