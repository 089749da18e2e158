"""The chain as this node executes it: handshake, save, execute, commit.

The order of writing is CometBFT's: block with its commit, FinalizeBlock, its response,
Commit, recheck of the mempool (``state/execution.go``, ``consensus/replay.go``). So on
restart the application is at the height of the block store or below, and what is missing
is executed again; an application above the store is refused.
"""

import threading
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.blocks import (
    Block,
    BlockId,
    Commit,
    Validator,
    ValidatorSet,
    encode_block,
    results_hash,
)
from enigmacli.engine import requests
from enigmacli.engine.app_connection import AppCallError, AppConnection
from enigmacli.engine.block_store import BlockStore, Power, StoredBlock, TxPlace
from enigmacli.engine.chain_state import ChainState, update_params
from enigmacli.engine.events import BlockCommitted, ChainReady, Report
from enigmacli.engine.mempool import Mempool
from enigmacli.errors import ConfigError

_PARAMS: Final = "tendermint.types.ConsensusParams"
_RESPONSE: Final = "tendermint.abci.ResponseFinalizeBlock"


class HandshakeError(ConfigError):
    """Application, block store and genesis do not belong together."""

    code = "chain-state"


class Chain:
    """State, store, application and mempool of one node; one thread applies blocks.

    Args:
        genesis: what the chain starts from.
        store: the blocks, possibly of an earlier run.
        app: the application behind its gate.
        report: told about every block.
    """

    def __init__(
        self, genesis: GenesisDocument, store: BlockStore, app: AppConnection, report: Report
    ) -> None:
        self.genesis = genesis
        self.store = store
        self.app = app
        self.mempool = Mempool(app)
        self._report = report
        self._state: ChainState | None = None
        self._committed = threading.Condition()

    @property
    def state(self) -> ChainState:
        """The chain after the last executed block.

        Raises:
            HandshakeError: :meth:`start` has not been called.
        """
        if self._state is None:
            raise HandshakeError("the chain has not been started")
        return self._state

    # --- handshake -------------------------------------------------------------------------

    def start(self) -> None:
        """Bring application and store to one height; past the gate.

        Raises:
            HandshakeError: they do not belong together.
        """
        info = self.app.info()
        stored, executed = self.store.height, info.last_block_height
        if executed > stored:
            raise HandshakeError(
                f"the application is at height {executed}, the block store at {stored}",
                hint="bring back the newer block store, or remove the application's state",
            )
        if executed == 0:
            self._init_chain(info.app_version, stored)
            self._state = self._state_at_genesis()
        else:
            self._state = self._state_at(executed)
        if executed > 0 and self._state.app_hash != info.last_block_app_hash:
            raise _hash_differs(executed, self._state.app_hash, info.last_block_app_hash)
        self._replay(stored)
        state = self.state
        self.mempool.max_data_bytes = state.max_data_bytes
        first_executed = max(executed + 1, self.genesis.initial_height)
        replayed = max(0, stored - first_executed + 1)
        self._report(ChainReady(state.chain_id, state.height, state.app_hash, replayed))

    def _init_chain(self, app_version: int, stored: int) -> None:
        genesis = self.genesis
        validators = ValidatorSet.of(
            Validator.of(one.public_key, one.power) for one in genesis.validators
        )
        answer = self.app.call("init_chain", requests.init_chain(genesis, validators))
        if stored > 0:
            expected = self.store.genesis_app_hash or b""
            if answer.app_hash != expected:
                raise _hash_differs(0, expected, answer.app_hash)
            return
        if answer.validators:
            validators = ValidatorSet.of(
                Validator.of(one.pub_key.ed25519, one.power) for one in answer.validators
            )
        params = genesis.consensus.to_message()
        params.version.app = app_version
        params = update_params(params, answer.consensus_params)
        self.store.save_genesis(
            genesis.initial_height,
            answer.app_hash,
            _powers(validators),
            params.SerializeToString(),
        )

    def _replay(self, stored: int) -> None:
        while self.state.height < stored:
            height = self.state.next_height
            row = self._stored(height)
            before = self.store.result(height)
            self._execute(Block.parse(row.block), _block_id(row))
            if before is not None:
                expected = protobuf.parse(_RESPONSE, before).app_hash
                if expected != self.state.app_hash:
                    raise _hash_differs(height, expected, self.state.app_hash)

    # --- blocks ----------------------------------------------------------------------------

    def apply(self, block: Block, block_id: BlockId, commit: Commit) -> None:
        """Save a decided next block, execute and commit it.

        Args:
            block: checked by the caller.
            block_id: of that block.
            commit: the votes that decided it.

        Raises:
            StorageError: the store refuses.
            Exception: the application failed; the process must end.
        """
        self.save(block, block_id, commit)
        self.execute_saved(block, block_id)

    def save(self, block: Block, block_id: BlockId, commit: Commit) -> None:
        """Save a decided next block, durably."""
        self.store.save_block(
            StoredBlock(
                block.header.height,
                block_id.hash,
                block_id.parts_total,
                block_id.parts_hash,
                encode_block(block),
                commit.encode(),
            )
        )

    def execute_saved(self, block: Block, block_id: BlockId) -> None:
        """Execute and commit a block that is in the store, and tell everybody."""
        self._execute(block, block_id)
        state = self.state
        with self._committed:
            self._committed.notify_all()
        self._report(BlockCommitted(state.height, block_id.hash, state.app_hash, len(block.txs)))

    def _execute(self, block: Block, block_id: BlockId) -> None:
        state, height = self.state, block.header.height
        response = self.app.call(
            "finalize_block", requests.finalize_block(state, block, block_id.hash)
        )
        if len(response.tx_results) != len(block.txs):
            raise AppCallError(
                f"{len(response.tx_results)} results for {len(block.txs)} transactions"
            )
        after = state.after(block.header, block_id, response)
        codes = [result.code for result in response.tx_results]
        self.store.save_result(
            height,
            response.SerializeToString(),
            [(tx, code == 0) for tx, code in zip(block.txs, codes, strict=True)],
            _powers(after.next_validators),
            after.params.SerializeToString(),
        )
        with self.app.mempool_lock:
            self.app.call("commit", protobuf.new("tendermint.abci.RequestCommit"))
            self._state = after
            self.mempool.max_data_bytes = after.max_data_bytes
            self.mempool.update(list(block.txs), codes)

    # --- waiting ---------------------------------------------------------------------------

    def wait_for_tx(self, tx_hash: bytes, timeout_s: float) -> int | None:
        """The height of the committed block that holds the transaction.

        ``None`` after ``timeout_s`` seconds without one.
        """
        with self._committed:
            self._committed.wait_for(lambda: self.committed_tx(tx_hash), timeout_s)
        place = self.committed_tx(tx_hash)
        return place.height if place else None

    def committed_tx(self, tx_hash: bytes) -> TxPlace | None:
        """Where a transaction stands, once its block is committed and not only saved."""
        place = self.store.tx(tx_hash)
        return place if place and place.height <= self.state.height else None

    # --- reading the store -----------------------------------------------------------------

    def _state_at_genesis(self) -> ChainState:
        initial = self.genesis.initial_height
        return ChainState.at_genesis(
            chain_id=self.genesis.chain_id,
            initial_height=initial,
            genesis_time_us=self.genesis.genesis_time_us,
            validators=self._validators(initial),
            params=self._params(initial),
            app_hash=self.store.genesis_app_hash or b"",
        )

    def _state_at(self, height: int) -> ChainState:
        """The chain after a block whose result is in the store."""
        row = self._stored(height)
        response = self.store.result(height)
        if response is None:
            raise HandshakeError(f"the block store lacks the result of height {height}")
        executed = protobuf.parse(_RESPONSE, response)
        return ChainState(
            chain_id=self.genesis.chain_id,
            initial_height=self.genesis.initial_height,
            height=height,
            block_id=_block_id(row),
            time_ns=Block.parse(row.block).header.time_ns,
            last_validators=self._validators(height),
            validators=self._validators(height + 1),
            next_validators=self._validators(height + 2),
            params=self._params(height + 1),
            app_hash=executed.app_hash,
            last_results_hash=results_hash(executed.tx_results),
        )

    def _stored(self, height: int) -> StoredBlock:
        row = self.store.block(height)
        if row is None:
            raise HandshakeError(f"the block store lacks block {height}")
        return row

    def _validators(self, height: int) -> ValidatorSet:
        powers = self.store.validators(height)
        if powers is None:
            raise HandshakeError(f"the block store lacks the validators of height {height}")
        return ValidatorSet.of(Validator.of(one.public_key, one.power) for one in powers)

    def _params(self, height: int) -> Any:
        params = self.store.params(height)
        if params is None:
            raise HandshakeError(f"the block store lacks the parameters of height {height}")
        return protobuf.parse(_PARAMS, params)


def _powers(validators: ValidatorSet) -> list[Power]:
    return [Power(one.public_key, one.power) for one in validators.validators]


def _block_id(row: StoredBlock) -> BlockId:
    return BlockId(row.hash, row.parts_total, row.parts_hash)


def _hash_differs(height: int, expected: bytes, seen: bytes) -> HandshakeError:
    return HandshakeError(
        f"the application's state at height {height} is not the one of the stored chain",
        hint="bring back a matching block store and application state",
        details={"expected": expected.hex(), "seen": seen.hex()},
    )
