"""What a running node has to say; the engine reports values, the command prints them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listening:
    """The JSON-RPC server accepts connections."""

    url: str
    """``http://host:port`` with the port that was bound."""


@dataclass(frozen=True, slots=True)
class AbciListening:
    """The application waits for a CometBFT that somebody else runs."""

    address: str
    """``unix:///PATH`` or ``tcp://HOST:PORT``, as CometBFT's ``proxy_app`` wants it."""


@dataclass(frozen=True, slots=True)
class WaitingForSeed:
    """The enclave holds no seed yet; reported once for each try."""

    tries: int


@dataclass(frozen=True, slots=True)
class SeedReady:
    """The gate is open: the enclave holds the network's seed."""

    exchange_pk: bytes


@dataclass(frozen=True, slots=True)
class ChainReady:
    """The handshake with the application is done; ``replayed`` blocks were executed again."""

    chain_id: str
    height: int
    app_hash: bytes
    replayed: int


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """A block was executed and committed."""

    height: int
    block_hash: bytes
    app_hash: bytes
    """The state after this block; the next block's header carries it."""
    txs: int


@dataclass(frozen=True, slots=True)
class ProposalRefused:
    """The node's own application refused its own proposal; it is tried again."""

    height: int


@dataclass(frozen=True, slots=True)
class ProducerStopped:
    """The own key holds no more than 2/3 of the power, so this engine makes no more blocks."""

    height: int
    """The height that is not made."""
    own_power: int
    total_power: int


@dataclass(frozen=True, slots=True)
class SourceLost:
    """The followed node does not answer; it is asked again after ``retry_s``."""

    reason: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class SourceBack:
    """The followed node answers again."""

    height: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The follower executed every block that the followed node has."""

    height: int
    app_hash: bytes


@dataclass(frozen=True, slots=True)
class AppReason:
    """Why the application decided as it did; worth a log line."""

    text: str
    kind: str = ""
    count: int = 0
    """How often this kind came since the node started, this one included; 0: not counted."""


@dataclass(frozen=True, slots=True)
class EngineLog:
    """A line of CometBFT's own log."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that no honest network shows; an operator must look at it."""

    text: str
    height: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The node has shut down cleanly."""


NodeEvent = (
    Listening
    | AbciListening
    | WaitingForSeed
    | SeedReady
    | ChainReady
    | BlockCommitted
    | ProposalRefused
    | ProducerStopped
    | SourceLost
    | SourceBack
    | CaughtUp
    | AppReason
    | EngineLog
    | Alarm
    | Stopped
)
Report = Callable[[NodeEvent], None]
