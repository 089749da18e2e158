"""The standard streams of the process: never closed, and never at a loss for a letter.

A locale that lacks a letter is no bug: what has a spelling in ASCII is written that way, and
anything else as an escape.
"""

import codecs
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Final

_SPELT: Final = "enigmacli-spelt"
_ASCII: Final = "enigmacli_ascii"

SPELLINGS: Final = MappingProxyType(
    {
        "…": "...", "—": "-", "→": "->", "←": "<-", "≤": "<=", "≥": ">=",
        "─": "-", "━": "-", "│": "|", "┃": "|", "├": "+", "└": "+", "┌": "+", "┐": "+", "┘": "+",
        "┤": "+", "┬": "+", "┴": "+", "┼": "+", "╰": "+", "╭": "+", "╮": "+", "╯": "+",
        "●": "*", "○": "o", "•": "*", "·": ".", "✓": "+", "✗": "x", "█": "#", "░": ".",
    }
)  # fmt: skip
"""What is written in the place of a letter that the stream's encoding lacks."""


def prepare() -> None:
    """Make the process's streams such that writing words to them cannot fail."""
    _open_closed_streams()
    codecs.register_error(_SPELT, _spell)
    codecs.register(_find_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if ascii_only else None, errors=_SPELT)


def _open_closed_streams() -> None:
    """Let a standard stream that the caller closed lead nowhere.

    Otherwise the next file that is opened would take its number, and whatever somebody
    prints would end up in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 -- for good
            setattr(sys, name, stream)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: a spelling for each letter, else its escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(SPELLINGS.get(one, ascii(one)[1:-1]) for one in letters), error.end


def _find_ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: click takes ASCII itself for a mistake, and writes UTF-8."""
    if name != _ASCII:
        return None
    real = codecs.lookup("ascii")
    return codecs.CodecInfo(
        real.encode,
        real.decode,
        real.streamreader,
        real.streamwriter,
        real.incrementalencoder,
        real.incrementaldecoder,
        name=_ASCII,
    )
