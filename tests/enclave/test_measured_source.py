"""What runs is what was measured, and nothing beside it."""

import importlib.util
import os
import py_compile
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import enclave
from enclave.client import EnclaveClient
from enclave.measurement import measure
from tests.simulators.attested_network import AttestedNetwork

PACKAGE: Final = Path(enclave.__file__).parent
MEASUREMENT: Final = measure(PACKAGE)
NETWORK: Final = AttestedNetwork(MEASUREMENT)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[EnclaveClient]:
    with EnclaveClient.keys(package=None, state=tmp_path / "state") as started:
        yield started


def test_the_named_package_runs_and_is_measured(tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "enclave"
    for source in PACKAGE.rglob("*.py"):
        target = copy / source.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    with (copy / "service.py").open("a") as changed:
        changed.write("print('no frame', flush=True)\n")

    with EnclaveClient.keys(package=tmp_path / "copy", state=tmp_path / "state") as other:
        status = other.status()

    assert status.measurement == measure(copy) != MEASUREMENT
    assert not list(copy.rglob("*.pyc"))


def copied(folder: Path) -> Path:
    """A folder with a copy of the trusted package's sources."""
    shutil.copytree(PACKAGE, folder / "enclave", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_what_runs_is_the_measured_source_and_no_cached_bytecode(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    source = folder / "enclave" / "measurement.py"
    genuine = source.read_bytes()
    stamp = source.stat().st_mtime_ns
    forged = genuine + b"raise SystemExit(7)\n"
    source.write_bytes(forged)
    py_compile.compile(str(source), doraise=True)
    cached = Path(importlib.util.cache_from_source(str(source)))
    header, code = cached.read_bytes()[:16], cached.read_bytes()[16:]
    cached.write_bytes(header[:12] + len(genuine).to_bytes(4, "little") + code)  # passes as fresh
    source.write_bytes(genuine)
    os.utime(source, ns=(stamp, int.from_bytes(header[8:12], "little") * 10**9))

    with EnclaveClient.keys(package=folder, state=tmp_path / "state") as started:
        assert started.status().measurement == MEASUREMENT


def test_files_beside_the_package_stand_in_for_no_other_module(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "hmac.py").write_text("raise SystemExit(7)\n")

    with EnclaveClient.keys(package=folder, state=tmp_path / "state") as started:
        assert started.status().measurement == MEASUREMENT
