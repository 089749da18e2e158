"""JSON-RPC over a WebSocket: the same methods, one request or batch a message, no subscriptions.

CometBFT's own HTTP client opens ``/websocket`` before its first call and does not work
without one (v0.38, ``rpc/client/http/http.go``). Limits are those of CometBFT
(``rpc/jsonrpc/server/ws_handler.go``).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from enigmacli.api.jsonrpc import MAX_BODY_BYTES, OVERLOADED, Answer

PATH: Final = "/websocket"
_MOST_CLIENTS: Final = 100
_PING_S: Final = 27.0

Reply = Callable[[bytes], Awaitable[Answer]]
"""Answers the body of one message."""


class WebSockets:
    """The open WebSockets of one server.

    Args:
        reply: as for a POST.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._open: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a client until it leaves; its messages one after the other."""
        if len(self._open) >= _MOST_CLIENTS:
            return web.Response(status=503, body=OVERLOADED.body)
        client = web.WebSocketResponse(max_msg_size=MAX_BODY_BYTES, heartbeat=_PING_S)
        try:
            await client.prepare(request)
        except ValueError:  # aiohttp decodes a key that is no text
            return web.Response(status=400)
        self._open.add(client)
        try:
            with suppress(ConnectionError):  # a client may leave in the middle of an answer
                await self._converse(client)
        finally:
            self._open.discard(client)
        return client

    async def _converse(self, client: web.WebSocketResponse) -> None:
        async for message in client:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            data = message.data
            answer = await self._reply(data.encode() if isinstance(data, str) else data)
            if answer.body:
                await client.send_str(answer.body.decode())

    async def close(self) -> None:
        """Say goodbye to everybody, so that no handler outlives the server."""
        for client in tuple(self._open):
            await client.close()
