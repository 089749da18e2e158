import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.measurement import SIMULATED_SIGNER, measure


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "inner" / "b.py").write_text("b = 1\n")
    return tmp_path


def test_the_same_sources_measure_the_same_anywhere(package: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "copy"
    (elsewhere / "inner").mkdir(parents=True)
    (elsewhere / "inner" / "b.py").write_text("b = 1\n")
    (elsewhere / "a.py").write_text("a = 1\n")
    before = measure(elsewhere)

    (elsewhere / "__pycache__").mkdir()
    (elsewhere / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"cache")
    (elsewhere / "notes.txt").write_text("no code")

    assert measure(elsewhere) == before
    assert len(before) == 32
    assert measure(package) != before  # it holds the copy too


@pytest.mark.parametrize(
    "change",
    [
        lambda p: (p / "a.py").write_text("a = 2\n"),
        lambda p: (p / "a.py").rename(p / "c.py"),
        lambda p: (p / "inner" / "b.py").rename(p / "b.py"),
        lambda p: (p / "new.py").write_text(""),
        lambda p: (p / "inner" / "b.py").unlink(),
    ],
)
def test_any_change_of_the_sources_changes_the_measurement(
    package: Path, change: Callable[[Path], object]
) -> None:
    before = measure(package)

    change(package)

    assert measure(package) != before


@pytest.mark.parametrize("dependency", ["cryptography", "pynacl", "cffi"])
def test_another_version_of_a_dependency_changes_the_measurement(
    package: Path, monkeypatch: pytest.MonkeyPatch, dependency: str
) -> None:
    before = measure(package)
    genuine = importlib.metadata.version
    monkeypatch.setattr(
        "enclave.measurement.version",
        lambda name: "0.0.0" if name == dependency else genuine(name),
    )

    assert measure(package) != before


def test_the_simulated_signer_is_a_digest() -> None:
    assert len(SIMULATED_SIGNER) == 32
