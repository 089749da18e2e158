# ruff: noqa: INP001 -- a part of a program, in no package
"""``python -m scripts.differential [--seed N] [--markdown FILE]``: do two verdicts agree?

Every difference must be explained in :mod:`scripts.differential.explained`; the exit code is 1
where one is not. docs/differential.md has the last result.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

from scripts.differential.cases import corpus_cases, mutations
from scripts.differential.explained import explain
from scripts.differential.signed_again import signed_again
from scripts.differential.verdicts import Case, Other, Verdict, ours
from tests.corpus import corpus_dir

Difference = tuple[Case, Verdict, Verdict]


def main() -> int:
    """Judge every case twice, and say where the verdicts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the mutations [default: 1]")
    parser.add_argument("--markdown", type=Path, help="write the result here")
    given = parser.parse_args()
    made: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    explained: dict[str, list[Difference]] = defaultdict(list)
    left: list[Difference] = []
    with Other() as other:
        for case in all_cases(given.seed):
            mine, theirs = ours(case), other.judge(case)
            made[case.family] += 1
            if same(mine, theirs):
                agreed[f"{case.family}: {'accepted' if mine.accepted else 'refused'}"] += 1
                continue
            reason = explain(case, mine, theirs)
            if reason:
                explained[reason].append((case, mine, theirs))
            else:
                left.append((case, mine, theirs))
    lines = list(report(made, agreed, explained))
    sys.stdout.write("\n".join(lines) + "\n")
    for difference in left:
        sys.stdout.write(f"NOT EXPLAINED: {show(difference)}\n")
    if given.markdown:
        given.markdown.write_text("\n".join(lines) + "\n")
    return 1 if left else 0


def all_cases(seed: int) -> Iterator[Case]:
    """The corpus, its mutations, and simulated evidence that is signed again."""
    rng = Random(seed)  # noqa: S311 -- no secret
    known = corpus_cases(corpus_dir() / "dcap")
    bases = [case for case in known if case.family == "corpus, as found"]
    yield from known
    for base in bases:
        others = [other for other in bases if other.quote != base.quote]
        yield from mutations(base, others, rng)
    yield from signed_again()


def same(mine: Verdict, theirs: Verdict) -> bool:
    """Whether both refuse, or both accept and say the same about the platform."""
    if not mine.accepted or not theirs.accepted:
        return mine.accepted == theirs.accepted
    return mine.status == theirs.status and set(mine.advisories) == set(theirs.advisories)


def report(
    made: Counter[str], agreed: Counter[str], explained: dict[str, list[Difference]]
) -> Iterator[str]:
    """The result as Markdown."""
    yield "| cases | judged | both accept | both refuse | differ |"
    yield "|---|---|---|---|---|"
    for family, count in made.items():
        accepted, refused = agreed[f"{family}: accepted"], agreed[f"{family}: refused"]
        yield f"| {family} | {count} | {accepted} | {refused} | {count - accepted - refused} |"
    accepted = sum(count for name, count in agreed.items() if name.endswith("accepted"))
    refused = agreed.total() - accepted
    total = made.total()
    yield f"| all | {total} | {accepted} | {refused} | {total - accepted - refused} |"
    yield ""
    yield "| why they differ | how often | ours, and theirs |"
    yield "|---|---|---|"
    for reason, found in sorted(explained.items(), key=lambda item: -len(item[1])):
        words = Counter(f"`{word(mine)}`, `{word(theirs)}`" for _, mine, theirs in found)
        shown = "; ".join(text for text, _ in words.most_common(3))
        yield f"| {reason} | {len(found)} | {shown}{'; …' if len(words) > 3 else ''} |"  # noqa: PLR2004


def word(verdict: Verdict) -> str:
    """A verdict in one word or sentence."""
    return verdict.status if verdict.accepted else verdict.reason[:60].replace("|", "/")


def show(difference: Difference) -> str:
    """One difference on one line."""
    case, mine, theirs = difference
    return f"[{case.family}] {case.name}: ours {word(mine)}, theirs {word(theirs)}"


if __name__ == "__main__":
    sys.exit(main())
