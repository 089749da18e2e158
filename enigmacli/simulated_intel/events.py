"""What a running service tells whoever started it; never a key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listening:
    """The service accepts connections from now on."""

    url: str
    """With the port that was bound."""
    trust_root: str = ""
    """A simulated service's root, as a policy's ``trust_roots`` names it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request was answered, or its connection ended on purpose."""

    method: str
    path: str
    """Percent-encoded, as it was requested, without its query."""
    status: int
    note: str


ServiceEvent = Listening | Answered
