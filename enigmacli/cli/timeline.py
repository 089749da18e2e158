"""A picture of events along block heights, in characters: one line for each kind of event."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_NARROWEST: Final = 10
_WIDEST: Final = 60
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Pen:
    """The characters of a picture."""

    line: str
    one: str
    many: str
    """More than nine at one place."""
    cut: str
    """Ends what was shortened."""


DRAWN: Final = Pen("─", "●", "◆", "…")
ASCII: Final = Pen("-", "o", "#", "~")


def shorten(text: str, most: int, pen: Pen) -> str:
    """``text``, cut to ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + pen.cut


def timeline(events: Mapping[str, Sequence[int]], width: int, pen: Pen) -> list[str]:
    """Lines of at most ``width`` characters: a label, and its events between first and last.

    Args:
        events: heights by label; at least one of each.
        width: in columns; a picture narrower than 20 is as wide as that.
        pen: to draw with.
    """
    every = [height for heights in events.values() for height in heights]
    first, last = min(every), max(every)
    label = min(max(map(len, events)), max(width // 3, _NARROWEST))
    room = min(max(width - label - 2, _NARROWEST), _WIDEST)
    lines = [
        f"{shorten(name, label, pen):<{label}}  {_draw(heights, first, last, room, pen)}"
        for name, heights in events.items()
    ]
    return [*lines, f"{'':<{label}}  {_axis(first, last, room)}"]


def _draw(heights: Sequence[int], first: int, last: int, room: int, pen: Pen) -> str:
    steps = max(last - first, 1)
    counts = Counter((height - first) * (room - 1) // steps for height in heights)
    return "".join(_mark(counts[place], pen) for place in range(room))


def _mark(count: int, pen: Pen) -> str:
    if count > _DIGITS:
        return pen.many
    return str(count) if count > 1 else (pen.line, pen.one)[count]


def _axis(first: int, last: int, room: int) -> str:
    left, right = str(first), str(last)
    if first == last:
        return left
    return left + right.rjust(max(room - len(left), len(right) + 1))
