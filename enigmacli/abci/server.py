"""The ABCI 2.0 socket server: an application for an engine in another process.

CometBFT v0.38 dials four connections (query, snapshot, mempool, consensus), sends requests
without waiting, and expects the answers of a connection in the order of its requests
(``abci/client/socket_client.go``). The application's calls block, so each connection has a
thread: order comes by itself, and a slow Query holds up nobody but the next Query. What a
request is decides which lock it takes, not the connection that it came on.

A ``ResponseException`` ends CometBFT. It is sent for a request of another version of ABCI
only; Query and CheckTx answer with a code whatever happens, and a failure of consensus is not
answered at all: it ends this process, and the closed socket ends CometBFT.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.abci.framing import FrameError, FrameReader, encode_frame

_MAX_CONNECTIONS: Final = 16  # CometBFT dials four; more is somebody's mistake
_FINISH_TIMEOUT_S: Final = 5.0
_READ_BYTES: Final = 1 << 16
_INTERNAL: Final = 1  # the SDK's code of an internal error, as the application gives it
_CODESPACE: Final = "sdk"
_REFUSABLE: Final = {"query": "ResponseQuery", "check_tx": "ResponseCheckTx"}

Handle = Callable[[bytes], bytes]


class AbciServer:
    """Serves an application on a socket.

    Args:
        handle: answers one encoded ``Request`` with one encoded ``Response``. Query and Info come
            from any thread at any time, CheckTx from one thread at a time, everything else from
            one thread at a time.
        listening: the socket, of :mod:`enigmacli.abci.listening`; closed with the server.
        on_failure: told, once, that the application failed where it must not go on.
    """

    def __init__(
        self, handle: Handle, listening: socket.socket, on_failure: Callable[[Exception], None]
    ) -> None:
        self._handle = handle
        self._on_failure = on_failure
        self._locks = {"consensus": threading.Lock(), "mempool": threading.Lock()}
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        self._closed = False
        self._socket = listening
        self._thread = threading.Thread(target=self._accept, name="abci", daemon=True)

    def start(self) -> None:
        """Accept connections from now on."""
        self._thread.start()

    def close(self) -> None:
        """Accept no more, end the open connections, and let what is under way finish."""
        with self._guard:
            self._closed = True
            connections = dict(self._connections)
        for one in (self._socket, *connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in (self._thread, *connections.values()):
            if thread.is_alive():
                thread.join(_FINISH_TIMEOUT_S)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._guard:
                refused = self._closed or len(self._connections) >= _MAX_CONNECTIONS
                if not refused:
                    self._connections[connection] = thread
                    thread.start()
            if refused:
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        with ExitStack() as stack:
            stack.callback(self._forget, connection)
            try:
                self.serve(connection)
            except (OSError, FrameError):
                return  # the other side is gone, or never was an engine
            except Exception as error:  # noqa: BLE001 -- whatever it was, the node must not go on
                self._fail(error)

    def serve(self, connection: socket.socket) -> None:
        """Answer one connection until it ends.

        Raises:
            OSError: the connection broke.
            FrameError: the other side does not speak ABCI.
            Exception: the application failed where it must not go on.
        """
        reader = FrameReader()
        while data := connection.recv(_READ_BYTES):
            for request in reader.feed(data):
                connection.sendall(encode_frame(self._answer(request)))

    def _answer(self, request: bytes) -> bytes:
        kind = _kind(request)
        if kind is None:
            return _response("exception", "ResponseException", error="unknown request")
        if kind == "flush":
            return _response(kind, "ResponseFlush")
        with self._lock(kind):
            if kind in _REFUSABLE:
                return self._answer_always(kind, request)
            return self._handle(request)

    def _answer_always(self, kind: str, request: bytes) -> bytes:
        try:
            return self._handle(request)
        except (MemoryError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 -- an exception here would stop the engine
            return _response(
                kind, _REFUSABLE[kind], code=_INTERNAL, codespace=_CODESPACE, log="internal"
            )

    def _lock(self, kind: str) -> Any:
        if kind in ("query", "info", "echo"):
            return nullcontext()
        return self._locks["mempool" if kind == "check_tx" else "consensus"]

    def _fail(self, error: Exception) -> None:
        with self._guard:
            first, self._closed = not self._closed, True
        if first:
            self._on_failure(error)

    def _forget(self, connection: socket.socket) -> None:
        with self._guard:
            del self._connections[connection]
        connection.close()


def _kind(request: bytes) -> str | None:
    """Which request it is; ``None`` for one of another version.

    Raises:
        FrameError: no request at all.
    """
    try:
        parsed = protobuf.parse("tendermint.abci.Request", request)
    except ValueError as error:
        raise FrameError("not an ABCI request") from error
    kind: str | None = parsed.WhichOneof("value")
    return kind


def _response(kind: str, name: str, **values: Any) -> bytes:
    message = protobuf.new(f"tendermint.abci.{name}", **values)
    response = protobuf.new("tendermint.abci.Response", **{kind: message})
    return bytes(response.SerializeToString())
