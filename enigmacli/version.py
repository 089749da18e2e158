"""The program's version, without reading package metadata (which costs more than the rest)."""

from typing import Final

VERSION: Final = "0.1.0"
