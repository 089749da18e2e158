# ruff: noqa: INP001 -- a program, in no package
"""Fuzz live targets for as long as it is told to: ``scripts/fuzz.py [--seconds N] [TARGET...]``.

Every round has a seed of its own, which is printed; ``--seed S`` begins with that one. The
exit code is 1 where a round failed. docs/fuzzing.md has the last long result.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fuzz.targets import TARGETS, run

ROUND_S = 60.0
UNBOUNDED = 1 << 62


def main() -> int:
    """Share the time evenly among the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="in all [default: 600]")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first round")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    given = parser.parse_args()
    unknown = set(given.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    targets = given.targets or list(TARGETS)
    failed = [
        target for target in targets if not fuzz(target, given.seconds / len(targets), given.seed)
    ]
    return 1 if failed else 0


def fuzz(target: str, seconds: float, seed: int) -> bool:
    """Round after round with new processes; whether all went well."""
    kinds: Counter[str] = Counter()
    inputs, failures, spent = 0, 0, 0.0
    while spent < seconds:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            most_s = min(ROUND_S, seconds - spent)
            outcome = run(target, Path(folder), seed, most_s=most_s, most_inputs=UNBOUNDED)
        inputs, failures = inputs + outcome.inputs, failures + len(outcome.failures)
        kinds.update(outcome.kinds)
        say(f"{target}: seed {seed}, {outcome.inputs} inputs, {len(outcome.failures)} failures")
        for failure in outcome.failures:
            say(f"  {failure}")
        seed, spent = seed + 1, spent + most_s
    answers = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    say(f"{target}: {inputs} inputs in {spent:.0f} s, {failures} failures; answers: {answers}")
    return not failures


def say(line: str) -> None:
    """One line of the result, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
