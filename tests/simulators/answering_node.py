"""A node that answers JSON-RPC from memory, behind httpx's own transport in memory."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from enigmacli.chain.rpc import RpcClient

URL = "http://127.0.0.1:26657"


class AnsweringNode:
    """Gives each method's answer: a ``result``, or what a function of the parameters returns."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.requests: list[dict[str, Any]] = []

    def client(self) -> RpcClient:
        return RpcClient(URL, 5.0, transport=httpx.MockTransport(self.respond))

    def respond(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        self.requests.append(call)
        answer = self.answers[call["method"]]
        result = answer(call["params"]) if callable(answer) else answer
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "result": result})


def client_of(respond: Callable[[httpx.Request], httpx.Response]) -> RpcClient:
    """A client whose requests go to ``respond``."""
    return RpcClient(URL, 5.0, transport=httpx.MockTransport(respond))


def raw_client(body: bytes, status: int = 200) -> RpcClient:
    """A client that gets the same body whatever it asks."""
    return client_of(lambda _: httpx.Response(status, content=body))


def failing_client(error: dict[str, Any], status: int = 200) -> RpcClient:
    """A client whose calls all fail with one JSON-RPC error."""

    def respond(request: httpx.Request) -> httpx.Response:
        number = json.loads(request.content)["id"]
        return httpx.Response(status, json={"jsonrpc": "2.0", "id": number, "error": error})

    return client_of(respond)
