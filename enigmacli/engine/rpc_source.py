"""The followed node over JSON-RPC."""

import base64
from typing import Any, Final

import httpx

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.blocks import Block, Commit
from enigmacli.chain.rpc import RpcClient
from enigmacli.errors import GenesisError, UntrustedAnswerError

_POLL_TIMEOUT_S: Final = 10.0
_FORWARD_TIMEOUT_S: Final = 20.0
"""Longer than ``broadcast_tx_commit`` waits for its block."""


class RpcSource:
    """A :class:`~enigmacli.engine.follower.BlockSource` that asks a node's JSON-RPC.

    Args:
        url: of the followed node.
        transport: what carries requests; tests put a function in its place.

    Raises:
        ConfigError: ``url`` is no such address.
    """

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._rpc = RpcClient(url, _POLL_TIMEOUT_S, transport=transport)
        self._forward = RpcClient(url, _FORWARD_TIMEOUT_S, transport=transport)

    def close(self) -> None:
        """Give connections back."""
        self._rpc.close()
        self._forward.close()

    def latest(self) -> tuple[str, int]:
        """Chain id and height, as the server says."""
        status = self._rpc.status()
        return status.network, status.latest_block_height

    def genesis(self) -> GenesisDocument:
        """The document that the server started from.

        Raises:
            UntrustedAnswerError: it is not one that this program could start from.
        """
        try:
            return GenesisDocument.from_value(self._rpc.genesis())
        except GenesisError as error:
            raise UntrustedAnswerError(
                f"the followed node's genesis is malformed: {error.message}"
            ) from error

    def block(self, height: int) -> Block:
        """The block of ``height``; the id that the server adds is not looked at."""
        return self._rpc.block(height).block

    def commit(self, height: int) -> Commit:
        """The votes for the block of ``height``."""
        return self._rpc.commit(height).commit

    def broadcast(self, method: str, tx: bytes) -> Any:
        """Hand a transaction on, and give the answer back as it came."""
        return self._forward.call(method, tx=base64.b64encode(tx).decode())
