"""A workflow file as far as our example goes: its environment, and its steps that run something.

A subset of YAML: two spaces a level, plain or double-quoted words, and blocks after ``|``.
"""

import json
import re
from dataclasses import dataclass

_ENTRY = re.compile(r"(?P<indent> *)(?P<dash>- )?(?P<name>[A-Za-z_-]+):(?: (?P<value>.*))?")


@dataclass(frozen=True)
class Step:
    name: str
    script: str
    condition: str


@dataclass(frozen=True)
class Workflow:
    environment: dict[str, str]
    steps: list[Step]
    uses: list[str]


def read(text: str) -> Workflow:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    environment = dict(_pair(line) for line in _below(lines, lines.index("env:")))
    found = [_step(lines, at) for at, line in enumerate(lines) if line.startswith("      - ")]
    steps = [Step(one["name"], one["run"], one.get("if", "")) for one in found if "run" in one]
    return Workflow(environment, steps, [one["uses"] for one in found if "uses" in one])


def _step(lines: list[str], at: int) -> dict[str, str]:
    members: dict[str, str] = {}
    own = [at, *(at + 1 + more for more in range(len(_below(lines, at, 8))))]
    for number in own:
        found = _ENTRY.fullmatch(lines[number])
        if found is None or (len(found["indent"]) + 2 * bool(found["dash"])) != 8:
            continue
        name, value = _pair(lines[number])
        members[name] = "\n".join(_below(lines, number)) if value == "|" else value
    return members


def _below(lines: list[str], at: int, least: int | None = None) -> list[str]:
    """The lines that belong to line ``at``, without their common indentation."""
    depth = len(lines[at]) - len(lines[at].lstrip()) + 2 if least is None else least
    end = at + 1
    while end < len(lines) and lines[end].startswith(" " * depth):
        end += 1
    return [line[depth:] for line in lines[at + 1 : end]]


def _pair(line: str) -> tuple[str, str]:
    found = _ENTRY.fullmatch(line)
    assert found is not None, line
    value = found["value"] or ""
    return found["name"], json.loads(value) if value.startswith('"') else value
