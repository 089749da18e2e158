"""An engine's side of the ABCI socket, as bytes."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from enigmacli import protobuf
from enigmacli.abci.framing import FrameReader, encode_frame

_PATIENCE_S = 20.0


def request(kind: str, **values: Any) -> bytes:
    """An encoded request, its message set from ``values``."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    message = protobuf.new(f"tendermint.abci.Request{name}", **values)
    found: bytes = protobuf.new("tendermint.abci.Request", **{kind: message}).SerializeToString()
    return found


class AbciClient:
    """One connection; CometBFT has four."""

    def __init__(self, folder: Path, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_PATIENCE_S)
        where = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.connect(f"/proc/self/fd/{where}/{name}")
        finally:
            os.close(where)
        self._answers = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *requests: bytes) -> None:
        self.send_raw(b"".join(map(encode_frame, requests)))

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> tuple[str, Any]:
        """The next answer's kind and message; raises EOFError once the server hung up."""
        response = protobuf.parse("tendermint.abci.Response", next(self._answers))
        kind = response.WhichOneof("value")
        return kind, getattr(response, kind)

    def exchange(self, data: bytes) -> bytes:
        """Send one request, and give back its answer as it came."""
        self.send(data)
        return next(self._answers)

    def _read(self) -> Iterator[bytes]:
        reader = FrameReader()
        while data := self._receive():
            yield from reader.feed(data)
        raise EOFError

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(1 << 16)
        except ConnectionError:
            return b""
