"""Intel's recorded answers behind a client's transport, with faults on demand."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx

from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.attestation.service_client import Waiting
from tests.corpus import corpus_dir
from tests.enigmacli.attestation.scripted import Time, respond

URL = "https://pcs.example"
SGX_FMSPC = bytes.fromhex("00906ED50000")
TDX_FMSPC = bytes.fromhex("00806F050000")
AT_US = 1_749_513_600_000_000
"""2025-06-10, when every recorded document held."""

Change = Callable[[bytes, dict[str, str]], tuple[bytes, dict[str, str]]]


def _plain(query: dict[str, str]) -> dict[str, str]:
    unsaid = {"update": "standard"}
    return {name: value for name, value in query.items() if unsaid.get(name) != value}


@dataclass
class RecordedPcs:
    """A server that answers what Intel answered; ``statuses`` and ``changes`` by path."""

    statuses: dict[str, int] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[httpx.Request] = field(default_factory=list)
    down: bool = False

    @cached_property
    def responses(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((corpus_dir() / "pcs/index.json").read_text())[
            "responses"
        ]
        assert len(found) == 18
        return found

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.down:
            raise httpx.ConnectError("refused")
        path = request.url.path
        if path in self.statuses:
            return respond(self.statuses[path], b"No cache data for this platform.", self.headers)
        query = _plain(dict(request.url.params))
        for entry in self.responses:
            if (entry["path"], _plain(entry["query"])) == (path, query):
                return self._recorded(entry)
        return respond(404)

    def _recorded(self, entry: dict[str, Any]) -> httpx.Response:
        body = (corpus_dir() / "pcs" / entry["body_file"]).read_bytes()
        headers: dict[str, str] = dict(entry["headers"])
        if change := self.changes.get(entry["path"]):
            body, headers = change(body, headers)
        return respond(entry["status"], body, headers)

    def server(self, url: str = URL, key: str | None = None, time: Time | None = None) -> PcsServer:
        time = time or Time()
        return PcsServer(
            url,
            key,
            retry=RetryPolicy(attempts=2),
            waiting=Waiting(sleep=time.sleep, clock=time.clock, jitter=lambda: 1.0),
            transport=httpx.MockTransport(self),
        )
