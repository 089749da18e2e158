"""The embedded engine: one validator that holds more than 2/3 of the power makes the blocks.

Blocks are CometBFT's to the byte: real headers, real precommits, last commits whose median
time is the block's time. A block is made at once after the initial block and after each
block that changed the app hash (``consensus/state.go``, ``needProofBlock``), soon after
transactions arrive, and otherwise every few seconds.

The commit for the newest block carries the time of its making, as a validator's vote does.
When the next block is made, the vote is signed again with that block's time, which must be
the median of its last commit; both votes are for one block, so they contradict nothing, as
CometBFT's *seen* and *canonical* commits may differ.
"""

import threading
import time
from dataclasses import replace
from typing import Final, Protocol

from enigmacli.chain.blocks import (
    Block,
    BlockFlag,
    BlockId,
    Commit,
    CommitSig,
    ValidatorSet,
    make_block_id,
    vote_sign_bytes,
)
from enigmacli.engine import requests
from enigmacli.engine.chain import Chain
from enigmacli.engine.chain_state import ChainState
from enigmacli.engine.events import ProducerStopped, ProposalRefused, Report
from enigmacli.engine.stopping import sleep_until_stopped
from enigmacli.engine.validator_key import SignedBlock, Signer

MIN_STEP_NS: Final = 1_000_000
"""A block's time is at least this much after the one before."""

_ACCEPT: Final = 1
_RETRY_S: Final = 1.0
_LOOK_AGAIN_S: Final = 0.2


class Clock(Protocol):
    """Wall clock for block times, monotonic clock for intervals."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SystemClock:
    """The machine's clock; block times in whole microseconds."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, a multiple of 1000."""
        return time.time_ns() // 1_000 * 1_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class Producer:
    """Makes one block after the other.

    Args:
        chain: started.
        signer: resumed from the chain's store.
        clock: where times come from.
        report: told what happens.
        block_interval_s: the shortest time between two blocks with transactions.
        empty_blocks_interval_s: the longest time between two blocks.
    """

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        clock: Clock,
        report: Report,
        *,
        block_interval_s: float = 1.0,
        empty_blocks_interval_s: float = 5.0,
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._clock = clock
        self._report = report
        self._block_interval_s = block_interval_s
        self._empty_blocks_interval_s = empty_blocks_interval_s
        self._last_made = clock.monotonic() - empty_blocks_interval_s

    def run(self, stop: threading.Event) -> None:
        """Make blocks until told to stop, or until the own key may not decide alone.

        Args:
            stop: ends the run.

        Raises:
            StoppedError: ``stop`` was set.
        """
        self._wait_for_genesis_time(stop)
        while self._may_decide():
            self._wait_for_reason(stop)
            made = self.make_block()
            if made is None:
                self._report(ProposalRefused(self._chain.state.next_height))
                sleep_until_stopped(stop, _RETRY_S)

    def make_block(self) -> Block | None:
        """Propose, check, sign, save, execute and commit one block.

        ``None`` where the own application refused the proposal; nothing was signed then.
        """
        state = self._chain.state
        time_ns = self._next_time(state)
        last_commit = self._last_commit(state, time_ns)
        block = self._propose(state, last_commit, time_ns)
        block_id = make_block_id(block)
        if not self._accepts(state, block, block_id):
            return None
        commit = self._vote(state, block, block_id)
        self._chain.save(block, block_id, commit)
        self._signer.save()
        self._last_made = self._clock.monotonic()
        self._chain.execute_saved(block, block_id)
        return block

    # --- one block -------------------------------------------------------------------------

    def _next_time(self, state: ChainState) -> int:
        if state.height == 0:
            return state.time_ns
        return max(state.time_ns + MIN_STEP_NS, self._clock.now_ns())

    def _last_commit(self, state: ChainState, time_ns: int) -> Commit:
        """The canonical commit for the last block, its vote dated with the next block's time."""
        if state.last_validators is None:
            return Commit()
        return self._commit(
            state.chain_id, state.height, state.block_id, state.last_validators, time_ns
        )

    def _propose(self, state: ChainState, last_commit: Commit, time_ns: int) -> Block:
        proposer = self._signer.key.address
        txs = self._chain.mempool.reap(state.max_data_bytes, state.max_gas)
        answer = self._chain.app.call(
            "prepare_proposal",
            requests.prepare_proposal(state, txs, last_commit, proposer, time_ns),
        )
        return state.block(tuple(answer.txs), last_commit, proposer, time_ns)

    def _accepts(self, state: ChainState, block: Block, block_id: BlockId) -> bool:
        request = requests.process_proposal(state, block, block_id.hash)
        return bool(self._chain.app.call("process_proposal", request).status == _ACCEPT)

    def _vote(self, state: ChainState, block: Block, block_id: BlockId) -> Commit:
        header = block.header
        vote_time = max(self._clock.now_ns(), header.time_ns + MIN_STEP_NS)
        return self._commit(state.chain_id, header.height, block_id, state.validators, vote_time)

    def _commit(
        self,
        chain_id: str,
        height: int,
        block_id: BlockId,
        validators: ValidatorSet,
        time_ns: int,
    ) -> Commit:
        """A commit with the own vote; every other place is absent."""
        address = self._signer.key.address
        places = [
            CommitSig(BlockFlag.COMMIT, address, time_ns)
            if member.address == address
            else CommitSig(BlockFlag.ABSENT)
            for member in validators.validators
        ]
        own = next(at for at, place in enumerate(places) if place.flag is BlockFlag.COMMIT)
        commit = Commit(height, 0, block_id, tuple(places))
        sign_bytes = vote_sign_bytes(chain_id, commit, own)
        signature = self._signer.sign(SignedBlock(height, block_id.hash), sign_bytes)
        places[own] = replace(places[own], signature=signature)
        return replace(commit, signatures=tuple(places))

    # --- when ------------------------------------------------------------------------------

    def _may_decide(self) -> bool:
        state = self._chain.state
        own = next(
            (
                one.power
                for one in state.validators.validators
                if one.address == self._signer.key.address
            ),
            0,
        )
        if own * 3 > state.validators.total * 2:
            return True
        self._report(ProducerStopped(state.next_height, own, state.validators.total))
        return False

    def _wait_for_genesis_time(self, stop: threading.Event) -> None:
        state = self._chain.state
        while state.height == 0 and state.time_ns > self._clock.now_ns():
            rest_s = (state.time_ns - self._clock.now_ns()) / 1e9
            sleep_until_stopped(stop, min(max(rest_s, 0.001), 1.0))

    def _wait_for_reason(self, stop: threading.Event) -> None:
        """Return when the next block is due; transactions that arrive bring it nearer."""
        mempool = self._chain.mempool
        while (rest_s := self._rest_s()) > 0:
            waker = stop if mempool.size else mempool.arrived
            waker.wait(min(rest_s, _LOOK_AGAIN_S))
            sleep_until_stopped(stop, 0)
        sleep_until_stopped(stop, 0)

    def _rest_s(self) -> float:
        if self._needs_proof():
            return 0.0
        waiting = self._chain.mempool.size > 0
        interval = self._block_interval_s if waiting else self._empty_blocks_interval_s
        return self._last_made + interval - self._clock.monotonic()

    def _needs_proof(self) -> bool:
        """Whether the last block's outcome still lacks a header that carries it."""
        state = self._chain.state
        if state.height in (0, state.initial_height):
            return True
        row = self._chain.store.block(state.height)
        return row is not None and Block.parse(row.block).header.app_hash != state.app_hash
