"""``replay --without-enclave``: do the stored blocks give the app hashes that they carry?

The blocks run through the state machine on a fresh state in memory, outside the gate and
with no enclave; such a run can neither vote nor serve (protocol.md section 8 rule 7).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from enigmacli import protobuf
from enigmacli.app import block as app_block
from enigmacli.app.genesis import GenesisDocument
from enigmacli.app.reasons import Reason
from enigmacli.app.replay import replay
from enigmacli.chain.blocks import Block
from enigmacli.engine.block_store import BlockStore
from enigmacli.errors import ChainForkError, NotFoundError

_US_NS = 1_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """A block whose app hash was found again."""

    height: int
    app_hash: bytes


def replay_store(
    store: BlockStore, genesis: GenesisDocument, note: Callable[[Reason], None]
) -> Iterator[Replayed]:
    """Run every stored block again, and compare each app hash.

    The hash after a block is in the next block's header; that after the last one is compared
    with what the application answered when the block was executed.

    Args:
        store: of a node that does not run.
        genesis: the chain's.
        note: is told that nobody judged the bootstrap evidence.

    Raises:
        ChainForkError: another app hash, with the expected and the seen one.
        NotFoundError: there is no block.
    """
    if store.height == 0:
        raise NotFoundError("the block store is empty")
    for run in replay(genesis, _blocks(store), note=note):
        expected = _app_hash_after(store, run.height)
        if expected is not None and run.app_hash != expected:
            raise ChainForkError(
                f"replaying block {run.height} gives another app hash",
                details={"expected": expected.hex(), "seen": run.app_hash.hex()},
            )
        yield Replayed(run.height, run.app_hash)


def _blocks(store: BlockStore) -> Iterator[app_block.Block]:
    for height in range(store.base, store.height + 1):
        block = _load(store, height)
        yield app_block.Block(height, block.header.time_ns // _US_NS, block.txs)


def _app_hash_after(store: BlockStore, height: int) -> bytes | None:
    """``None`` for a last block that was saved and not executed."""
    if height < store.height:
        return _load(store, height + 1).header.app_hash
    response = store.result(height)
    if response is None:
        return None
    answer = protobuf.parse("tendermint.abci.ResponseFinalizeBlock", response)
    return bytes(answer.app_hash)


def _load(store: BlockStore, height: int) -> Block:
    row = store.block(height)
    if row is None:
        raise NotFoundError(f"the block store lacks block {height}")
    return Block.parse(row.block)
