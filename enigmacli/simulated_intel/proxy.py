"""``ias proxy``: keeps the API key of an attestation service on one machine.

It forwards requests for revocation lists and reports, and nothing else, and hands the
service's bytes and headers back unchanged, so that what Intel signed stays what Intel signed.
Its own refusals are JSON with a ``reason``. The key goes into one header of one upstream and
nowhere else; an answer that repeats it is not handed on.

It speaks plain HTTP. For clients on other machines it belongs behind something that ends
their TLS; every client then has that machine's address, so only client keys tell them apart.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

from enigmacli.attestation.address import ServiceUrl, is_loopback
from enigmacli.attestation.ias import API_KEY_HEADER, check_api_key
from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.events import ServiceEvent
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.ias import is_listed
from enigmacli.simulated_intel.rate_limit import RateLimit
from enigmacli.simulated_intel.web import WebService, serve

MAX_ANSWER_BYTES: Final = 1024 * 1024

_LEAST_SECRET: Final = 16  # characters; Intel's keys have 32

_FORWARDED: Final = {
    "GET": re.compile(r"/attestation/v[45]/sigrl/[0-9A-Fa-f]{8}"),
    "POST": re.compile(r"/attestation/v[45]/report"),
}
_UPDATES: Final = ("early", "standard")
_HOP_BY_HOP: Final = frozenset(  # RFC 9110 sec. 7.6.1
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What to forward, for whom.

    Attributes:
        upstream: base URL; https, or http on this machine.
        api_key: of the upstream; never shown.
        host: address to listen on.
        port: 0 lets the system choose.
        client_keys: API keys of which clients must present one. Never shown.
        client_networks: addresses and networks that clients may come from, besides this
            machine. Without any, those with a client key may come from anywhere, and where
            no client keys are asked for, only this machine is served.
        requests_per_minute: of all clients together.
        timeout_s: of one connection to the upstream, and of one pause in its answer.
    """

    upstream: str
    api_key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8090
    client_keys: tuple[str, ...] = field(default=(), repr=False)
    client_networks: tuple[str, ...] = ()
    requests_per_minute: int = 60
    timeout_s: float = 30.0


class IasProxy:
    """Decides what is forwarded, and forwards it.

    Args:
        settings: what to forward, for whom.
        clock: seconds that never go back.
        transport: what stands in for the network in tests.

    Raises:
        ConfigError: the upstream's URL, a key or a network cannot be right.
    """

    def __init__(
        self,
        settings: ProxySettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if settings.requests_per_minute < 1:
            raise ConfigError("a proxy forwards at least one request a minute")
        address = ServiceUrl.parse(settings.upstream)
        self._base = address.base
        self._api_key = check_api_key(settings.api_key)
        self._client_keys = tuple(check_api_key(key) for key in settings.client_keys)
        self._client_networks = tuple(_network(text) for text in settings.client_networks)
        self._limit = RateLimit(settings.requests_per_minute)
        self._clock = clock
        # identity: bytes are handed on as they come
        self._http = httpx.AsyncClient(
            headers={
                API_KEY_HEADER: self._api_key,
                "Accept-Encoding": "identity",
            },
            follow_redirects=False,
            timeout=settings.timeout_s,
            trust_env=not address.loopback,
            verify=address.verification(),
            transport=transport,
        )

    async def answer(self, request: Request) -> Answer:
        """Forward a request, or refuse it."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            return await self._forward(request)
        except httpx.TimeoutException:
            return _refuse(HTTPStatus.GATEWAY_TIMEOUT, "the upstream did not answer in time")
        except httpx.TransportError:
            return _refuse(HTTPStatus.BAD_GATEWAY, "the upstream did not answer")

    def _refusal(self, request: Request) -> Answer | None:
        """The first reason not to forward; who asks comes before what is asked."""
        if not self._may_come_from(request.peer):
            return _refuse(HTTPStatus.FORBIDDEN, "clients at this address are not served")
        if self._client_keys and not is_listed(
            request.headers.get(API_KEY_HEADER.lower(), ""), self._client_keys
        ):
            return _refuse(HTTPStatus.UNAUTHORIZED, "the API key is missing or not valid")
        path = _FORWARDED.get(request.method)
        if path is None or path.fullmatch(request.path) is None:
            return _refuse(HTTPStatus.NOT_FOUND, "only sigrl and report are forwarded")
        if request.query and dict(request.query) not in [{"update": word} for word in _UPDATES]:
            return _refuse(HTTPStatus.BAD_REQUEST, "unknown query")
        wait_s = self._limit.take(self._clock())
        if wait_s > 0:
            return _refuse(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many requests",
                {"Retry-After": str(math.ceil(wait_s))},
            )
        return None

    def _may_come_from(self, peer: str) -> bool:
        if is_loopback(peer):
            return True
        if not self._client_networks:
            return bool(self._client_keys)
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._client_networks)

    def _is_repeated(self, texts: Iterable[str]) -> bool:
        """Whether an answer holds the key; one that is no secret may stand anywhere."""
        is_secret = len(self._api_key) >= _LEAST_SECRET
        return is_secret and any(self._api_key in text for text in texts)

    async def _forward(self, request: Request) -> Answer:
        with_body = request.method == "POST"
        async with self._http.stream(
            request.method,
            self._base + request.path,
            params=dict(request.query) or None,
            content=request.body if with_body else None,
            headers={"Content-Type": "application/json"} if with_body else {},
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    return _refuse(HTTPStatus.BAD_GATEWAY, "the upstream's answer is too long")
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw
        }
        if self._is_repeated((body.decode("latin-1"), *headers.values())):
            return _refuse(HTTPStatus.BAD_GATEWAY, "the upstream repeats a secret")
        named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in _HOP_BY_HOP | named
        }
        return Answer(response.status_code, bytes(body), kept, note="forwarded")


def run_proxy(settings: ProxySettings, report: Callable[[ServiceEvent], None]) -> None:
    """Serve until SIGTERM; for a process's main thread.

    Args:
        settings: what to forward, for whom.
        report: told when the proxy listens, and of every answer.

    Raises:
        ConfigError: the upstream's URL or a key cannot be right.
        PortBusyError: the address is taken, or not this machine's.
    """
    proxy = IasProxy(settings)
    serve(WebService(proxy.answer, report, {}), settings.host, settings.port)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"not an address or a network: {text[:80]!r}", hint="like 10.0.0.7 or 10.0.0.0/24"
        ) from error


def _refuse(status: HTTPStatus, reason: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(
        status,
        json.dumps({"reason": reason}).encode(),
        {"Content-Type": "application/json", **(headers or {})},
        note=reason,
    )
