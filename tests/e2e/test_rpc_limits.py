"""What a client may hold of the JSON-RPC server, with real sockets and short limits."""

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from enigmacli.api.jsonrpc import Dispatcher, Method, Pace
from enigmacli.api.limits import Limits
from enigmacli.api.server import RpcServer

pytestmark = pytest.mark.e2e

PATIENCE_S = 10.0
SHORT_S = 0.3
HUGE = "x" * 20_000_000
LONG_HEAD = b"POST / HTTP/1.1\r\nHost: node\r\nX-Padding: " + b"x" * 4000
ASKED = b'{"jsonrpc":"2.0","id":1,"method":"health","params":{}}'


@dataclass
class Server:
    """A server whose methods are harmless; ``gate`` lets the one called ``slow`` return."""

    port: int
    gate: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def client(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as client:
            yield client


@contextmanager
def serving(limits: Limits) -> Iterator[Server]:
    made = Server(0)
    methods = {
        "health": Method(dict),
        "slow": Method(lambda: made.gate.wait(PATIENCE_S), pace=Pace.WAIT),
        "huge": Method(lambda: HUGE),
    }
    server = RpcServer(Dispatcher(methods, lambda _: None), "127.0.0.1:0", limits)
    server.bind()
    server.start()
    made.port = int(server.address.rpartition(":")[2])
    try:
        yield made
    finally:
        server.close()


def body_head(length: int) -> bytes:
    return f"POST / HTTP/1.1\r\nHost: node\r\nContent-Length: {length}\r\n\r\n".encode()


def answered(client: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(4096)
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = (int(line.split(b":")[1]) for line in head.splitlines()
                 if line.lower().startswith(b"content-length"))  # fmt: skip
    while len(body) < length:
        body += client.recv(4096)
    return int(head.split()[1]), body


def ask(client: socket.socket) -> int:
    client.sendall(body_head(len(ASKED)) + ASKED)
    return answered(client)[0]


def is_closed(client: socket.socket) -> bool:
    """Wait until the server has closed, and read nothing but that."""
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def drip(client: socket.socket, data: bytes, until: Callable[[], bool]) -> bool:
    """Send a byte at a time until that holds; false where all was sent first."""
    for byte in data:
        if until():
            return True
        try:
            client.sendall(bytes([byte]))
        except ConnectionError:
            return True
        time.sleep(0.01)
    return False


def readable(client: socket.socket) -> bool:
    return bool(select.select([client], [], [], 0)[0])


def test_a_client_that_sends_nothing_is_left() -> None:
    with serving(Limits(head_s=SHORT_S)) as server, server.client() as client:
        assert is_closed(client)


def test_a_client_that_asks_no_more_is_left() -> None:
    with serving(Limits(head_s=SHORT_S)) as server, server.client() as client:
        assert ask(client) == 200
        assert is_closed(client)


def test_a_head_that_comes_byte_by_byte_is_not_waited_for() -> None:
    with serving(Limits(head_s=SHORT_S)) as server, server.client() as client:
        assert drip(client, LONG_HEAD, lambda: readable(client))
        assert is_closed(client)


def test_a_body_that_comes_byte_by_byte_is_refused() -> None:
    with serving(Limits(body_s=SHORT_S)) as server, server.client() as client:
        client.sendall(body_head(4000))
        assert drip(client, b" " * 4000, lambda: readable(client))

        status, body = answered(client)

        assert status == 408
        assert "timeout" in json.loads(body)["error"]["data"]
        assert is_closed(client)


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    with serving(Limits(unread_s=SHORT_S, connections=1)) as server, server.client() as client:
        client.sendall(b"GET /huge HTTP/1.1\r\nHost: node\r\n\r\n")
        assert client.recv(1)

        assert eventually_served(server)


def test_a_client_that_waits_for_a_slow_answer_is_not_left() -> None:
    with serving(Limits(head_s=SHORT_S, body_s=SHORT_S)) as server, server.client() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: node\r\n\r\n")
        assert not select.select([client], [], [], 3 * SHORT_S)[0]
        server.gate.set()

        status, body = answered(client)

        assert status == 200
        assert json.loads(body)["result"] is True


def test_one_connection_too_many_is_closed_until_another_leaves() -> None:
    with serving(Limits(connections=3)) as server, ExitStack() as clients:
        first, *_ = [clients.enter_context(server.client()) for _ in range(3)]
        assert ask(first) == 200
        with server.client() as refused:
            assert is_closed(refused)

        first.close()

        assert eventually_served(server)


def eventually_served(server: Server) -> bool:
    """Whether a place becomes free; the server sees a client leave a moment later."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with server.client() as client, suppress(ConnectionError):
            client.sendall(body_head(len(ASKED)) + ASKED)
            if client.recv(4096):
                return True
    return False
