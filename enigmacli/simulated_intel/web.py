"""The web layer of services that decide elsewhere: requests in, answers out, until a signal."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from enigmacli.errors import EnigmaError, PortBusyError
from enigmacli.http_log import server_logger
from enigmacli.simulated_intel.events import Answered, Listening, ServiceEvent
from enigmacli.simulated_intel.exchange import Answer, Delivery, Request

MAX_BODY_BYTES: Final = 64 * 1024

_READ_TIMEOUT_S: Final = 30.0
_SHUTDOWN_TIMEOUT_S: Final = 2.0
_MAX_SHOWN_PATH: Final = 200


@dataclass(frozen=True, slots=True)
class WebService:
    """What stands behind the web layer.

    Attributes:
        decide: turns a request into an answer.
        report: is told of everything that happens.
        headers: set in every answer, errors of this layer included.
        trust_root: told when the service listens.
    """

    decide: Callable[[Request], Awaitable[Answer]]
    report: Callable[[ServiceEvent], None]
    headers: Mapping[str, str]
    trust_root: str = ""


def serve(service: WebService, host: str, port: int) -> None:
    """Serve until SIGTERM; for a process's main thread.

    Args:
        service: what to serve.
        host: address to listen on.
        port: 0 lets the system choose; :class:`Listening` names the one bound.

    Raises:
        PortBusyError: the address is taken, or not this machine's.
    """
    asyncio.run(_serve(service, host, port))


async def _serve(service: WebService, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    runner = web.AppRunner(
        make_app(service),
        access_log=None,
        logger=server_logger(),
        shutdown_timeout=_SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortBusyError(
                f"cannot listen on {host}:{port}: {error.strerror or error}",
                hint="stop what uses the port, or choose port 0",
            ) from error
        service.report(Listening(_url(host, runner.addresses[0][1]), service.trust_root))
        await stopped.wait()
    finally:
        await runner.cleanup()


def make_app(service: WebService) -> web.Application:
    """An application that sends every request, whatever its path, through ``service``."""

    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await _decide(service, request)
        path = request.rel_url.raw_path[:_MAX_SHOWN_PATH]
        service.report(Answered(request.method, path, answer.status, answer.note))
        return await _send(request, answer)

    async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(service.headers)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(add_headers)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _decide(service: WebService, request: web.Request) -> Answer:
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Answer(413, note=f"longer than {MAX_BODY_BYTES} bytes")
    except web.RequestPayloadError:
        return Answer(400, note="the body is not what its headers say")
    except TimeoutError:
        return Answer(408, note="the request did not end")
    try:
        return await service.decide(
            Request(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
                peer=request.remote or "",
            )
        )
    except EnigmaError as error:
        return Answer(500, note=error.message)


async def _send(request: web.Request, answer: Answer) -> web.StreamResponse:
    await asyncio.sleep(answer.delay_ms / 1000)
    if answer.delivery is Delivery.WHOLE:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.delivery is Delivery.TRUNCATED:
        response.content_length = len(answer.body) + 1  # so that an empty body is cut, too
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _url(host: str, port: int) -> str:
    try:
        bracketed = f"[{host}]" if ip_address(host).version == 6 else host  # noqa: PLR2004 -- IPv6
    except ValueError:
        bracketed = host
    return f"http://{bracketed}:{port}"
