"""A simulated attestation service behind a client's transport: whole exchanges, no socket."""

from typing import Protocol

import httpx

from enigmacli.simulated_intel.exchange import Answer, Delivery, Request

AT_US = 1_790_000_000_123_456  # 2026-09-21T14:13:20.123456Z


class Service(Protocol):
    """A simulated IAS or PCS."""

    def answer(self, request: Request, at_us: int) -> Answer: ...


def decide(service: Service, request: httpx.Request) -> Answer:
    return service.answer(
        Request(
            method=request.method,
            path=request.url.path,
            query=dict(request.url.params),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
            peer="127.0.0.1",
        ),
        AT_US,
    )


def transport(service: Service) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        answer = decide(service, request)
        if answer.delivery is not Delivery.WHOLE:
            raise httpx.RemoteProtocolError("the connection ended")
        return httpx.Response(
            answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body)
        )

    return httpx.MockTransport(handle)
