"""Kill -9 at random moments, then the same command again: `python -m scripts.kills`.

About half of the kills hit a story (`quickstart --keep`), in a new folder or in one that an earlier
kill has left; the other half hit single commands. The last line sums up; exit 1 if anything
did not hold. The seed is printed, and the same seed draws the same moments and victims' kinds.
"""

# ruff: noqa: INP001 -- a module to run, in no package

import argparse
import collections
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.killed_commands import Workshop, usual_s, workshop
from tests.faults.killing import Story, Strike, run

_STORIES_SHARE = 0.45
_RESUME_SHARE = 0.3


def main() -> int:
    """Strike as often as asked; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--stories", type=float, default=_STORIES_SHARE, help="share of stories")
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    deadline = time.monotonic() + options.minutes * 60
    strikes: list[Strike] = []
    with tempfile.TemporaryDirectory(prefix="enigma-kills-") as name:
        folder = Path(name)
        (folder / "commands").mkdir()
        story_s = _story_s(folder / "measured")
        with workshop(folder / "commands") as shop:
            command_s = usual_s(shop.folder)
            _say(f"a story takes {story_s:.1f} s, a command {command_s:.1f} s")
            campaign = _Campaign(folder, shop, story_s, command_s, options.stories)
            while len(strikes) < options.count and time.monotonic() < deadline:
                generator = random.Random(f"{options.seed}/{len(strikes)}")  # noqa: S311 -- replayed
                strikes.append(campaign.strike(len(strikes), generator))
                _tell(len(strikes), strikes[-1])
    return _summarise(strikes)


class _Campaign:
    def __init__(
        self, folder: Path, shop: Workshop, story_s: float, command_s: float, stories: float
    ) -> None:
        self._folder = folder
        self._shop = shop
        self._story_s = story_s
        self._command_s = command_s
        self._stories = stories
        self._story = Story(folder / "story-0")

    def strike(self, number: int, generator: random.Random) -> Strike:
        if generator.random() >= self._stories:
            case = generator.choice(self._shop.cases())
            return self._shop.strike(case, generator, self._command_s)
        if generator.random() >= _RESUME_SHARE:
            self._story = Story(self._folder / f"story-{number}")
        return self._story.strike(generator, self._story_s)


def _story_s(folder: Path) -> float:
    started = time.monotonic()
    done = run("quickstart", "--keep", str(folder))
    if done.returncode:
        raise SystemExit(f"the story does not even end without a kill: {done.stderr}")
    return time.monotonic() - started


def _tell(number: int, done: Strike) -> None:
    verdict = "; ".join(done.faults) or "good"
    _say(
        f"{number:4d}  {done.command:20s} {done.victim:8s} after {done.after_s:6.2f} s"
        f"  exits {done.first_exit}, {done.second_exit}  {verdict}"
    )


def _summarise(strikes: list[Strike]) -> int:
    bad = [done for done in strikes if done.faults]
    _say("")
    for command, count in sorted(collections.Counter(one.command for one in strikes).items()):
        _say(f"{count:5d}  {command}")
    for victim, count in sorted(collections.Counter(one.victim for one in strikes).items()):
        _say(f"{count:5d}  killed: {victim}")
    _say(f"{len(strikes)} strikes, {len(strikes) - len(bad)} completions, {len(bad)} faults")
    return 1 if bad else 0


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
