"""Typed ABCI calls over an application that takes bytes.

Consensus and mempool have a lock each, and queries none: the application answers them from
a read-only connection, so a slow one never delays a block.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from enigmacli import protobuf

_REQUEST: Final = "tendermint.abci.Request"
_RESPONSE: Final = "tendermint.abci.Response"
ABCI_VERSION: Final = "2.0.0"
BLOCK_PROTOCOL: Final = 11
P2P_PROTOCOL: Final = 8
COMETBFT_VERSION: Final = "0.38.25"
"""The line whose behaviour this engine follows; named to the application and to clients."""


class AppConnection:
    """The application as the engine calls it.

    Args:
        handle: answers one encoded request. Queries come from any thread at any time, CheckTx
            from one thread at a time, everything else from one thread at a time.
    """

    def __init__(self, handle: Callable[[bytes], bytes]) -> None:
        self._handle = handle
        self._consensus = threading.RLock()
        self.mempool_lock = threading.RLock()
        """Held during every CheckTx, and during a commit with the recheck behind it."""

    def call(self, kind: str, message: Any) -> Any:
        """Send the request ``kind``; the response message of the same kind."""
        if kind == "query":
            return _exchange(self._handle, kind, message)
        with self.mempool_lock if kind == "check_tx" else self._consensus:
            return _exchange(self._handle, kind, message)

    def info(self) -> Any:
        """The application's last committed height and hash."""
        return self.call("info", info_request())


def info_request() -> Any:
    """What CometBFT says of itself in Info."""
    return protobuf.new(
        "tendermint.abci.RequestInfo",
        version=COMETBFT_VERSION,
        block_version=BLOCK_PROTOCOL,
        p2p_version=P2P_PROTOCOL,
        abci_version=ABCI_VERSION,
    )


def _exchange(handle: Callable[[bytes], bytes], kind: str, message: Any) -> Any:
    request = protobuf.new(_REQUEST, **{kind: message})
    response = protobuf.parse(_RESPONSE, handle(request.SerializeToString()))
    seen = response.WhichOneof("value")
    if seen == "exception":
        raise AppCallError(f"the application failed in {kind}: {response.exception.error}")
    if seen != kind:
        raise AppCallError(f"the application answered {kind} with {seen}")
    return getattr(response, kind)


class AppCallError(RuntimeError):
    """The application broke the protocol; a bug that ends the process."""
