# ruff: noqa: INP001 -- a program, in no package
"""Take each check out of the judgement, one at a time, and see that a test fails.

``scripts/mutants.py [--only TEXT] [--jobs N] [--markdown FILE]``. A mutant is one of

* ``judge(Error, condition, ...)`` or ``rule(Error, role, condition, ...)`` with ``True``;
* ``require(checks, check)`` that only records the check;
* ``if condition: raise ...`` with the condition ``False``,

in ``enclave/evidence``, ``enclave/verify`` or ``enclave/appraise``. No file is changed: the tests
are collected once, in a copy of the tree, and a process forked off for each mutant exchanges
the code of one function before it runs them. Exit code 1 where a mutant survives that
:mod:`scripts.equivalent_mutants` does not explain. docs/mutants.md has the last result.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.equivalent_mutants import EQUIVALENT  # noqa: E402 -- after the path to it
from scripts.mutation import PACKAGES, Mutant, find_mutants  # noqa: E402 -- as above

COPIED = ("enclave", "enigmacli", "tests", "scripts", "docs", "bench", "pyproject.toml")


def main() -> int:
    """Make every mutant, run the tests, and say what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--trust", action="store_true", help="do not try the tests without any mutant first"
    )
    parser.add_argument("--markdown", type=Path, help="write the result here")
    parser.add_argument("--list", action="store_true", help="say which there are, run nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copy_of(ROOT, Path(folder) / "tree")
        mutants = [one for one in find_mutants(tree) if given.only in one.name]
        if given.list:
            for mutant in mutants:
                sys.stdout.write(f"{mutant.line:>4} {mutant.name}\n")
            return 0
        killed_by = try_all(tree, given.only, given.jobs, trust=given.trust)
    survivors = [
        one for one in mutants if not killed_by.get(one.key) and one.name not in EQUIVALENT
    ]
    if given.markdown:
        given.markdown.write_text("\n".join(report(mutants, killed_by)) + "\n")
    sys.stdout.write(f"{len(mutants)} mutants, {len(survivors)} survived without a reason\n")
    for survivor in survivors:
        sys.stdout.write(f"  line {survivor.line} {survivor.name}\n")
    return 1 if survivors else 0


def copy_of(root: Path, tree: Path) -> Path:
    """What the tests need, away from whoever edits the checkout."""
    tree.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, tree / name)
    return tree


def try_all(tree: Path, text: str, jobs: int, *, trust: bool) -> dict[str, str]:
    """By a mutant's key the test that killed it, empty where none did."""
    environment: dict[str, Any] = {
        **os.environ,
        "ENIGMA_CORPUS": os.environ.get("ENIGMA_CORPUS", str(ROOT.parent / "shared" / "corpus")),
        "PYTHONPATH": str(tree),
        "MUTANTS": json.dumps({"tree": str(tree), "only": text, "jobs": jobs, "trust": trust}),
    }
    result = tree / "result.json"
    command = [sys.executable, "-m", "scripts.mutation_trial", str(result)]
    subprocess.run(command, cwd=tree, env=environment, check=True)
    found: dict[str, str] = json.loads(result.read_text())
    return found


def report(mutants: list[Mutant], killed_by: dict[str, str]) -> Iterator[str]:
    """The result as Markdown."""
    made: Counter[str] = Counter(one.path for one in mutants)
    killed: Counter[str] = Counter(one.path for one in mutants if killed_by.get(one.key))
    yield "| module | mutants | killed |"
    yield "|---|---|---|"
    for package in PACKAGES:
        for path, count in made.items():
            if path.startswith(package):
                yield f"| `{path}` | {count} | {killed[path]} |"
    yield f"| all | {made.total()} | {killed.total()} |"
    for mutant in mutants:
        if not killed_by.get(mutant.key):
            why = EQUIVALENT.get(mutant.name, "SURVIVED")
            yield f"\n`{mutant.name}`: {why}"


if __name__ == "__main__":
    sys.exit(main())
