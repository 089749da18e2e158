"""Access to the shared corpus of real evidence and known answers, which lies outside the project.

``ENIGMA_CORPUS`` names its folder. Where it is absent, tests that need it are skipped with
that reason; with ``ENIGMA_CORPUS_REQUIRED=1`` its absence is a failure.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def corpus_dir() -> Path:
    """The corpus folder; skips the test, or fails where it is required, if there is none."""
    folder = Path(os.environ.get("ENIGMA_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        reason = f"no corpus of real evidence at {folder} (set ENIGMA_CORPUS)"
        if os.environ.get("ENIGMA_CORPUS_REQUIRED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@cache
def load(name: str) -> Any:
    """The JSON file ``name`` (a path below the corpus folder)."""
    return json.loads((corpus_dir() / name).read_text())


def names(folder: str) -> list[str]:
    """The JSON files of one corpus folder, for parametrization; empty where there is no corpus.

    A test that uses this must also assert, in a test of its own that calls
    :func:`corpus_dir` first, that the list is not empty.
    """
    root = Path(os.environ.get("ENIGMA_CORPUS", ROOT.parent / "shared" / "corpus"))
    return sorted(f"{folder}/{path.name}" for path in (root / folder).glob("*.json"))
