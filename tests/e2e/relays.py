"""Small TCP relays between nodes, which can be cut and healed: partitions without privileges."""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress

_CHUNK = 1 << 16


class Relay:
    """Passes bytes on to one address; a cut ends what is open and lets nothing new through."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._is_cut = False
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._guard:
            self._is_cut = True
            ended, self._open = self._open, set()
        for one in ended:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return  # closed
            if self._is_cut:
                incoming.close()
                continue
            threading.Thread(target=self._serve, args=(incoming,), daemon=True).start()

    def _serve(self, incoming: socket.socket) -> None:
        try:
            outgoing = socket.create_connection(self._target, 5)
        except OSError:
            incoming.close()
            return
        outgoing.settimeout(None)
        with self._guard:
            if not self._is_cut:
                self._open |= {incoming, outgoing}
        back = threading.Thread(target=_pump, args=(outgoing, incoming), daemon=True)
        back.start()
        if self._is_cut:
            _end(incoming, outgoing)
        _pump(incoming, outgoing)
        back.join()
        with self._guard:
            self._open -= {incoming, outgoing}
        incoming.close()
        outgoing.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _end(source, sink)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class Relays:
    """One relay for each ordered pair of nodes: how the first dials the second."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._relays = {
            (one, other): Relay(address)
            for one in addresses
            for other, address in addresses.items()
            if one != other
        }

    def address(self, dialling: str, dialled: str) -> str:
        return self._relays[dialling, dialled].address

    def partition(self, *sides: Iterable[str]) -> None:
        """Cut what connects nodes of different sides, and heal the rest."""
        side_of = {name: number for number, side in enumerate(sides) for name in side}
        for (one, other), relay in self._relays.items():
            relay.heal() if side_of[one] == side_of[other] else relay.cut()

    def heal(self) -> None:
        for relay in self._relays.values():
            relay.heal()

    def close(self) -> None:
        for relay in self._relays.values():
            relay.close()
