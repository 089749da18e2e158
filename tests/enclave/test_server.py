import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave import calls, codec, frames, server
from enclave.errors import CallError, NoSeedError, StateWriteError

NOTHING: Final[server.Offered] = {}
SERVING: Final[server.Offered] = {calls.Advance: lambda _: calls.Done()}
ADVANCE: Final = frames.encode(calls.Advance.NUMBER, calls.Advance(1))


def decode(reply: bytes) -> tuple[int, Any]:
    size, number, body = int.from_bytes(reply[:4], "big"), reply[4], reply[5:]
    assert size == len(reply) - 4
    kind: Any = calls.BY_NUMBER[number].REPLY if number else calls.ErrorReply  # type: ignore[attr-defined]
    return number, codec.decode(kind, body)


def ask(offered: server.Offered, request: Any) -> tuple[int, Any]:
    return decode(server.answer(offered, frames.encode(request.NUMBER, request)[4:]))


def refused(offered: server.Offered, frame: bytes) -> str:
    number, reply = decode(server.answer(offered, frame))
    assert number == 0
    code: str = reply.code
    return code


def raising(error: BaseException) -> Callable[[Any], object]:
    def call(_request: object) -> object:
        raise error

    return call


def test_answers_a_call() -> None:
    keygen = calls.KeygenReply(bytes(32), created=True)

    assert ask({calls.Keygen: lambda _: keygen}, calls.Keygen("a", b"")) == (2, keygen)


def test_an_error_of_the_service_becomes_an_error_reply() -> None:
    error = NoSeedError("nothing here", expected="a seed", seen="none")

    number, reply = ask({calls.PublicKeys: raising(error)}, calls.PublicKeys())

    assert number == 0
    assert reply == calls.ErrorReply("no-seed", "nothing here", "a seed", "none")


@pytest.mark.parametrize("number", [0, 99, 255])
def test_an_unknown_call_is_refused(number: int) -> None:
    assert refused(NOTHING, bytes([number])) == "enclave-call-malformed"


@pytest.mark.parametrize("request_type", [r for r in calls.REQUESTS if r is not calls.Shutdown])
def test_a_call_of_another_role_is_refused(request_type: type) -> None:
    number: int = request_type.NUMBER  # type: ignore[attr-defined]

    assert refused(NOTHING, bytes([number])) == "enclave-call-malformed"


def test_a_malformed_body_is_refused() -> None:
    assert refused(SERVING, bytes([calls.Advance.NUMBER]) + bytes(7)) == "enclave-call-malformed"


def test_a_bug_becomes_an_error_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("the seed is 414141")

    _, reply = ask({calls.Status: raising(error)}, calls.Status())

    assert reply == calls.ErrorReply(
        "enclave-internal", "a bug inside the enclave (ValueError)", "", ""
    )
    written = capsys.readouterr().err
    assert "test_server.py" in written
    assert "414141" not in written


def test_a_reply_out_of_bounds_is_an_error_too() -> None:
    reply = calls.KeygenReply(bytes(31), created=True)

    assert ask({calls.Keygen: lambda _: reply}, calls.Keygen("a", b""))[0] == 0


def test_long_texts_of_errors_are_cut_to_their_bounds() -> None:
    error = CallError("ä" * 5000, expected="b" * 5000, seen="\ud800" * 5000)

    number, reply = ask({calls.Status: raising(error)}, calls.Status())

    assert number == 0
    assert (len(reply.message), len(reply.expected)) == (512, 4096)


def test_a_role_that_did_not_start_says_why_to_every_call() -> None:
    offered = server.refuse(StateWriteError("no folder"))

    for request in (calls.Status(), calls.Advance(1)):
        assert ask(offered, request)[1].code == "enclave-state-unwritable"
    assert ask(offered, calls.Shutdown()) == (17, calls.Done())


@settings(deadline=None)  # the machine may be busy
@given(st.binary(min_size=1, max_size=200))
def test_any_frame_gets_one_answer(frame: bytes) -> None:
    decode(server.answer(NOTHING, frame))


@dataclass
class Session:
    """A server in a thread, with pipes at both ends."""

    offered: server.Offered
    answers: bytes = b""
    _threads: list[threading.Thread] = field(default_factory=list)

    def feed(self, data: bytes) -> list[tuple[int, Any]]:
        """Everything the server answers to ``data`` followed by the end of input."""
        source, write_end = os.pipe()
        read_end, sink = os.pipe()
        thread = threading.Thread(target=self._serve, args=(source, sink))
        thread.start()
        with open(write_end, "wb") as pipe:  # noqa: PTH123 -- a descriptor, not a path
            pipe.write(data)
        with open(read_end, "rb") as pipe:  # noqa: PTH123 -- as above
            answers = pipe.read()
        thread.join(10)
        assert not thread.is_alive()
        return list(split(answers))

    def _serve(self, source: int, sink: int) -> None:
        server.serve(self.offered, source, sink)
        os.close(source)
        os.close(sink)


def split(answers: bytes) -> Iterator[tuple[int, Any]]:
    while answers:
        size = int.from_bytes(answers[:4], "big")
        yield decode(answers[: 4 + size])
        answers = answers[4 + size :]


def test_answers_frame_after_frame_until_the_input_ends() -> None:
    malformed = b"\x00\x00\x00\x02" + bytes([calls.Advance.NUMBER, 0])

    answers = Session(SERVING).feed(ADVANCE + malformed + ADVANCE)

    assert [number for number, _ in answers] == [12, 0, 12]


@pytest.mark.parametrize("cut", [0, 3, 4, 5, len(ADVANCE) - 1])
def test_a_frame_cut_off_by_the_end_of_input_ends_quietly(cut: int) -> None:
    assert Session(SERVING).feed(ADVANCE[:cut]) == []


@pytest.mark.parametrize("size", [0, calls.MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_a_length_out_of_bounds_gets_an_error_and_ends_the_session(size: int) -> None:
    answers = Session(SERVING).feed(size.to_bytes(4, "big") + ADVANCE)

    assert [reply.code for _, reply in answers] == ["enclave-call-malformed"]


def test_shutdown_is_answered_and_ends_the_session() -> None:
    shutdown = frames.encode(calls.Shutdown.NUMBER, calls.Shutdown())

    answers = Session(SERVING).feed(shutdown + ADVANCE)

    assert answers == [(17, calls.Done())]


def test_the_longest_frame_is_read_whole() -> None:
    body = bytes(calls.MAX_FRAME_BYTES - 1)
    frame = calls.MAX_FRAME_BYTES.to_bytes(4, "big") + bytes([calls.Advance.NUMBER]) + body

    answers = Session(SERVING).feed(frame + ADVANCE)

    assert [number for number, _ in answers] == [0, 12]
