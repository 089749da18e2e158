"""What ``explain`` says about one error code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """Behind a code: a usual cause, what to do, and the one command to try first."""

    why: str
    remedy: str
    hint: str = ""
