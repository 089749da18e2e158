"""A chain keeps the genesis document that it started from.

The policy never changes within a network (protocol.md section 2), and neither does the rest;
an edit after the first block would reach the judge and the validators' list unnoticed.
"""

import hashlib
from pathlib import Path
from typing import Final

from enigmacli import home
from enigmacli.app.genesis import GenesisDocument
from enigmacli.errors import GenesisError

GUARD_FILE: Final = "genesis.sha256"
"""In a node's data folder: the hash of the document as this program writes it."""

_MAX_BYTES: Final = 128


def check_unchanged(data_dir: Path, genesis: GenesisDocument, height: int) -> None:
    """Note which genesis this node starts from, or compare it once there are blocks.

    Args:
        data_dir: the node's data folder.
        genesis: as it is now.
        height: of the last committed block, 0 before the first.

    Raises:
        GenesisError: the chain started from another document.
        StorageError: the note cannot be read or written.
    """
    file = data_dir / GUARD_FILE
    seen = hashlib.sha256(genesis.encode()).hexdigest()
    if not height or not file.exists():
        home.replace(file, f"{seen}\n".encode())
        return
    expected = home.read(file, _MAX_BYTES).decode("ascii", "replace").strip()
    if expected != seen:
        raise GenesisError(
            "this chain started from another genesis document",
            hint="bring the document back; another policy is another network, in another home",
            details={"expected": expected, "seen": seen},
        )
