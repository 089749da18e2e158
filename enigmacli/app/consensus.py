"""The requests that make blocks: from InitChain to Commit (protocol.md section 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from enclave.errors import EnclaveError
from enigmacli.app import abci_messages as abci
from enigmacli.app.app_state import AppState
from enigmacli.app.block import Block, BlockResult, CommittedConfirm
from enigmacli.app.errors import RequestOrderError
from enigmacli.app.execute import execute
from enigmacli.app.init_chain import Start, initial_state, judge_bootstrap
from enigmacli.app.notes import RegisterNotes
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.ports import Admitter
from enigmacli.app.proposals import Preparation, refuse_proposal
from enigmacli.app.reasons import AdvanceFailed, ProposalRefused, Reason, RequestFailed
from enigmacli.app.state import PendingState, StateStore
from enigmacli.chain.tx import tx_hash

_ACCEPT: Final = 1
_REJECT: Final = 2


@dataclass(frozen=True, slots=True)
class Base:
    """What the next block stands on; a new one after each InitChain and Commit."""

    state: Reader
    """For consensus: what is committed, or before the first block the genesis state."""
    latest: Reader
    """The same for CheckTx, which may read in another thread."""
    height: int
    """0 before the first block."""
    next_height: int
    at_us: int
    """Time of the last block, or genesis time."""
    chain_id: str
    initial_height: int
    genesis: Overlay | None = None
    """Before the first block, all that is not stored yet."""


@dataclass(frozen=True, slots=True)
class _Executed:
    """A block, executed beside the store."""

    base: Base
    block: Block
    state: Overlay
    """After the block; not to be changed."""
    result: BlockResult


@dataclass(frozen=True, slots=True)
class _Pending:
    """A block that is finalized and not committed."""

    block: Block
    result: BlockResult
    state: PendingState


class Consensus:
    """The state machine of one node as the consensus engine drives it."""

    def __init__(
        self,
        store: StateStore,
        admitter: Admitter | None,
        notes: RegisterNotes,
        note: Callable[[Reason], None],
    ) -> None:
        self._store = store
        self._admitter = admitter
        self._notes = notes
        self._note = note
        self._executed: _Executed | None = None
        self._pending: _Pending | None = None
        self._confirms: tuple[int, tuple[CommittedConfirm, ...]] = (0, ())
        self._base = self._stored_base()

    def check_base(self) -> Base | None:
        """What CheckTx judges by; None before the chain has started."""
        return self._base

    def committed_confirms(self, height: int) -> tuple[CommittedConfirm, ...]:
        """The admissions of block ``height`` if it is the last committed one, else nothing."""
        last, confirms = self._confirms
        return confirms if last == height else ()

    def init_chain(self, request: Any) -> Any:
        """Build the genesis state; may come again until the first block is committed.

        Raises:
            RequestOrderError: the chain has started, or there is no enclave to judge.
            GenesisError: the genesis document breaks a rule.
            EnclaveError: the own enclave refuses the bootstrap evidence, or does not answer.
        """
        if self._store.meta.height:
            raise RequestOrderError("InitChain came after the first block")
        if self._admitter is None:
            raise RequestOrderError("InitChain needs an enclave that judges the bootstrap evidence")
        start = _read_start(request)
        genesis = initial_state(start)
        judge_bootstrap(start, self._admitter)
        self._pending = None
        self._base = genesis_base(start, genesis)
        return abci.new("ResponseInitChain", app_hash=self._store.prepare(genesis.changes).app_hash)

    def prepare_proposal(self, request: Any) -> Any:
        """Answer with a block of what waits; on a bug with an empty one."""
        base = self._started()
        preparation = Preparation(
            state=Overlay(base.state),
            height=request.height,
            at_us=abci.to_us(request.time),
            max_tx_bytes=request.max_tx_bytes,
            admitter=self._admitter,
            notes=self._notes,
        )
        try:
            result = preparation.prepare(request.txs)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 -- the chain goes on without this proposal
            self._note(RequestFailed("prepare_proposal", f"{type(error).__name__}: {error}"))
            txs = []
        else:
            txs = preparation.txs  # the proposer votes on its own block, too
            block = Block(request.height, preparation.at_us, tuple(txs))
            self._executed = _Executed(base, block, preparation.state, result)
        for reason in preparation.reasons:
            self._note(reason)
        return abci.new("ResponsePrepareProposal", txs=txs)

    def process_proposal(self, request: Any) -> Any:
        """Vote on a block; why it is refused goes out as a reason."""
        base = self._started()
        block = abci.to_block(request)
        try:
            refused = refuse_proposal(
                base.state, block, self._admitter, lambda: self._execute(base, block).result
            )
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 -- a block that cannot be executed is refused
            detail = f"{type(error).__name__}: {error}"
            refused = ProposalRefused(block.height, "exception", detail)
        if refused is not None:
            self._note(refused)
        return abci.new("ResponseProcessProposal", status=_REJECT if refused else _ACCEPT)

    def finalize_block(self, request: Any) -> Any:
        """Execute a decided block; replaces what was finalized and not committed.

        Raises:
            RequestOrderError: not the next height.
        """
        base = self._started()
        block = abci.to_block(request)
        if block.height != base.next_height:
            raise RequestOrderError(
                f"FinalizeBlock of height {block.height}, expected {base.next_height}"
            )
        executed = self._execute(base, block)
        state, result = _with_genesis(self._store, base, executed.state), executed.result
        self._pending = _Pending(block, result, state)
        return abci.new(
            "ResponseFinalizeBlock",
            tx_results=[abci.from_result("ExecTxResult", one) for one in result.tx_results],
            validator_updates=abci.from_powers(result.validator_updates),
            app_hash=state.app_hash,
        )

    def commit(self) -> Any:
        """Persist the finalized block, then tell the enclave its time.

        Raises:
            RequestOrderError: no block is finalized.
            StorageError: the state could not be written.
        """
        if self._pending is None:
            raise RequestOrderError("Commit came without a finalized block")
        base, pending = self._started(), self._pending
        keep_block(self._store, base, pending.block, pending.state)
        self._pending = self._executed = None
        self._base = self._stored_base()
        self._confirms = (pending.block.height, pending.result.confirms)
        self._notes.commit(pending.block.height, [tx_hash(raw) for raw in pending.block.txs])
        self._advance(pending.block)
        return abci.new("ResponseCommit")

    def _advance(self, block: Block) -> None:
        if self._admitter is None:
            return
        try:
            self._admitter.advance(block.at_us)
        except EnclaveError as error:
            self._note(AdvanceFailed(block.height, f"{error.code}: {error}"))

    def _execute(self, base: Base, block: Block) -> _Executed:
        """Execute a block, unless it is the one that was executed last.

        Execution is a pure function of the two, so that Process need not repeat what Prepare
        did, nor Finalize what Process did.
        """
        last = self._executed
        if last is None or last.base is not base or last.block != block:
            state = Overlay(base.state)
            last = self._executed = _Executed(base, block, state, execute(state, block))
        return last

    def _started(self) -> Base:
        if self._base is None:
            raise RequestOrderError("the chain has not started: InitChain comes first")
        return self._base

    def _stored_base(self) -> Base | None:
        return stored_base(self._store)


def stored_base(store: StateStore) -> Base | None:
    """What the next block stands on, None before the first block."""
    meta = store.meta
    if not meta.height:
        return None
    return Base(
        state=store,
        latest=store.latest(),
        height=meta.height,
        next_height=meta.height + 1,
        at_us=meta.at_us,
        chain_id=meta.chain_id,
        initial_height=meta.initial_height,
    )


def genesis_base(start: Start, genesis: Overlay) -> Base:
    """What the first block stands on."""
    return Base(
        state=genesis,
        latest=genesis,
        height=0,
        next_height=start.initial_height,
        at_us=start.at_us,
        chain_id=start.chain_id,
        initial_height=start.initial_height,
        genesis=genesis,
    )


def run_block(store: StateStore, base: Base, block: Block) -> tuple[PendingState, BlockResult]:
    """Execute a block beside the store: what it would become, and the results."""
    state = Overlay(base.state)
    result = execute(state, block)
    return _with_genesis(store, base, state), result


def _with_genesis(store: StateStore, base: Base, state: Overlay) -> PendingState:
    """What a block's changes make of the store; the first one's stand on genesis."""
    changes = dict(base.genesis.changes if base.genesis else {})
    changes.update(state.changes)
    return store.prepare(changes)


def keep_block(store: StateStore, base: Base, block: Block, state: PendingState) -> None:
    """Make a block part of the store.

    Raises:
        StorageError: it could not be written.
    """
    store.commit(
        state,
        height=block.height,
        at_us=block.at_us,
        chain_id=base.chain_id,
        initial_height=base.initial_height,
    )


def _read_start(request: Any) -> Start:
    return Start(
        chain_id=request.chain_id,
        at_us=abci.to_us(request.time),
        initial_height=max(request.initial_height, 1),
        max_bytes=request.consensus_params.block.max_bytes,
        max_gas=request.consensus_params.block.max_gas,
        powers=abci.read_powers(request.validators),
        app_state=AppState.parse(request.app_state_bytes),
    )
