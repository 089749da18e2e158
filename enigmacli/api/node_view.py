"""What the served methods see of a node: ports, which the engine fills.

The shapes are those of :mod:`enigmacli.engine`; they stand here so that what serves depends
on nothing that orders blocks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.event_query import Condition, Window
from enigmacli.chain.validators import ValidatorSet


class Row(Protocol):
    """A block as the store holds it."""

    @property
    def hash(self) -> bytes:
        """32 bytes, of the header."""

    @property
    def parts_total(self) -> int:
        """Into how many parts the block is cut."""

    @property
    def parts_hash(self) -> bytes:
        """The root over the parts."""

    @property
    def block(self) -> bytes:
        """The encoded block."""

    @property
    def seen_commit(self) -> bytes:
        """The encoded commit that decided the block."""


class Power(Protocol):
    """One validator of a height."""

    @property
    def public_key(self) -> bytes:
        """32 bytes, Ed25519."""

    @property
    def power(self) -> int:
        """At least 1."""


class Place(Protocol):
    """Where a transaction stands."""

    @property
    def height(self) -> int:
        """Of its block."""

    @property
    def index(self) -> int:
        """In its block, from 0."""


class Events(Protocol):
    """Searches transactions and blocks by their events, up to a height.

    Each method raises ``MalformedError`` for a condition that makes no sense, and
    ``SearchTooLongError`` where it gave up.
    """

    def count_txs(self, conditions: Sequence[Condition], latest: int) -> int:
        """How many transactions meet all conditions."""

    def find_txs(
        self, conditions: Sequence[Condition], latest: int, window: Window
    ) -> list[tuple[int, int]]:
        """Height and position of those within ``window``."""

    def count_blocks(self, conditions: Sequence[Condition], latest: int) -> int:
        """How many blocks meet all conditions."""

    def find_blocks(
        self, conditions: Sequence[Condition], latest: int, window: Window
    ) -> list[int]:
        """The heights of those within ``window``."""


class Store(Protocol):
    """The blocks that the node has."""

    @property
    def events(self) -> Events:
        """What they did."""

    @property
    def base(self) -> int:
        """Of the first block, 0 before it."""

    def block(self, height: int) -> Row | None:
        """The block of ``height``."""

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of the block with that hash."""

    def result(self, height: int) -> bytes | None:
        """The encoded ``ResponseFinalizeBlock`` of ``height``."""

    def validators(self, height: int) -> Sequence[Power] | None:
        """The validator set of ``height``."""

    def params(self, height: int) -> bytes | None:
        """The encoded ``ConsensusParams`` of ``height``."""


class State(Protocol):
    """The chain after its last committed block."""

    @property
    def chain_id(self) -> str:
        """Of genesis."""

    @property
    def height(self) -> int:
        """Of the last committed block, 0 before the first."""

    @property
    def validators(self) -> ValidatorSet:
        """Those of the next block."""

    @property
    def params(self) -> Any:
        """``ConsensusParams`` of the next block."""


class Mempool(Protocol):
    """The transactions that wait."""

    @property
    def size(self) -> int:
        """How many."""

    @property
    def size_bytes(self) -> int:
        """How many bytes."""

    def oldest(self, count: int) -> list[bytes]:
        """At most ``count`` of them."""


class App(Protocol):
    """The application; queries never wait for consensus."""

    def info(self) -> Any:
        """``ResponseInfo``."""

    def call(self, kind: str, message: Any) -> Any:
        """The response to a request, ``query`` or ``check_tx`` here."""


class Chain(Protocol):
    """Everything of a node that is read."""

    @property
    def genesis(self) -> GenesisDocument:
        """What the chain started from."""

    @property
    def state(self) -> State:
        """After the last committed block."""

    @property
    def store(self) -> Store:
        """Its blocks; one more than committed while a block is executed."""

    @property
    def app(self) -> App:
        """The application."""

    @property
    def mempool(self) -> Mempool:
        """What waits."""

    def committed_tx(self, tx_hash: bytes) -> Place | None:
        """Where a transaction of a committed block stands."""


class Broadcaster(Protocol):
    """Where transactions of clients go; each answer is the ``result`` member."""

    def send(self, method: str, tx: bytes) -> Any:
        """Carry out ``broadcast_tx_async``, ``_sync`` or ``_commit``.

        Raises:
            RpcError: it was not taken.
        """


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who the node is; none of the texts may be empty, for clients refuse that."""

    moniker: str
    node_id: str
    """40 lower-case hex characters: the address of the node's key."""
    listen_addr: str
    """Where peers would connect; this engine has none."""
    version: str
    """Of the CometBFT line that the engine follows; clients choose their decoder by it."""
    validator_key: bytes
    """32 bytes, Ed25519: the key of this home, a validator's or not."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A running node."""

    identity: NodeIdentity
    chain: Chain
    broadcaster: Broadcaster
    catching_up: Callable[[], bool]
    """Whether the node knows that it lacks blocks."""
    rpc_address: Callable[[], str]
    """Where this server listens, ``tcp://host:port``."""
