"""Kill -9 at random moments, then the same command again: `python -m scripts.kills`.

A fifth of the strikes hit a story (`quickstart --keep`), in a new folder or in one that an earlier
strike has left; the others hit each command in turn, in a shuffled order. A strike that came too
late, because the command had ended, is told apart and does not count. The summary comes at the end
and after SIGINT or SIGTERM; exit 1 if anything did not hold. The seed is printed; it draws the
order, the victims, and the moments as parts of what a command usually takes.
"""

# ruff: noqa: INP001 -- a module to run, in no package

import argparse
import collections
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Final

from tests.faults import killed_story
from tests.faults.interrupting import interrupt
from tests.faults.killed_commands import workshop
from tests.faults.killed_network import network
from tests.faults.killing import Case, Pace, Strike, measure, strike

_STORIES_SHARE: Final = 0.2
_RESUME_SHARE: Final = 0.3
_GUESSED_S: Final = 2.0
"""For a command that cannot be measured, as on a machine that is far too busy."""


def main() -> int:
    """Strike as often as asked; 1 if anything was lost."""
    options = _options()
    record = _Record(options.record)
    _say(f"seed {options.seed}, {len(record.strikes)} strikes on record")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if record.hits() < options.count:
            _campaign(options, record)
    except KeyboardInterrupt:
        _say("stopped before the end")
    return _summarise(record.strikes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="of kills that hit")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--stories", type=float, default=_STORIES_SHARE, help="share of stories")
    parser.add_argument("--only", default="", help="only commands whose name holds this")
    parser.add_argument("--interrupt", action="store_true", help="not kill -9: ^C, and SIGPIPE")
    parser.add_argument("--record", type=Path, help="file of strikes, to go on from and to append")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Record:
    """All strikes so far, in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file and file.exists() else []
        self.strikes = [_strike(line) for line in lines]

    def add(self, done: Strike) -> None:
        self.strikes.append(done)
        if self._file:
            with self._file.open("a") as file:
                file.write(f"{json.dumps(asdict(done))}\n")

    def hits(self) -> int:
        return sum(done.is_hit for done in self.strikes)


def _strike(line: str) -> Strike:
    read = json.loads(line)
    return Strike(**{**read, "faults": tuple(read["faults"])})


def _campaign(options: argparse.Namespace, record: _Record) -> None:
    deadline = time.monotonic() + options.minutes * 60
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="enigma-kills-")))
        (folder / "commands").mkdir()
        shop = held.enter_context(workshop(folder / "commands"))
        chain = held.enter_context(network(shop))
        cases = [case for case in (*shop.cases(), *chain.cases()) if options.only in case.name]
        drawn = _Drawn(folder, cases, options, _paces(record.strikes))
        while record.hits() < options.count and time.monotonic() < deadline:
            number = len(record.strikes)
            done = drawn.strike(number)
            record.add(done)
            _tell(number, done)


class _Drawn:
    """Draws what is struck; a command's usual duration is measured when it comes up first."""

    def __init__(
        self, folder: Path, cases: list[Case], options: argparse.Namespace, paces: dict[str, Pace]
    ) -> None:
        self._folder = folder
        self._cases = cases
        self._seed: int = options.seed
        self._stories: float = options.stories
        self._hit = interrupt if options.interrupt else strike
        self._waiting: list[Case] = []
        self._story = killed_story.Story(folder / "story-0")
        self._paces = paces

    def strike(self, number: int) -> Strike:
        generator = random.Random(f"{self._seed}/{number}")  # noqa: S311 -- replayed
        case = self._draw(number, generator)
        if case.name not in self._paces:
            self._paces[case.name] = Pace(_usual_s(case, generator))
            _say(f"      {case.name} takes {self._paces[case.name].usual_s:.1f} s")
            if case.name == killed_story.NAME:
                self._story = killed_story.Story(self._folder / "story-first")
        pace = self._paces[case.name]
        done = self._hit(case.name, case.lay_out(generator), pace, generator)
        pace.learn(done)
        return done

    def _draw(self, number: int, generator: random.Random) -> Case:
        if generator.random() < self._stories:
            if generator.random() >= _RESUME_SHARE:
                self._story = killed_story.Story(self._folder / f"story-{number}")
            return Case(killed_story.NAME, lambda _: self._story.trial())
        if not self._waiting:
            self._waiting = generator.sample(self._cases, len(self._cases))
        return self._waiting.pop()


def _paces(strikes: list[Strike]) -> dict[str, Pace]:
    """What commands took in the strikes on record: as long as the latest kill that hit."""
    longest: dict[str, float] = {}
    for done in strikes:
        if done.is_hit:
            longest[done.command] = max(done.after_s, longest.get(done.command, 0.1))
    return {name: Pace(usual_s) for name, usual_s in longest.items()}


def _usual_s(case: Case, generator: random.Random) -> float:
    try:
        return measure(case.lay_out(generator))
    except (AssertionError, TimeoutError, subprocess.TimeoutExpired) as error:
        _say(f"      {case.name} does not even end without a kill: {str(error)[-1500:]}")
        return _GUESSED_S


def _tell(number: int, done: Strike) -> None:
    verdict = "; ".join(done.faults) or ("good" if done.is_hit else "good, too late")
    _say(
        f"{number:4d}  {done.command:24s} {done.victim:8s} after {done.after_s:6.2f} s"
        f"  exits {done.first_exit}, {done.second_exit}  {verdict}"
    )


def _summarise(strikes: list[Strike]) -> int:
    hits = [done for done in strikes if done.is_hit]
    bad = [done for done in strikes if done.faults]
    _say("\n hits  late  faults")
    _count(strikes, lambda done: done.command)
    _say("")
    _count(hits, lambda done: f"killed: {done.victim}")
    completed = sum(not done.faults for done in hits)
    _say(
        f"\n{len(hits)} hits, {completed} completions, {len(bad)} faults; "
        f"{len(strikes) - len(hits)} strikes came too late and are not counted"
    )
    return 1 if bad else 0


def _count(strikes: list[Strike], name: Callable[[Strike], str]) -> None:
    hits = collections.Counter(name(done) for done in strikes if done.is_hit)
    late = collections.Counter(name(done) for done in strikes if not done.is_hit)
    bad = collections.Counter(name(done) for done in strikes if done.faults)
    for one in sorted({*hits, *late}):
        _say(f"{hits[one]:5d} {late[one]:5d} {bad[one]:6d}   {one}")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
