import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.proxy import IasProxy, ProxySettings

UPSTREAM_KEY = "the-key-of-the-upstream"
SETTINGS = ProxySettings("https://ias.example/sgx", UPSTREAM_KEY)
SIGRL = Request("GET", "/attestation/v4/sigrl/00000e16", peer="127.0.0.1")
REPORT = Request(
    "POST",
    "/attestation/v4/report",
    headers={"content-type": "application/json", "cookie": "c", "user-agent": "u"},
    body=b'{"isvEnclaveQuote": "AA=="}',
    peer="127.0.0.1",
)
BODY = b'{"id":"1"}\xff\r\n\x00'


class Body(httpx.AsyncByteStream):
    """A body that arrives in chunks, as from a socket."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


@dataclass
class Upstream:
    """A service that remembers what it was asked."""

    respond: Callable[[], httpx.Response] = lambda: httpx.Response(200, stream=Body(BODY))
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.respond()


def ask(upstream: Upstream, *requests: Request, settings: ProxySettings = SETTINGS) -> list[Answer]:
    now_s = iter(range(1000))
    proxy = IasProxy(
        settings, clock=lambda: float(next(now_s)), transport=httpx.MockTransport(upstream)
    )

    async def run() -> list[Answer]:
        return [await proxy.answer(request) for request in requests]

    return asyncio.run(run())


def reason(answer: Answer) -> Any:
    return json.loads(answer.body)["reason"]


def test_a_report_is_forwarded_with_the_key_and_nothing_of_the_client() -> None:
    upstream = Upstream()

    ask(upstream, replace(REPORT, headers={**REPORT.headers, "ocp-apim-subscription-key": "mine"}))

    (request,) = upstream.seen
    assert request.method == "POST"
    assert str(request.url) == "https://ias.example/sgx/attestation/v4/report"
    assert request.headers["Ocp-Apim-Subscription-Key"] == UPSTREAM_KEY
    assert request.headers["Content-Type"] == "application/json"
    assert "cookie" not in request.headers
    assert request.headers["user-agent"] != "u"
    assert request.content == REPORT.body


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 503])
def test_an_answer_comes_back_as_it_is(status: int) -> None:
    headers = {
        "X-IASReport-Signature": "a+b/c==",
        "X-IASReport-Signing-Certificate": "%2B+%0A",
        "Request-ID": "77",
        "Retry-After": "7",
        "Content-Type": "application/json",
        "Location": "https://elsewhere.example",
    }
    passing = {"Connection": "keep-alive", "Transfer-Encoding": "chunked"}
    upstream = Upstream(
        lambda: httpx.Response(status, headers=headers | passing, stream=Body(BODY[:3], BODY[3:]))
    )

    (answer,) = ask(upstream, REPORT)

    assert (answer.status, answer.body) == (status, BODY)
    assert answer.headers == headers
    assert len(upstream.seen) == 1


def test_a_compressed_body_stays_compressed() -> None:
    upstream = Upstream(
        lambda: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(b"\x1f\x8b"))
    )

    (answer,) = ask(upstream, SIGRL)

    assert (answer.body, answer.headers["Content-Encoding"]) == (b"\x1f\x8b", "gzip")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/attestation/v4/report"),
        ("POST", "/attestation/v4/sigrl/00000e16"),
        ("GET", "/attestation/v4/sigrl/e16"),
        ("GET", "/attestation/v3/sigrl/00000e16"),
        ("POST", "/attestation/v4/report/"),
        ("POST", "/attestation/v4/../../admin/report"),
        ("POST", "/simulation/v1/provision"),
        ("PUT", "/attestation/v4/report"),
        ("GET", "http://elsewhere.example/attestation/v4/sigrl/00000e16"),
    ],
)
def test_nothing_else_is_forwarded(method: str, path: str) -> None:
    upstream = Upstream()

    (answer,) = ask(upstream, replace(REPORT, method=method, path=path))

    assert answer.status == 404
    assert upstream.seen == []


def test_only_the_query_of_version_five_is_forwarded() -> None:
    upstream = Upstream()
    path = "/attestation/v5/report"

    answers = ask(
        upstream,
        replace(REPORT, path=path, query={"update": "early"}),
        replace(REPORT, path=path, query={"update": "late"}),
        replace(REPORT, path=path, query={"update": "early", "key": "1"}),
    )

    assert [answer.status for answer in answers] == [200, 400, 400]
    assert [request.url.query for request in upstream.seen] == [b"update=early"]


@pytest.mark.parametrize("peer", ["10.0.0.7", "2001:db8::1", "", "::ffff:10.0.0.7"])
def test_without_client_keys_only_this_machine_is_served(peer: str) -> None:
    upstream = Upstream()

    here, elsewhere = ask(upstream, replace(SIGRL, peer="::1"), replace(SIGRL, peer=peer))

    assert (here.status, elsewhere.status) == (200, 403)
    assert len(upstream.seen) == 1


@pytest.mark.parametrize("client_keys", [(), ("client-1",)])
def test_an_allow_list_of_addresses_holds_with_keys_and_without(
    client_keys: tuple[str, ...],
) -> None:
    allowed = ("10.0.0.0/30", "2001:db8::7")
    settings = replace(SETTINGS, client_networks=allowed, client_keys=client_keys)
    request = replace(SIGRL, headers={"ocp-apim-subscription-key": "client-1"})
    peers = {
        "10.0.0.3": 200,
        "2001:db8::7": 200,
        "::ffff:10.0.0.1": 200,
        "127.0.0.1": 200,
        "10.0.0.4": 403,
        "2001:db8::8": 403,
        "::ffff:10.0.0.4": 403,
        "": 403,
        "unknown": 403,
    }

    answers = ask(Upstream(), *(replace(request, peer=peer) for peer in peers), settings=settings)

    assert [answer.status for answer in answers] == list(peers.values())


def test_an_allowed_address_without_its_key_is_refused() -> None:
    settings = replace(SETTINGS, client_networks=("10.0.0.0/8",), client_keys=("client-1",))

    (answer,) = ask(Upstream(), replace(SIGRL, peer="10.0.0.7"), settings=settings)

    assert answer.status == 401


def test_only_a_report_has_a_body_and_its_type_is_ours() -> None:
    upstream = Upstream()

    ask(
        upstream,
        replace(SIGRL, body=b"smuggled", headers={"content-type": "text/html"}),
        replace(REPORT, headers={"content-type": "text/html"}),
    )

    sigrl, report = upstream.seen
    assert (sigrl.content, "content-type" in sigrl.headers) == (b"", False)
    assert (report.content, report.headers["content-type"]) == (REPORT.body, "application/json")


def test_a_header_that_is_for_the_connection_only_is_not_handed_on() -> None:
    headers = {"Connection": "close, X-Hop", "X-Hop": "1", "X-Kept": "2"}
    upstream = Upstream(lambda: httpx.Response(200, headers=headers, stream=Body(BODY)))

    (answer,) = ask(upstream, SIGRL)

    assert answer.headers == {"X-Kept": "2"}


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx.Response(400, stream=Body(b"bad key ", UPSTREAM_KEY.encode())),
        lambda: httpx.Response(401, headers={"X-Key": UPSTREAM_KEY}, stream=Body(b"")),
    ],
    ids=["body", "header"],
)
def test_an_answer_that_repeats_the_key_is_not_handed_on(
    response: Callable[[], httpx.Response],
) -> None:
    (answer,) = ask(Upstream(response), SIGRL)

    assert answer.status == 502
    assert UPSTREAM_KEY not in f"{answer!r}"


def test_a_key_that_is_no_secret_may_stand_in_an_answer() -> None:
    upstream = Upstream(lambda: httpx.Response(200, stream=Body(b"unused, really")))

    (answer,) = ask(upstream, SIGRL, settings=replace(SETTINGS, api_key="unused"))

    assert answer.status == 200


def test_with_client_keys_only_their_holders_are_served() -> None:
    upstream = Upstream()
    settings = replace(SETTINGS, client_keys=("client-1", "client-2"))

    def with_key(key: str, peer: str = "10.0.0.7") -> Request:
        return replace(SIGRL, headers={"ocp-apim-subscription-key": key}, peer=peer)

    answers = ask(
        upstream,
        with_key("client-1"),
        with_key("client-2"),
        with_key("client-3", peer="127.0.0.1"),
        with_key(UPSTREAM_KEY),
        replace(SIGRL, peer="127.0.0.1"),
        settings=settings,
    )

    assert [answer.status for answer in answers] == [200, 200, 401, 401, 401]
    assert {request.headers["Ocp-Apim-Subscription-Key"] for request in upstream.seen} == {
        UPSTREAM_KEY
    }


def test_too_many_requests_are_told_when_to_come_back() -> None:
    settings = replace(SETTINGS, requests_per_minute=2)
    upstream = Upstream()

    answers = ask(upstream, SIGRL, SIGRL, SIGRL, settings=settings)

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "28"  # two seconds of the 30 have passed
    assert len(upstream.seen) == 2


def test_a_refused_client_uses_up_nothing_of_the_rate() -> None:
    settings = replace(SETTINGS, requests_per_minute=1)

    answers = ask(Upstream(), replace(SIGRL, peer="10.0.0.7"), SIGRL, settings=settings)

    assert [answer.status for answer in answers] == [403, 200]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (httpx.ConnectError("refused"), 502),
        (httpx.RemoteProtocolError("cut"), 502),
        (httpx.ReadTimeout("slow"), 504),
        (httpx.ConnectTimeout("slow"), 504),
    ],
)
def test_a_silent_upstream_is_a_bad_gateway(error: Exception, status: int) -> None:
    def fail() -> httpx.Response:
        raise error

    (answer,) = ask(Upstream(fail), SIGRL)

    assert answer.status == status
    assert "did not answer" in reason(answer)


def test_an_endless_answer_is_cut_off() -> None:
    upstream = Upstream(lambda: httpx.Response(200, stream=Body(*[b"x" * 65_536] * 1000)))

    (answer,) = ask(upstream, SIGRL)

    assert answer.status == 502
    assert "too long" in reason(answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"upstream": "http://ias.example"},
        {"upstream": "ias.example"},
        {"api_key": ""},
        {"api_key": "two words"},
        {"client_keys": ("good", "not good")},
        {"requests_per_minute": 0},
        {"client_networks": ("10.0.0.0/33",)},
        {"client_networks": ("10.0.0.7/24",)},
        {"client_networks": ("localhost",)},
    ],
)
def test_settings_that_cannot_be_right_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        IasProxy(replace(SETTINGS, **changes))


def test_no_key_is_shown() -> None:
    settings = replace(SETTINGS, client_keys=("client-1",))
    refused, forwarded = ask(
        Upstream(),
        SIGRL,
        replace(SIGRL, headers={"ocp-apim-subscription-key": "client-1"}),
        settings=settings,
    )

    shown = f"{settings!r} {vars(IasProxy(settings))['_http']!r} {refused!r} {forwarded!r}"

    assert UPSTREAM_KEY not in shown
    assert "client-1" not in shown
