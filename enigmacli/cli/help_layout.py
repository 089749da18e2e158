"""How ``--help`` fills the terminal: as wide as it is, down to 40 columns."""

import re
import shutil
from collections.abc import Iterable
from typing import Final

import click

WIDEST: Final = 80
NARROWEST: Final = 40
_NARROW: Final = 60
_NARROW_TERMS: Final = 12
_HANGING: Final = "    "


class Formatter(click.HelpFormatter):
    """Click's, but for its lower bound of 50 columns, and for its wide first column."""

    def __init__(self, width: int | None = None, max_width: int | None = None) -> None:
        seen = min(shutil.get_terminal_size().columns, max_width or WIDEST)
        super().__init__(width=width or max(seen, NARROWEST) - 2)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms with their meanings; on a narrow terminal long terms stand alone."""
        most = _NARROW_TERMS if self.width < _NARROW else col_max
        folded = [(self._folded(term), meaning) for term, meaning in rows]
        super().write_dl(folded, min(col_max, most), col_spacing)

    def _folded(self, term: str) -> str:
        """A term too long for a line, in several: broken between the words of a choice."""
        room = self.width - self.current_indent
        lines = [""]
        for word in re.findall(r"[^|]+\|?", term):
            if lines[-1] and len(lines[-1]) + len(word) > room:
                lines.append(_HANGING)
            lines[-1] += word
        return f"\n{'':>{self.current_indent}}".join(lines)


class Context(click.Context):
    """Click's, with help laid out by :class:`Formatter`."""

    formatter_class = Formatter
