"""The socket server with an application of the test's own; no network but a Unix socket."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enigmacli import protobuf
from enigmacli.abci.framing import encode_frame
from enigmacli.abci.listening import listen_in
from enigmacli.abci.server import AbciServer
from tests.simulators.abci_client import AbciClient, request

PATIENCE_S = 20.0


@dataclass
class Served:
    """A running server, and what it said about the application's failure."""

    folder: Path
    failures: list[Exception] = field(default_factory=list)
    failed: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: Exception) -> None:
        self.failures.append(error)
        self.failed.set()

    def client(self) -> AbciClient:
        return AbciClient(self.folder, "abci.sock")


@contextmanager
def serving(folder: Path, handle: Callable[[bytes], bytes]) -> Iterator[Served]:
    served = Served(folder)
    server = AbciServer(handle, listen_in(folder, "abci.sock"), served.fail)
    server.start()
    try:
        yield served
    finally:
        server.close()


def kind_of(data: bytes) -> str:
    return str(protobuf.parse("tendermint.abci.Request", data).WhichOneof("value"))


def echo(data: bytes) -> bytes:
    """Answers every request with the empty response of its kind, Echo with its message."""
    kind = kind_of(data)
    name = "".join(word.capitalize() for word in kind.split("_"))
    message = protobuf.new(f"tendermint.abci.Response{name}")
    if kind == "echo":
        message.message = protobuf.parse("tendermint.abci.Request", data).echo.message
    found: bytes = protobuf.new("tendermint.abci.Response", **{kind: message}).SerializeToString()
    return found


def test_answers_come_in_the_order_of_requests_and_flush_among_them(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as served, served.client() as client:
        client.send(
            *(request("echo", message=str(at)) for at in range(200)),
            request("check_tx", tx=b"x"),
            request("flush"),
        )
        answers = [client.receive() for _ in range(202)]

    assert [message.message for _, message in answers[:200]] == [str(at) for at in range(200)]
    assert [kind for kind, _ in answers[200:]] == ["check_tx", "flush"]


@pytest.mark.parametrize("kind", ["query", "check_tx"])
def test_query_and_check_tx_answer_with_a_code_whatever_happens(tmp_path: Path, kind: str) -> None:
    def fail(_: bytes) -> bytes:
        raise ZeroDivisionError

    with serving(tmp_path, fail) as served, served.client() as client:
        client.send(request(kind), request(kind))
        answers = [client.receive() for _ in range(2)]

    assert [(seen, message.code, message.codespace) for seen, message in answers] == [
        (kind, 1, "sdk")
    ] * 2
    assert served.failures == []


@pytest.mark.parametrize("kind", ["init_chain", "finalize_block", "commit", "info"])
def test_a_failure_of_consensus_is_not_answered_and_told_once(tmp_path: Path, kind: str) -> None:
    def fail(_: bytes) -> bytes:
        raise ZeroDivisionError(kind)

    with serving(tmp_path, fail) as served, served.client() as client:
        client.send(request(kind), request(kind))
        with pytest.raises(EOFError):
            client.receive()
        assert served.failed.wait(PATIENCE_S)

    assert [str(error) for error in served.failures] == [kind]


def test_running_out_of_memory_is_never_an_answer(tmp_path: Path) -> None:
    def fail(_: bytes) -> bytes:
        raise MemoryError

    with serving(tmp_path, fail) as served, served.client() as client:
        client.send(request("check_tx"))
        assert served.failed.wait(PATIENCE_S)

    assert isinstance(served.failures[0], MemoryError)


def test_a_slow_query_delays_neither_consensus_nor_check_tx(tmp_path: Path) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def handle(data: bytes) -> bytes:
        if kind_of(data) == "query":
            asked.set()
            assert go_on.wait(PATIENCE_S)
        return echo(data)

    with serving(tmp_path, handle) as served, ExitStack() as stack:
        query, mempool, consensus = (stack.enter_context(served.client()) for _ in range(3))
        query.send(request("query"))
        assert asked.wait(PATIENCE_S)
        mempool.send(request("check_tx"))
        consensus.send(request("finalize_block"))
        others = [mempool.receive()[0], consensus.receive()[0]]
        go_on.set()
        last = query.receive()[0]

    assert others == ["check_tx", "finalize_block"]
    assert last == "query"


@pytest.mark.parametrize("kind", ["check_tx", "finalize_block"])
def test_requests_of_one_side_never_meet_even_on_several_connections(
    tmp_path: Path, kind: str
) -> None:
    inside = threading.Semaphore(1)

    def handle(data: bytes) -> bytes:
        assert inside.acquire(blocking=False), "two at once"
        try:
            return echo(data)
        finally:
            inside.release()

    with serving(tmp_path, handle) as served, ExitStack() as stack:
        clients = [stack.enter_context(served.client()) for _ in range(4)]
        for client in clients:
            client.send(*[request(kind)] * 100)
        answers = [client.receive() for client in clients for _ in range(100)]

    assert {seen for seen, _ in answers} == {kind}
    assert all(getattr(message, "code", 0) == 0 for _, message in answers)
    assert served.failures == []


def test_a_request_of_another_version_gets_an_exception(tmp_path: Path) -> None:
    unknown = b"\xaa\x01\x00"  # field 21, InsertTx of CometBFT 0.39

    with serving(tmp_path, echo) as served, served.client() as client:
        client.send(unknown)
        kind, message = client.receive()

    assert (kind, message.error) == ("exception", "unknown request")


@pytest.mark.parametrize("data", [b"\xff" * 8, encode_frame(b"\x0f"), encode_frame(b"\x1a\xff")])
def test_nonsense_ends_its_connection_and_no_other(tmp_path: Path, data: bytes) -> None:
    with serving(tmp_path, echo) as served, served.client() as good, served.client() as bad:
        bad.send_raw(data)
        with pytest.raises(EOFError):
            bad.receive()
        good.send(request("flush"))

        assert good.receive()[0] == "flush"
    assert served.failures == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_leave_the_server_serving(tmp_path: Path, data: bytes) -> None:
    with serving(tmp_path, echo) as served:
        with served.client() as client:
            client.send_raw(data)
        with served.client() as client:
            client.send(request("echo", message="still here"))
            assert client.receive()[1].message == "still here"
        assert served.failures == []


def test_too_many_connections_are_turned_away(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as served, ExitStack() as stack:
        clients = [stack.enter_context(served.client()) for _ in range(16)]
        for client in clients:
            client.send(request("flush"))
            assert client.receive()[0] == "flush"
        one_more = stack.enter_context(served.client())

        with pytest.raises(EOFError):
            one_more.receive()


def test_a_folder_may_have_a_longer_path_than_a_sockets_and_an_old_socket_in_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    for _ in range(2):
        with serving(folder, echo) as served, served.client() as client:
            client.send(request("flush"))
            assert client.receive()[0] == "flush"
