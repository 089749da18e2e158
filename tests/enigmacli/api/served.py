"""The methods of a node in memory, called as the server calls them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from enigmacli.api import chain_methods, search_methods, tx_methods
from enigmacli.api.jsonrpc import Dispatcher
from enigmacli.api.node_view import NodeIdentity, NodeView
from enigmacli.engine.broadcast import LocalBroadcaster
from tests.enigmacli.engine.chain_kit import Kit
from tests.vector_files import vector

VECTORS = vector("cometbft_rpc_forms", "answers")["answers"]


@dataclass
class Served:
    """A chain and the dispatcher over it."""

    kit: Kit
    dispatcher: Dispatcher
    bugs: list[Exception]

    def ask(self, method: str, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = json.loads(self.dispatcher.answer_body(json.dumps(request).encode()).body)
        assert self.bugs == []
        return answer

    def result(self, method: str, **params: Any) -> Any:
        answer = self.ask(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, **params: Any) -> str:
        error = self.ask(method, **params)["error"]
        assert error["code"] == -32603
        text: str = error["data"]
        return text


def serve(kit: Kit | None = None, broadcaster: Callable[[Kit], Any] | None = None) -> Served:
    kit = kit or Kit()
    kit.start()
    bugs: list[Exception] = []
    view = NodeView(
        identity=NodeIdentity(
            "moniker", "ab" * 20, "tcp://0.0.0.0:26656", "0.38.25", kit.key.public_key
        ),
        chain=kit.chain,
        broadcaster=broadcaster(kit) if broadcaster else LocalBroadcaster(kit.chain, 0),
        catching_up=lambda: False,
        rpc_address=lambda: "tcp://127.0.0.1:1",
    )
    methods = chain_methods.methods(view) | tx_methods.methods(view)
    methods |= search_methods.methods(view)
    return Served(kit, Dispatcher(methods, bugs.append), bugs)


def grown() -> Served:
    served = serve()
    served.kit.make()
    served.kit.make(b"x=1", b"fail=1")
    served.kit.make()
    return served


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def shape(value: Any) -> Any:
    """Members and types, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__
