"""Where a client's transactions go: into the own mempool, or on to the followed node."""

import hashlib
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.api.rpc_error import RpcError
from enigmacli.chain.answers import BroadcastAnswer, BroadcastCommitAnswer
from enigmacli.chain.results import TxResult
from enigmacli.chain.rpc_json import to_json
from enigmacli.engine.chain import Chain
from enigmacli.engine.follower import BlockSource
from enigmacli.engine.mempool import MempoolError
from enigmacli.errors import EnigmaError

COMMIT_TIMEOUT_S: Final = 10.0
"""How long ``broadcast_tx_commit`` waits for a block, as CometBFT does."""


class LocalBroadcaster:
    """Puts transactions into this node's own mempool."""

    def __init__(self, chain: Chain, commit_timeout_s: float = COMMIT_TIMEOUT_S) -> None:
        self._chain = chain
        self._commit_timeout_s = commit_timeout_s

    def send(self, method: str, tx: bytes) -> Any:
        """Check and queue ``tx``; see :class:`~enigmacli.api.node_view.Broadcaster`."""
        try:
            checked = TxResult.of(self._chain.mempool.check_tx(tx))
        except MempoolError as error:
            prefix = "error on broadcastTxCommit: " if method == "broadcast_tx_commit" else ""
            raise RpcError.internal(f"{prefix}{error.message}") from error
        tx_hash = hashlib.sha256(tx).digest()
        if method == "broadcast_tx_commit":
            return self._commit(tx_hash, checked)
        if method == "broadcast_tx_async":
            # the answer says nothing of the outcome; checking first keeps the work bounded
            checked = TxResult()
        return to_json(
            BroadcastAnswer(checked.code, checked.data, checked.log, checked.codespace, tx_hash)
        )

    def _commit(self, tx_hash: bytes, checked: TxResult) -> Any:
        if checked.code != 0:
            return to_json(BroadcastCommitAnswer(checked, TxResult(), tx_hash, 0))
        height = self._chain.wait_for_tx(tx_hash, self._commit_timeout_s)
        place = self._chain.committed_tx(tx_hash)
        raw = self._chain.store.result(height) if height else None
        if height is None or place is None or raw is None:
            raise RpcError.internal("timed out waiting for tx to be included in a block")
        response = protobuf.parse("tendermint.abci.ResponseFinalizeBlock", raw)
        result = TxResult.of(response.tx_results[place.index])
        return to_json(BroadcastCommitAnswer(checked, result, tx_hash, height))


class ForwardingBroadcaster:
    """Hands transactions on to the followed node, which makes the blocks."""

    def __init__(self, source: BlockSource) -> None:
        self._source = source

    def send(self, method: str, tx: bytes) -> Any:
        """Hand ``tx`` on; see :class:`~enigmacli.api.node_view.Broadcaster`."""
        try:
            return self._source.broadcast(method, tx)
        except EnigmaError as error:
            raise RpcError.internal(error.message) from error
