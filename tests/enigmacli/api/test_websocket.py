"""JSON-RPC over a WebSocket, on a Unix socket: no network."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from enigmacli.api.jsonrpc import Dispatcher, Method
from enigmacli.api.websocket import PATH, WebSockets

Conversation = Callable[[aiohttp.ClientWebSocketResponse], Awaitable[Any]]

_ENDED = {
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.ERROR,
}


def talk(folder: Path, conversation: Conversation) -> Any:
    """What a conversation with a server of one method gives."""
    dispatcher = Dispatcher({"health": Method(dict)}, lambda _: None)

    async def reply(body: bytes) -> Any:
        return dispatcher.answer_body(body)

    async def run() -> Any:
        app = web.Application()
        sockets = WebSockets(reply)
        app.router.add_get(PATH, sockets.serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.UnixSite(runner, str(folder / "s")).start()
        connector = aiohttp.UnixConnector(str(folder / "s"))
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.ws_connect(f"http://node{PATH}") as client:
                found = await conversation(client)
            await sockets.close()
        await runner.cleanup()
        return found

    return asyncio.run(run())


def test_requests_are_answered_in_order_and_notifications_not_at_all(tmp_path: Path) -> None:
    async def conversation(client: aiohttp.ClientWebSocketResponse) -> list[Any]:
        await client.send_str('{"jsonrpc":"2.0","id":1,"method":"health"}')
        await client.send_str('{"jsonrpc":"2.0","method":"health"}')
        await client.send_bytes(b'{"jsonrpc":"2.0","id":2,"method":"health"}')
        return [await client.receive_json(timeout=20) for _ in range(2)]

    answers = talk(tmp_path, conversation)

    assert answers == [{"jsonrpc": "2.0", "id": at, "result": {}} for at in (1, 2)]


def test_what_is_no_request_is_told_and_the_connection_stays(tmp_path: Path) -> None:
    async def conversation(client: aiohttp.ClientWebSocketResponse) -> list[int]:
        codes = []
        for text in ("{", '{"id":1,"method":"subscribe"}'):
            await client.send_str(text)
            codes.append(json.loads(await client.receive_str(timeout=20))["error"]["code"])
        return codes

    assert talk(tmp_path, conversation) == [-32700, -32601]


def test_a_message_over_the_limit_ends_the_connection(tmp_path: Path) -> None:
    async def conversation(client: aiohttp.ClientWebSocketResponse) -> bool:
        with suppress(ConnectionError):  # it may end while the message is on its way
            await client.send_str("x" * 1_000_001)
        return (await client.receive(timeout=20)).type in _ENDED

    assert talk(tmp_path, conversation)
