# ruff: noqa: INP001 -- a part of a program, in no package
"""The process that has collected the tests, and forks itself for each mutant.

Started by ``scripts/mutants.py`` in a copy of the tree; writes to the file it is given which
test killed which mutant.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from scripts.mutation import Mutant, apply, find_mutants

TESTS = (
    "tests/enclave/evidence",
    "tests/enclave/verify",
    "tests/enclave/appraise",
    "tests/negatives",
    "tests/enclave/test_judge.py",
    "tests/enigmacli/test_evidence_check.py",
    "tests/enigmacli/test_evidence_check_dcap.py",
    "tests/enigmacli/test_evidence_check_inputs.py",
)
OFTEN = ("tests/negatives/", "_registration.py")
"""What most mutants die of."""
LONGEST_S = 900


class Trials:
    """Runs the collected tests once as they are, then for each mutant until one fails."""

    def __init__(self, result: Path, given: dict[str, Any]) -> None:
        self._result = result
        self._tree = Path(given["tree"])
        self._only: str = given["only"]
        self._jobs: int = given["jobs"]
        self._trust: bool = given["trust"]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop."""
        items = list(session.items)
        tried = [] if self._trust else items
        failing = {item.nodeid for item in tried if fails(item, None)}
        for name in sorted(failing):
            say(f"left out, it fails without any mutant: {name}")
        items = [item for item in items if item.nodeid not in failing]
        mutants = [one for one in find_mutants(self._tree) if self._only in one.name]
        killed_by = dict(self._all(mutants, items))
        self._result.write_text(json.dumps(killed_by))
        return True

    def _all(
        self, mutants: Sequence[Mutant], items: Sequence[pytest.Item]
    ) -> Iterator[tuple[str, str]]:
        """Mutants' keys, and what killed them, as they end."""
        left = list(reversed(mutants))
        running: dict[int, tuple[Mutant, int]] = {}
        while left or running:
            while left and len(running) < self._jobs:
                mutant = left.pop()
                pipe, process = self._start(mutant, items)
                running[pipe] = (mutant, process)
            ready, _, _ = select.select(list(running), [], [])
            for pipe in ready:
                mutant, process = running.pop(pipe)
                with os.fdopen(pipe) as answer:
                    killer = answer.read()
                os.waitpid(process, 0)
                killer = killer or "it ended or took too long"
                killer = "" if killer == "-" else killer
                say(f"{'killed  ' if killer else 'SURVIVED'} {mutant.line:>4} {mutant.name}")
                yield mutant.key, killer

    def _start(self, mutant: Mutant, items: Sequence[pytest.Item]) -> tuple[int, int]:
        """Where the answer will come, and the process that gives it."""
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            return reading, process
        signal.alarm(LONGEST_S)
        try:
            os.write(writing, (self._killer(mutant, items) or "-").encode())
        finally:
            os._exit(0)

    def _killer(self, mutant: Mutant, items: Sequence[pytest.Item]) -> str:
        apply(mutant, self._tree)
        ordered = sorted(items, key=lambda item: rank(item.nodeid, mutant))
        for item, following in zip(ordered, [*ordered[1:], None], strict=True):
            if fails(item, following):
                return item.nodeid
        return ""


def rank(test: str, mutant: Mutant) -> int:
    """The tests named like the mutant's module first, then what most die of."""
    module = mutant.path.rpartition("/")[2].removesuffix(".py")
    if f"/test_{module}" in test:
        return 0
    return 1 if any(word in test for word in OFTEN) else 2


def fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether a test fails now."""
    reports: list[Any] = runtestprotocol(item, nextitem=following, log=False)
    return any(report.failed for report in reports)


def say(line: str) -> None:
    """One line of the result, at once."""
    os.write(2, (line + "\n").encode())


def main() -> int:
    """Collect, and let the trials begin."""
    given = json.loads(os.environ["MUTANTS"])
    trials = Trials(Path(sys.argv[1]), given)
    arguments = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist"]
    present = [test for test in TESTS if Path(test).exists()]
    return int(pytest.main([*arguments, "-m", "not e2e", *present], plugins=[trials]))


if __name__ == "__main__":
    sys.exit(main())
