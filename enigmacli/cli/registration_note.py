"""Which transaction asked for this node's registration: a note in the home.

It lets a wait say whether the transaction was refused or only not included yet. Nothing
else depends on it.
"""

import json
from pathlib import Path
from typing import Final

from enigmacli import home as homes

_FILE_NAME: Final = "register_tx.json"


def write(home: Path, node_id: bytes, tx_hash: bytes) -> None:
    """Note which transaction asked for this node's registration, so that a wait can look it up.

    Raises:
        StorageError: the note cannot be written.
    """
    note = {"node_id": node_id.hex(), "tx_hash": tx_hash.hex()}
    homes.replace(home / _FILE_NAME, (json.dumps(note) + "\n").encode())


def read(home: Path, node_id: bytes) -> bytes | None:
    """The hash that :func:`write` noted for ``node_id``, if there is one."""
    try:
        note = json.loads((home / _FILE_NAME).read_bytes())
        same_node = bytes.fromhex(note["node_id"]) == node_id
        return bytes.fromhex(note["tx_hash"]) if same_node else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the note only sharpens a message; nothing depends on it


def drop(home: Path) -> None:
    """Drop the note of a transaction that was refused before any block could hold it."""
    (home / _FILE_NAME).unlink(missing_ok=True)
