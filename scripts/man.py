# ruff: noqa: INP001 -- a program, in no package
"""Write the manual pages into a folder: ``python -m scripts.man FOLDER``; see ``make man``."""

import sys
from pathlib import Path

from enigmacli.cli import cli
from enigmacli.cli.manual import pages


def main(folder: Path) -> None:
    """Write every page, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(cli):
        (folder / name).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
