"""Transactions that wait for a block: first in, first out, as CometBFT's ``CListMempool``.

A transaction whose CheckTx fails leaves the cache of seen hashes, so that it may come again;
a committed one stays there and is refused. After every commit the rest is checked again.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app.proto_size import proto_size
from enigmacli.engine.app_connection import AppConnection
from enigmacli.errors import EnigmaError

_NEW: Final = 0
_RECHECK: Final = 1


class MempoolError(EnigmaError):
    """The transaction was not looked at; the text is CometBFT's, clients match on it."""

    code = "mempool"


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """CometBFT's configuration names, smaller numbers."""

    size: int = 5_000
    """Transactions."""
    max_txs_bytes: int = 64 * 1024 * 1024
    max_tx_bytes: int = 1_048_576
    cache_size: int = 10_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    tx: bytes
    gas_wanted: int


class Mempool:
    """The queue between clients and the producer; safe for use by several threads."""

    def __init__(self, app: AppConnection, limits: MempoolLimits | None = None) -> None:
        self._app = app
        self._limits = limits or MempoolLimits()
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()
        self.max_data_bytes: int | None = None
        """What fits into a block; a larger transaction would bar the way for all behind it."""
        self.arrived = threading.Event()
        """Set while transactions wait; the producer sleeps on it."""

    def check_tx(self, tx: bytes) -> Any:
        """Ask the application, and queue ``tx`` if it agrees; its ``ResponseCheckTx``.

        Raises:
            MempoolError: full, too large, or seen before.
        """
        key = hashlib.sha256(tx).digest()
        self._remember(key, tx)
        taken = False
        try:
            with self._app.mempool_lock:  # one order for the answer and for the queue
                response = self._app.call("check_tx", _request(tx, _NEW))
                if taken := response.code == 0:
                    self._append(key, tx, response.gas_wanted)
        finally:
            if not taken:
                self._forget(key)
        return response

    def reap(self, max_bytes: int, max_gas: int) -> list[bytes]:
        """The oldest transactions that fit, in order; -1 is no limit."""
        txs: list[bytes] = []
        size = gas = 0
        with self._guard:
            for entry in self._waiting.values():
                size += proto_size(len(entry.tx))
                gas += entry.gas_wanted
                if (max_bytes > -1 and size > max_bytes) or (max_gas > -1 and gas > max_gas):
                    break
                txs.append(entry.tx)
        return txs

    def update(self, txs: list[bytes], codes: list[int]) -> None:
        """Take a committed block's transactions out and check the rest again.

        The caller holds the mempool's lock, so nothing is checked between the commit
        and this call.
        """
        for tx, code in zip(txs, codes, strict=True):
            key = hashlib.sha256(tx).digest()
            self._remove(key)
            if code == 0:
                self._note_seen(key)
            else:
                self._forget(key)
        for key, entry in list(self._waiting.items()):
            if self._app.call("check_tx", _request(entry.tx, _RECHECK)).code != 0:
                self._remove(key)
                self._forget(key)

    def oldest(self, count: int) -> list[bytes]:
        """At most ``count`` waiting transactions."""
        with self._guard:
            return [
                entry.tx for _, entry in zip(range(count), self._waiting.values(), strict=False)
            ]

    @property
    def size(self) -> int:
        """How many transactions wait."""
        return len(self._waiting)

    @property
    def size_bytes(self) -> int:
        """How many bytes wait."""
        return self._bytes

    def _remember(self, key: bytes, tx: bytes) -> None:
        limits = self._limits
        with self._guard:
            count, size = len(self._waiting), self._bytes
            if count >= limits.size or size + len(tx) > limits.max_txs_bytes:
                raise MempoolError(
                    f"mempool is full: number of txs {count} (max: {limits.size}), "
                    f"total txs bytes {size} (max: {limits.max_txs_bytes})"
                )
            if len(tx) > limits.max_tx_bytes:
                raise MempoolError(
                    f"Tx too large. Max size is {limits.max_tx_bytes}, but got {len(tx)}"
                )
            self._check_fits(tx)
            if key in self._seen:
                self._seen.move_to_end(key)
                raise MempoolError("tx already exists in cache")
            self._see(key)

    def _check_fits(self, tx: bytes) -> None:
        size, limit = proto_size(len(tx)), self.max_data_bytes
        if limit is not None and size > limit:
            raise MempoolError(f"tx pre check: tx size is too big: {size}, max: {limit}")

    def _see(self, key: bytes) -> None:
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > self._limits.cache_size:
            self._seen.popitem(last=False)

    def _note_seen(self, key: bytes) -> None:
        with self._guard:
            self._see(key)

    def _forget(self, key: bytes) -> None:
        with self._guard:
            self._seen.pop(key, None)

    def _append(self, key: bytes, tx: bytes, gas_wanted: int) -> None:
        with self._guard:
            if key not in self._waiting:
                self._waiting[key] = _Waiting(tx, gas_wanted)
                self._bytes += len(tx)
            self.arrived.set()

    def _remove(self, key: bytes) -> None:
        with self._guard:
            entry = self._waiting.pop(key, None)
            if entry is not None:
                self._bytes -= len(entry.tx)
            if not self._waiting:
                self.arrived.clear()


def _request(tx: bytes, kind: int) -> Any:
    return protobuf.new("tendermint.abci.RequestCheckTx", tx=tx, type=kind)
