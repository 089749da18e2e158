"""A scripted attestation service behind a client's transport, and a clock to go with it."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote as percent_encode

import httpx

from enigmacli.attestation.ias import IasClient
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.attestation.service_client import Waiting

QUOTE = b"\x02\x00" + bytes(430) + b"signature"
NONCE = "0123456789abcdef0123456789abcdef"
API_KEY = "very-secret-subscription-key"
LEAF = b"\xfb\xef\xbe" * 20
URL = "https://ias.example/sgx"

Respond = Callable[[httpx.Request], httpx.Response]


class Body(httpx.SyncByteStream):
    """A body that arrives in chunks, as from a socket."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks


def respond(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    return httpx.Response(status, headers=headers or {}, stream=Body(body[:3], body[3:]))


@dataclass
class Service:
    """A scripted service: one response per request, the last one again and again."""

    script: list[httpx.Response | Exception | Respond]
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        request.read()
        step = self.script[min(len(self.seen), len(self.script)) - 1]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now_s: float = 0.0
    pauses: list[float] = field(default_factory=list)
    oversleep_s: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds + self.oversleep_s

    def clock(self) -> float:
        return self.now_s


def client(service: Service, time: Time | None = None, **options: object) -> IasClient:
    time = time or Time()
    waiting = Waiting(sleep=time.sleep, clock=time.clock, jitter=lambda: 1.0)
    settings: dict[str, object] = {"api_key": API_KEY, "retry": RetryPolicy()} | options
    return IasClient(
        URL,
        waiting=waiting,
        transport=httpx.MockTransport(service),
        **settings,  # type: ignore[arg-type]
    )


def report_headers(leaf: bytes = LEAF) -> dict[str, str]:
    text = base64.b64encode(leaf).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"
    return {
        "X-IASReport-Signature": base64.b64encode(b"signature").decode(),
        "X-IASReport-Signing-Certificate": percent_encode(pem + pem),
        "Request-ID": "77",
    }


def report_body(nonce: str | None = NONCE, quote: bytes = QUOTE) -> bytes:
    members = {"isvEnclaveQuoteBody": base64.b64encode(quote[:432]).decode()}
    return json.dumps(members | ({} if nonce is None else {"nonce": nonce})).encode()


def good_report() -> httpx.Response:
    return respond(200, report_body(), report_headers())
