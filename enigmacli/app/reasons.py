"""What is worth a log line or a counter, as values; the engine writes and counts them."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that the application noticed; ``kind`` is stable and names the counter."""

    kind: ClassVar[str] = "reason"


@dataclass(frozen=True, slots=True)
class ProposalRefused(Reason):
    """Why ProcessProposal voted against a block."""

    kind: ClassVar[str] = "proposal-refused"
    height: int
    rule: str
    """A stable name: ``pairing``, ``confirm-differs``, ``register-fails``, ``register-refused``,
    ``limit``, ``enclave-unavailable``, ``exception``."""
    detail: str
    """One line, with what was expected and seen."""
    place: int = -1
    """The transaction's place in the block, -1 for the block as a whole."""


@dataclass(frozen=True, slots=True)
class DroppedFromProposal(Reason):
    """Why PrepareProposal left out a transaction that waits in the mempool."""

    kind: ClassVar[str] = "dropped-from-proposal"
    height: int
    tx_hash: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class EnclaveUnavailable(Reason):
    """The own enclave did not answer, so registrations wait."""

    kind: ClassVar[str] = "enclave-unavailable"
    request: str
    """The ABCI request in which it happened."""
    detail: str


@dataclass(frozen=True, slots=True)
class AdvanceFailed(Reason):
    """The enclave was not told the block's time; the next block's covers it."""

    kind: ClassVar[str] = "advance-failed"
    height: int
    detail: str


@dataclass(frozen=True, slots=True)
class RequestFailed(Reason):
    """A bug while answering CheckTx or Query; the caller got the code ``internal``."""

    kind: ClassVar[str] = "request-failed"
    request: str
    detail: str


@dataclass(frozen=True, slots=True)
class BootstrapNotJudged(Reason):
    """A replay without an enclave: nobody judged the bootstrap evidence."""

    kind: ClassVar[str] = "bootstrap-not-judged"
