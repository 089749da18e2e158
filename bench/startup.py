"""How long the command takes to say something, against importing click alone."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.ratio import Ratio, measure

RUNS = 15


def ratios() -> Iterator[Ratio]:
    program = str(Path(sys.executable).with_name("enigmacli"))
    for argument in ("--help", "--version"):
        yield measure(
            f"enigmacli {argument} / python -c 'import click'",
            lambda argument=argument: _run(program, argument),  # type: ignore[misc]
            lambda: _run(sys.executable, "-c", "import click"),
            runs=RUNS,
            promised=2.0,
            clock=time.perf_counter,
        )


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
