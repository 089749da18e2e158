"""What a node remembers about register transactions that wait in its mempool.

In memory only and about this node only: nothing here is state, and no vote depends on it
(protocol.md section 8.1).
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass

from enigmacli.app.refusals import RefusedError, RegisterCode

MAX_MISSES = 3
"""Own proposals that contained a transaction while the decided block lacked it."""
MAX_WAIT_BLOCKS = 100
"""How long a register may wait."""
_KEEP_BLOCKS = 2 * MAX_WAIT_BLOCKS  # a note outlives its transaction's stay in the mempool


@dataclass(slots=True)
class Note:
    """About one register transaction."""

    first_seen: int
    """Height of the last block when it came."""
    node_id: bytes
    valid_until_us: int
    """The last instant at which its evidence is acceptable."""
    misses: int = 0
    refusal: tuple[RegisterCode, str] | None = None
    """Code and log line of the own enclave's refusal in PrepareProposal."""


class RegisterNotes:
    """The notes by transaction hash; shared by the threads of consensus and CheckTx."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[bytes, Note] = {}
        self._proposed: tuple[int, frozenset[bytes]] = (0, frozenset())

    def find(self, tx_hash: bytes) -> Note | None:
        """The note about a transaction, if there is one."""
        with self._lock:
            return self._notes.get(tx_hash)

    def add(self, tx_hash: bytes, note: Note) -> None:
        """Keep a note about a transaction that CheckTx accepted."""
        with self._lock:
            self._notes[tx_hash] = note

    def drop(self, tx_hash: bytes) -> None:
        """Forget a transaction."""
        with self._lock:
            self._notes.pop(tx_hash, None)

    def refuse(self, tx_hash: bytes, refusal: RefusedError) -> None:
        """Note that the own enclave refused a transaction."""
        note = self.find(tx_hash)
        if note is not None:
            note.refusal = (RegisterCode(refusal.code), refusal.log)

    def propose(self, height: int, tx_hashes: Collection[bytes]) -> None:
        """Note which registers the own answer for a height contains; counted once a height."""
        known, hashes = self._proposed
        earlier = hashes if known == height else frozenset()
        self._proposed = (height, earlier.union(tx_hashes))

    def commit(self, height: int, tx_hashes: Collection[bytes]) -> None:
        """Note a decided block: forget what is in it, count what an own proposal had besides."""
        proposed_height, proposed = self._proposed
        missed = proposed.difference(tx_hashes) if proposed_height == height else frozenset()
        with self._lock:
            for tx_hash in tx_hashes:
                self._notes.pop(tx_hash, None)
            for tx_hash in missed & self._notes.keys():
                self._notes[tx_hash].misses += 1
            oldest = height - _KEEP_BLOCKS
            self._notes = {key: one for key, one in self._notes.items() if one.first_seen >= oldest}
