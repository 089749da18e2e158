"""What an examination asks of a node; :class:`enigmacli.chain.rpc.RpcClient` answers it."""

from typing import Any, Protocol

from enigmacli.chain.answers import NodeStatus
from enigmacli.chain.queries import Rpc


class NodeRpc(Rpc, Protocol):
    """A node's JSON-RPC, which may lie."""

    def status(self) -> NodeStatus:
        """Who the node is and how far it came."""
        ...

    def genesis(self) -> dict[str, Any]:
        """The genesis document."""
        ...
