"""Running stored blocks again, outside the gate and with no enclave at all.

The state after each block depends on genesis and the blocks alone, so that anybody can
check a chain's app hashes; such a run can neither vote nor serve (protocol.md section 8.7).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from enigmacli.app.block import Block, BlockResult
from enigmacli.app.consensus import genesis_base, keep_block, run_block, stored_base
from enigmacli.app.errors import RequestOrderError
from enigmacli.app.genesis import GenesisDocument
from enigmacli.app.init_chain import Start, initial_state
from enigmacli.app.reasons import BootstrapNotJudged, Reason
from enigmacli.app.state import StateStore


@dataclass(frozen=True, slots=True)
class ReplayedBlock:
    """What a block came to when it was run again."""

    height: int
    app_hash: bytes
    """After the block; in the header of the next one."""
    result: BlockResult


def replay(
    genesis: GenesisDocument,
    blocks: Iterable[Block],
    *,
    note: Callable[[Reason], None],
    store: StateStore | None = None,
) -> Iterator[ReplayedBlock]:
    """Execute ``blocks`` in their order, from genesis on.

    Nobody judges the bootstrap evidence; ``note`` is told so before the first block.

    Args:
        genesis: the chain's.
        blocks: from the initial height on, without a gap.
        note: takes the reason; it belongs on the operator's screen.
        store: an empty one that takes the state; by default one in memory.

    Raises:
        GenesisError: the genesis document breaks a rule.
        RequestOrderError: a block is missing, or the store is not empty.
    """
    note(BootstrapNotJudged())
    store = store or StateStore.memory()
    if store.meta.height:
        raise RequestOrderError("a replay starts from an empty state")
    start = Start.of(genesis)
    base = genesis_base(start, initial_state(start))
    for block in blocks:
        if block.height != base.next_height:
            raise RequestOrderError(f"replay of height {block.height}, expected {base.next_height}")
        state, result = run_block(store, base, block)
        keep_block(store, base, block, state)
        base = stored_base(store) or base
        yield ReplayedBlock(block.height, state.app_hash, result)
