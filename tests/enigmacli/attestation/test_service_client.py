from collections.abc import Iterator

import httpx
import pytest

from enigmacli.attestation.retry import RetryPolicy
from enigmacli.errors import MalformedError, ServiceRefusedError, ServiceUnavailableError
from tests.enigmacli.attestation.scripted import (
    NONCE,
    QUOTE,
    Respond,
    Service,
    Time,
    client,
    good_report,
    respond,
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    service = Service([respond(status, headers={"Location": "http://ias.example/"})])

    with pytest.raises(ServiceRefusedError, match="redirect"):
        client(service).report(QUOTE, NONCE)

    assert len(service.seen) == 1


@pytest.mark.parametrize(
    "failure", [respond(429), respond(500), respond(503), httpx.ConnectError("refused")]
)
def test_a_passing_failure_is_repeated_with_growing_pauses(
    failure: httpx.Response | Exception,
) -> None:
    time = Time()
    again: Respond | Exception = (
        failure
        if isinstance(failure, Exception)
        else (lambda _, status=failure.status_code: respond(status))
    )
    service = Service([again, again, again, good_report()])

    client(service, time).report(QUOTE, NONCE)

    assert len(service.seen) == 4
    assert time.pauses == [0.5, 1.0, 2.0]


def test_every_repetition_sends_the_same_bytes() -> None:
    service = Service([lambda _: respond(503), good_report()])

    client(service).report(QUOTE, NONCE)

    assert service.seen[0].content == service.seen[1].content != b""


def test_attempts_are_bounded() -> None:
    service = Service([lambda _: respond(503)])

    with pytest.raises(ServiceUnavailableError, match=r"HTTP status 503 \(3 attempts\)"):
        client(service, retry=RetryPolicy(attempts=3)).report(QUOTE, NONCE)

    assert len(service.seen) == 3


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
)
def test_a_service_that_never_answers_is_unavailable(error: Exception) -> None:
    with pytest.raises(ServiceUnavailableError, match=type(error).__name__):
        client(Service([error])).sigrl(0xE16)


def test_the_pause_that_the_service_asks_for_is_kept() -> None:
    time = Time()
    service = Service([respond(429, headers={"Retry-After": "7"}), good_report()])

    client(service, time).report(QUOTE, NONCE)

    assert time.pauses == [7.0]


def test_a_shorter_pause_than_the_back_off_is_not_taken() -> None:
    time = Time()
    service = Service([respond(503, headers={"Retry-After": "0"}), good_report()])

    client(service, time).report(QUOTE, NONCE)

    assert time.pauses == [0.5]


def test_a_service_that_asks_for_a_long_pause_is_not_waited_for() -> None:
    time = Time()
    service = Service([respond(503, headers={"Retry-After": "3600"})])

    with pytest.raises(ServiceUnavailableError, match="come back in 3600 s"):
        client(service, time).report(QUOTE, NONCE)

    assert time.pauses == []


def test_the_deadline_holds_over_all_attempts() -> None:
    time = Time()
    retry = RetryPolicy(attempts=1000, deadline_s=20.0)

    with pytest.raises(ServiceUnavailableError, match="deadline"):
        client(Service([lambda _: respond(503)]), time, retry=retry).report(QUOTE, NONCE)

    assert time.now_s < 20.0


def test_a_sleep_that_oversleeps_the_deadline_ends_the_asking() -> None:
    time = Time(oversleep_s=60.0)
    service = Service([lambda _: respond(503)])

    with pytest.raises(ServiceUnavailableError, match="no answer before the deadline"):
        client(service, time).report(QUOTE, NONCE)

    assert len(service.seen) == 1


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
    time = Time()

    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                time.now_s += 9.0
                yield b" "

    service = Service([httpx.Response(200, stream=Trickle())])

    with pytest.raises(ServiceUnavailableError, match="did not end before the deadline"):
        client(service, time).sigrl(0xE16)


def test_an_answer_that_is_too_long_is_read_no_further_than_its_bound() -> None:
    sent = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                sent.append(4096)
                yield b"A" * 4096

    with pytest.raises(MalformedError, match="longer than 65536 bytes"):
        client(Service([httpx.Response(200, stream=Endless())])).sigrl(0xE16)

    assert sum(sent) == 65536 + 4096


def test_a_compressed_answer_is_malformed() -> None:
    service = Service([respond(200, b"x", {"Content-Encoding": "gzip"})])

    with pytest.raises(MalformedError, match="compressed"):
        client(service).sigrl(0xE16)


def test_closing_the_client_closes_its_connections() -> None:
    with client(Service([good_report()])) as ias:
        ias.report(QUOTE, NONCE)

    with pytest.raises(RuntimeError, match="closed"):
        ias.sigrl(0)
