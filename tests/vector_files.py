"""Known answers kept in the repository: JSON files below ``tests/vectors``, one folder a family.

Each file says in ``source`` where its values come from.
"""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "vectors"


def vectors(family: str) -> list[Any]:
    """Every vector of a family as a pytest parameter named like its file.

    Raises:
        LookupError: the family is empty, so that a moved folder cannot turn a suite green.
    """

    files = sorted((FOLDER / family).glob("*.json"))
    if not files:
        raise LookupError(f"no vectors in {FOLDER / family}")
    return [pytest.param(json.loads(file.read_text()), id=file.stem) for file in files]


def vector(family: str, name: str) -> Any:
    """One vector by the name of its file."""
    return json.loads((FOLDER / family / f"{name}.json").read_text())
