"""A chain in memory for a follower to fetch, honest or altered on its way."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.blocks import (
    Block,
    BlockFlag,
    Commit,
    CommitSig,
    make_block_id,
    vote_sign_bytes,
)
from enigmacli.engine.follower import BlockSource, Follower
from enigmacli.errors import (
    NotFoundError,
    ServiceUnavailableError,
)
from tests.enigmacli.engine.chain_kit import Kit, make_key


@dataclass
class MemorySource:
    """A node's blocks without HTTP; ``lie`` alters them, ``failures`` come first."""

    kit: Kit
    lie: Callable[[Block, Commit], tuple[Block, Commit]] = lambda block, commit: (block, commit)
    chain_id: str = "kit-1"
    failures: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def latest(self) -> tuple[str, int]:
        self._called("latest")
        return self.chain_id, self.kit.chain.state.height

    def genesis(self) -> GenesisDocument:
        self._called("genesis")
        return self.kit.genesis

    def block(self, height: int) -> Block:
        self._called("block")
        return self._pair(height)[0]

    def commit(self, height: int) -> Commit:
        self._called("commit")
        return self._pair(height)[1]

    def broadcast(self, method: str, tx: bytes) -> Any:
        raise ServiceUnavailableError(f"{method} of {tx!r} is not part of these tests")

    def _pair(self, height: int) -> tuple[Block, Commit]:
        row = self.kit.store.block(height)
        if row is None:
            raise NotFoundError("no such height")
        return self.lie(Block.parse(row.block), Commit.parse(row.seen_commit))

    def _called(self, name: str) -> None:
        self.asked.append(name)
        if self.failures:
            raise self.failures.pop(0)


def make_source(**values: Any) -> MemorySource:
    kit = Kit().start()
    kit.make()
    kit.make(b"x=1", b"fail=1")
    kit.make()
    return MemorySource(kit, **values)


def make_follower(source: BlockSource, kit: Kit | None = None) -> tuple[Kit, Follower]:
    kit = kit or Kit()
    kit.chain.start()
    return kit, Follower(kit.chain, source, kit.events.append, poll_interval_s=0.001)


def resign(block: Block, name: str = "a") -> tuple[Block, Commit]:
    """The commit that key ``name`` would give for ``block``."""
    key = make_key(name)
    block_id = make_block_id(block)
    place = CommitSig(BlockFlag.COMMIT, key.address, block.header.time_ns + 5)
    commit = Commit(block.header.height, 0, block_id, (place,))
    signature = key.sign(vote_sign_bytes(block.header.chain_id, commit, 0))
    return block, replace(commit, signatures=(replace(place, signature=signature),))
