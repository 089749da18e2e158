"""What a web layer hands to a simulated service, and what it is to send back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Delivery(Enum):
    """How an answer goes over the wire."""

    WHOLE = auto()
    TRUNCATED = auto()
    """Announced whole, but the connection ends in the middle of the body."""
    DROPPED = auto()
    """The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read completely."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    peer: str = ""
    """The address it came from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    """How long to wait before it is sent."""
    delivery: Delivery = Delivery.WHOLE
    note: str = ""
    """What happened, in a few words, for the server's own log."""
