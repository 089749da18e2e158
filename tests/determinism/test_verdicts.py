"""Two validators with different clocks, zones, locales and hash seeds say the same, bit for bit."""

import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests import corpus

FOLDER: Final = Path(__file__).parent
PROGRAM: Final = FOLDER / "judge_everything.py"
ROOT: Final = FOLDER.parent.parent

FAR_AWAY: Final = {
    "PYTHONHASHSEED": "4242",
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "de_DE.ISO-8859-1",
    "PYTHONUTF8": "0",
}
HERE: Final = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}


def judge_everything(environment: dict[str, str], *arguments: str) -> str:
    """One line a case, from a process of its own."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        check=True,
        text=True,
        capture_output=True,
    ).stdout


@cache
def expected() -> str:
    corpus.corpus_dir()
    return judge_everything(HERE)


def test_every_case_is_judged() -> None:
    lines = expected().splitlines()

    assert len([line for line in lines if line.startswith(("ias/", "dcap/"))]) >= 145
    assert len(set(lines)) > 100, "digests differ from case to case"


def test_nothing_asks_for_the_time() -> None:
    assert judge_everything(HERE, "--no-clock") == expected()


def test_zone_locale_and_hash_seed_change_no_bit() -> None:
    assert judge_everything(FAR_AWAY) == expected()


def test_a_wrong_clock_changes_no_bit(tmp_path: Path) -> None:
    assert judge_everything(HERE | wrong_clock(tmp_path)) == expected()


def wrong_clock(folder: Path) -> dict[str, str]:
    """What makes a process believe in a time 30 years ago; skips without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a wrong clock with; the test without a clock stands")
    library = folder / "clock.so"
    build = [compiler, "-shared", "-fPIC", "-o", str(library), str(FOLDER / "clock.c"), "-ldl"]
    subprocess.run(build, check=True)
    wrong = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_S": str(-30 * 31_557_600)}
    asked = [sys.executable, "-c", "import time; print(time.time())"]
    told = subprocess.run(asked, env=os.environ | wrong, check=True, capture_output=True).stdout
    assert float(told) < time.time() - 29 * 31_557_600, "the clock is not wrong"
    return wrong
