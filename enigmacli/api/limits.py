"""What one client, or many, may hold of the JSON-RPC server: connections, and how long.

aiohttp closes by itself only what waits for the first byte of a request or for the next
request; the rest is here.
"""

import asyncio
import socket
from collections.abc import Callable, Sized
from dataclasses import dataclass

Factory = Callable[[], asyncio.BaseProtocol]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited for a client, and how many may be connected."""

    head_s: float = 30.0
    """From the connection, or the last answer, until the head of a request is there as a whole."""
    body_s: float = 30.0
    """From a request's head until its body is there as a whole."""
    unread_s: float = 30.0
    """How long a client may take in nothing of an answer."""
    connections: int = 400
    """Open at once; a further one is closed. A process may have 1024 open files, commonly."""


class OneTooMany(asyncio.Protocol):
    """Closes a connection as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


def bounded(make: Factory, connected: Callable[[], Sized], limits: Limits) -> Factory:
    """``make``, or :class:`OneTooMany` while so many are ``connected``."""
    return lambda: make() if len(connected()) < limits.connections else OneTooMany()


def drop_unread(listening: socket.socket, limits: Limits) -> None:
    """Let the kernel end connections whose client acknowledges nothing, or leaves no room.

    Accepted sockets inherit it. Source: tcp(7), TCP_USER_TIMEOUT.
    """
    milliseconds = round(limits.unread_s * 1000)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
