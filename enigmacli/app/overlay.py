"""Reading and changing state without touching what is stored.

Stores are maps from raw keys to values; the empty value means that there is none. An
:class:`Overlay` holds changes above another reader, another overlay included, so that a
transaction, and a message within it, can be undone by forgetting its overlay.
"""

from collections.abc import Mapping
from typing import Final, Protocol

Key = tuple[str, bytes]
"""Store name and raw key."""

STORES: Final = ("accounts", "bank", "params", "register", "validators")
"""The stores in the order of their names (protocol.md section 9)."""


class Reader(Protocol):
    """State at one instant."""

    def get(self, store: str, key: bytes) -> bytes:
        """The value under ``key``, empty where there is none."""

    def scan(self, store: str, prefix: bytes) -> dict[bytes, bytes]:
        """All present entries whose key begins with ``prefix``, in ascending order of keys."""


class Overlay:
    """Changes above ``below``; reads see them."""

    def __init__(self, below: Reader) -> None:
        self._below = below
        self._changes: dict[Key, bytes] = {}

    @property
    def changes(self) -> Mapping[Key, bytes]:
        """New values in the order in which their keys were first set."""
        return self._changes

    def get(self, store: str, key: bytes) -> bytes:
        """The value under ``key``, empty where there is none."""
        changed = self._changes.get((store, key))
        return self._below.get(store, key) if changed is None else changed

    def scan(self, store: str, prefix: bytes) -> dict[bytes, bytes]:
        """All present entries whose key begins with ``prefix``, in ascending order of keys."""
        found = self._below.scan(store, prefix)
        for (changed_store, key), value in self._changes.items():
            if changed_store == store and key.startswith(prefix):
                found[key] = value
        return {key: found[key] for key in sorted(found) if found[key]}

    def set(self, store: str, key: bytes, value: bytes) -> None:
        """Set a value; the empty one deletes."""
        self._changes[store, key] = value

    def delete(self, store: str, key: bytes) -> None:
        """Remove the entry under ``key``; where there is none, nothing changes."""
        if self.get(store, key):
            self._changes[store, key] = b""

    def absorb(self, above: "Overlay") -> None:
        """Keep the changes of an overlay that stands on this one."""
        self._changes.update(above.changes)


class NoState:
    """A reader in which nothing is stored."""

    def get(self, store: str, key: bytes) -> bytes:  # noqa: ARG002 -- Reader's signature
        """Nothing."""
        return b""

    def scan(self, store: str, prefix: bytes) -> dict[bytes, bytes]:  # noqa: ARG002 -- as above
        """Nothing."""
        return {}
