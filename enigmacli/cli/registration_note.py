"""Which transaction asked for this node's registration: a note in the home.

It holds the signed transaction, written before it is sent: whoever goes on after an interruption
sends the very same bytes again, which a chain takes once. What became of it only the chain tells.
"""

import base64
import json
from pathlib import Path
from typing import Final

from enigmacli import home as homes

FILE_NAME: Final = "register_tx.json"
_MAX_BYTES: Final = 1024 * 1024


def write(home: Path, node_id: bytes, raw: bytes) -> None:
    """Note the signed transaction that asks for this node's registration.

    Raises:
        StorageError: the note cannot be written.
    """
    from enigmacli.chain.tx import tx_hash  # noqa: PLC0415 -- readers need no protobuf

    note = {
        "node_id": node_id.hex(),
        "tx_hash": tx_hash(raw).hex(),
        "tx": base64.b64encode(raw).decode(),
    }
    homes.replace(home / FILE_NAME, (json.dumps(note) + "\n").encode())


def read(home: Path, node_id: bytes) -> bytes | None:
    """The hash of the transaction that :func:`write` noted for ``node_id``, if there is one."""
    note = _note(home, node_id)
    return bytes.fromhex(note["tx_hash"]) if note else None


def read_tx(home: Path, node_id: bytes) -> bytes | None:
    """The signed transaction that :func:`write` noted for ``node_id``, if there is one."""
    note = _note(home, node_id)
    return base64.b64decode(note["tx"]) if note else None


def drop(home: Path) -> None:
    """Drop the note of a transaction that no block will hold, or whose refusal was told."""
    (home / FILE_NAME).unlink(missing_ok=True)


def _note(home: Path, node_id: bytes) -> dict[str, str] | None:
    """The note, whole and of this node; a damaged one is none: the chain is asked all the same."""
    try:
        with (home / FILE_NAME).open("rb") as file:
            note = json.loads(file.read(_MAX_BYTES))
        raw = base64.b64decode(note["tx"], validate=True)
        is_ours = bytes.fromhex(note["node_id"]) == node_id
        return note if is_ours and raw and len(bytes.fromhex(note["tx_hash"])) == 32 else None  # noqa: PLR2004 -- SHA-256
    except (OSError, ValueError, KeyError, TypeError):
        return None
