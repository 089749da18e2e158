"""A chain in memory: genesis, key, clock, application and store put together."""

import hashlib
from dataclasses import dataclass, field

from nacl.signing import SigningKey

from enigmacli.app.genesis import GenesisDocument, GenesisValidator
from enigmacli.chain.blocks import Block
from enigmacli.engine.app_connection import AppConnection
from enigmacli.engine.block_store import BlockStore
from enigmacli.engine.chain import Chain
from enigmacli.engine.embedded import Producer
from enigmacli.engine.events import NodeEvent
from enigmacli.engine.validator_key import Ed25519Key, SignedBlock, Signer
from tests.enigmacli.engine.key_value_app import KeyValueApp

GENESIS_US = 1_790_000_000_000_000


def make_key(name: str) -> Ed25519Key:
    """Always the same key for a name."""
    return Ed25519Key(SigningKey(hashlib.sha256(name.encode()).digest()))


def make_genesis(powers: dict[str, int], initial_height: int = 1) -> GenesisDocument:
    """A document whose validators are the named keys."""
    validators = sorted(
        (GenesisValidator(make_key(name).public_key, power) for name, power in powers.items()),
        key=lambda one: one.public_key,
    )
    return GenesisDocument(
        chain_id="kit-1",
        genesis_time_us=GENESIS_US,
        initial_height=initial_height,
        validators=tuple(validators),
    )


@dataclass
class StillClock:
    """Stands until it is moved, or moves by ``tick_s`` whenever it is looked at."""

    ns: int = GENESIS_US * 1_000 + 7_000_000_000
    tick_s: float = 0

    def now_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        self.move(self.tick_s)
        return self.ns / 1e9

    def move(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)


@dataclass
class Kit:
    """One node that makes blocks; :meth:`restart` is a new process on the same disk."""

    genesis: GenesisDocument = field(default_factory=lambda: make_genesis({"a": 10}))
    app: KeyValueApp = field(default_factory=KeyValueApp)
    store: BlockStore = field(default_factory=BlockStore)
    clock: StillClock = field(default_factory=StillClock)
    key: Ed25519Key = field(default_factory=lambda: make_key("a"))
    events: list[NodeEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> "Kit":
        connection = AppConnection(self.app.restart().handle)
        self.chain = Chain(self.genesis, self.store, connection, self.events.append)
        return self

    def start(self) -> "Kit":
        self.chain.start()
        state = self.chain.state
        self.signer = Signer(self.key, None)
        self.signer.resume(SignedBlock(state.height, state.block_id.hash))
        self.producer = Producer(self.chain, self.signer, self.clock, self.events.append)
        return self

    def send(self, *txs: bytes) -> None:
        for tx in txs:
            assert self.chain.mempool.check_tx(tx).code == 0

    def make(self, *txs: bytes) -> Block:
        self.send(*txs)
        block = self.producer.make_block()
        assert block is not None
        return block
