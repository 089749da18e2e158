"""Sessions as a person sees them (``tests/scripts/*.txt``), replayed word by word."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import ROOT

SCRIPTS = sorted((ROOT / "tests" / "scripts").glob("*.txt"))


@dataclass
class Step:
    typed: str
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    code: int = 0


def steps(script: str) -> list[Step]:
    found: list[Step] = []
    for line in script.splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "$":
            found.append(Step(rest))
        elif mark == "!":
            found[-1].err.append(rest)
        elif mark == "?":
            found[-1].code = int(rest)
        elif line and mark != "#":
            found[-1].out.append(line)
    return found


def fits(lines: list[str], seen: str) -> bool:
    pattern = re.escape("\n".join(lines)).replace("…", ".*")
    return re.fullmatch(pattern, seen.rstrip("\n"), re.DOTALL) is not None


def test_there_are_transcripts() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_program_answers_as_the_transcript_says(
    program: Any, root_file: Path, script: Path
) -> None:
    text = script.read_text().replace("<home>", str(program.home)).replace("<root>", str(root_file))

    for step in steps(text):
        name, *arguments = shlex.split(step.typed)
        assert name == "enigmacli"
        seen = program(*arguments)
        assert (seen.code, step.typed) == (step.code, step.typed), seen.err
        assert fits(step.out, seen.out), f"{step.typed}\n{seen.out}"
        assert fits(step.err, seen.err), f"{step.typed}\n{seen.err}"


def test_a_transcript_that_differs_is_noticed() -> None:
    (step,) = steps("# note\n$ enigmacli x\na … c\n! warn\n? 3\n")

    assert (step.out, step.err, step.code) == (["a … c"], ["warn"], 3)
    assert fits(step.out, "a b c\n")
    assert not fits(step.out, "a b d\n")
    assert not fits([], "more\n")
