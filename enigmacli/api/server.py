"""The HTTP server of JSON-RPC: aiohttp in a thread of its own.

Methods run in small pools of threads, never in the event loop; those that wait for CheckTx
or for a block, and searches, have pools of their own, so that they cannot starve the others.
Consensus shares nothing with any of them but short locks.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from enigmacli.api.jsonrpc import (
    MAX_BODY_BYTES,
    OVERLOADED,
    TOO_LARGE,
    TOO_SLOW,
    UNREADABLE,
    Answer,
    Dispatcher,
    Pace,
)
from enigmacli.api.limits import Limits, bounded, drop_unread
from enigmacli.api.websocket import PATH as WEBSOCKET_PATH
from enigmacli.api.websocket import WebSockets
from enigmacli.errors import ConfigError, PortBusyError
from enigmacli.http_log import server_logger

_THREADS: Final = {Pace.READ: 4, Pace.CHECK: 2, Pace.WAIT: 16, Pace.SEARCH: 1}
_MOST_UNDER_WAY: Final = {Pace.READ: 256, Pace.CHECK: 64, Pace.WAIT: 32, Pace.SEARCH: 16}
_LIMITS: Final = Limits()
_START_TIMEOUT_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 2.0
_LINGER_S: Final = 2.0
"""How long the rest of a refused body is read and dropped, so that the client reads the answer."""

T = TypeVar("T")


class RpcServer:
    """Serves one dispatcher until it is closed.

    Args:
        dispatcher: what answers.
        listen: ``host:port``, port 0 takes a free one; ``tcp://`` before it is understood.
        limits: of what clients may hold.

    Raises:
        ConfigError: ``listen`` is no such address.
    """

    def __init__(self, dispatcher: Dispatcher, listen: str, limits: Limits = _LIMITS) -> None:
        self._dispatcher = dispatcher
        self._limits = limits
        self._host, self._port = parse_listen(listen)
        self._loop = asyncio.new_event_loop()
        self._pools = {
            pace: ThreadPoolExecutor(threads, f"rpc-{pace.name.lower()}")
            for pace, threads in _THREADS.items()
        }
        self._under_way = dict.fromkeys(Pace, 0)
        self._thread = threading.Thread(target=self._loop.run_forever, name="rpc", daemon=True)
        self._runner: web.AppRunner | None = None
        self._door: asyncio.Server | None = None
        self._socket = socket.socket()

    @property
    def address(self) -> str:
        """``host:port`` as bound."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    def bind(self) -> None:
        """Take the address; connections are accepted from :meth:`start` on.

        Raises:
            PortBusyError: the address is taken or not ours.
        """
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self._socket.close()
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            drop_unread(self._socket, self._limits)
            self._socket.bind(where)
        except OSError as error:
            raise self._busy(error) from error
        self._port = self._socket.getsockname()[1]

    def start(self) -> None:
        """Serve from now on.

        Raises:
            PortBusyError: somebody else listens there by now.
        """
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(_START_TIMEOUT_S)
        except OSError as error:
            raise self._busy(error) from error

    def close(self) -> None:
        """Stop serving; open requests get a moment to finish."""
        if self._thread.is_alive():
            done = asyncio.run_coroutine_threadsafe(self._stop_serving(), self._loop)
            done.result(_STOP_TIMEOUT_S * 2)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._socket.close()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        if not self._loop.is_closed():
            self._loop.close()

    def _busy(self, error: OSError) -> PortBusyError:
        return PortBusyError(
            f"cannot listen on {self.address}: {error.strerror or error}",
            hint="choose another port, or port 0 for a free one",
        )

    async def _serve(self) -> None:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self._post)
        app.router.add_get("/", self._index)
        sockets = WebSockets(self._reply)
        app.router.add_get(WEBSOCKET_PATH, sockets.serve)
        app.router.add_get("/{method}", self._get)
        app.on_shutdown.append(lambda _: sockets.close())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=server_logger(),
            handle_signals=False,
            shutdown_timeout=_STOP_TIMEOUT_S,
            keepalive_timeout=self._limits.head_s,
            lingering_time=_LINGER_S,
        )
        await self._runner.setup()
        server = self._runner.server
        if server is not None:
            factory = bounded(server, lambda: server.connections, self._limits)
            self._door = await self._loop.create_server(factory, sock=self._socket)

    async def _stop_serving(self) -> None:
        if self._door is not None:
            self._door.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = await request.read()
        except TimeoutError:
            return _response(TOO_SLOW)
        except web.HTTPRequestEntityTooLarge:
            return _response(TOO_LARGE)
        except web.RequestPayloadError:  # the body is not what its headers say
            return _response(UNREADABLE)
        return _response(await self._reply(body))

    async def _reply(self, body: bytes) -> Answer:
        dispatcher = self._dispatcher
        found = await self._run(Pace.READ, lambda: dispatcher.read_body(body))
        if isinstance(found, Answer):
            return found
        pace = dispatcher.pace(request.get("method") for request in found)
        return await self._run(pace, lambda: dispatcher.answer_requests(found))

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        query = {key: request.query[key] for key in request.query}
        pace = self._dispatcher.pace([name])
        return _response(await self._run(pace, lambda: self._dispatcher.answer_uri(name, query)))

    async def _index(self, _request: web.Request) -> web.Response:
        listed = "".join(f'<a href="/{name}">/{name}</a><br>' for name in self._dispatcher.names)
        page = f"<html><body><br>Available endpoints:<br>{listed}</body></html>"
        return web.Response(text=page, content_type="text/html")

    async def _run(self, pace: Pace, work: Callable[[], T]) -> T | Answer:
        """Do ``work`` in the pool of its pace; refused where too much waits there."""
        if self._under_way[pace] >= _MOST_UNDER_WAY[pace]:
            return OVERLOADED
        self._under_way[pace] += 1
        try:
            return await self._loop.run_in_executor(self._pools[pace], work)
        finally:
            self._under_way[pace] -= 1


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")


def parse_listen(listen: str) -> tuple[str, int]:
    """Host and port of ``host:port``.

    Raises:
        ConfigError: another form.
    """
    host, _, port = listen.removeprefix("tcp://").rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 -- a port
        raise ConfigError(f"{listen!r} is no address to listen on", hint="use HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
