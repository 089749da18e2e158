"""A finding: what was seen, how bad that is, why it matters, and what helps."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; in this order, so that ``max`` gives the worst."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing: nothing is to be done, or it could not be found out."""
    WARNING = "warning"
    """Works now, and will hurt later."""
    ERROR = "error"
    """Does not work, or loses something."""

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Severity).index(self)

    def __lt__(self, other: str) -> bool:
        """By rank, not by spelling."""
        return self.rank < Severity(other).rank

    def __le__(self, other: str) -> bool:
        """By rank, not by spelling."""
        return self.rank <= Severity(other).rank

    def __gt__(self, other: str) -> bool:
        """By rank, not by spelling."""
        return self.rank > Severity(other).rank

    def __ge__(self, other: str) -> bool:
        """By rank, not by spelling."""
        return self.rank >= Severity(other).rank


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of an examination."""

    id: str
    """``group.name``, for example ``disk.space``; stable, like an error code."""
    severity: Severity
    seen: str
    """What was found: one line, lower case, no full stop."""
    why: str
    """Why it matters; one line."""
    hint: str | None
    """The command or step that helps, where something is to be done."""

    @property
    def group(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]
