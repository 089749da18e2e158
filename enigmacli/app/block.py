"""What the state machine executes, and what comes of it."""

from dataclasses import dataclass

from enclave.calls import AdmitReply
from enigmacli.chain.results import TxResult


@dataclass(frozen=True, slots=True)
class Block:
    """A block, as far as the state depends on it."""

    height: int
    at_us: int
    """Block time in microseconds since the Unix epoch."""
    txs: tuple[bytes, ...]
    """Raw transactions, confirms included."""


@dataclass(frozen=True, slots=True)
class CommittedConfirm:
    """A register that was carried out: what its enclaves were asked, and what they answered."""

    place: int
    """Of the register in its block; the confirm stands behind it."""
    certificate: bytes
    owner: bytes
    """20 bytes: the sender, or zeros where the policy requires no owner."""
    at_us: int
    """Block time in microseconds since the Unix epoch."""
    confirm: AdmitReply


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What a block came to; the changes of state are in the overlay it was executed on."""

    tx_results: tuple[TxResult, ...]
    """One for each transaction, in order."""
    validator_updates: tuple[tuple[bytes, int], ...]
    """(32-byte Ed25519 key, new power) of each changed key, sorted by key; power 0 removes."""
    confirms: tuple[CommittedConfirm, ...]
    """In the order of the block."""
    registers: tuple[int, ...]
    """Places of the transactions that ask to register, whatever came of them."""
    gas_wanted: int
    """Gas limits of all transactions that could be read."""
