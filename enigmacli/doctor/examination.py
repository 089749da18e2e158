"""Examine a home and the machine it is on, within a time limit and without changing anything.

Every probe that is needed runs in a thread of its own, all at the same time. One that fails
or does not end in time becomes a finding; nothing else is lost, and nothing waits for it.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from enigmacli.doctor import side_by_side
from enigmacli.doctor.checks import CHECKS, warning
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding
from enigmacli.doctor.groups import BEFORE_UPDATE, GROUPS, Group
from enigmacli.doctor.subject import Subject

__all__ = ["BEFORE_UPDATE", "GROUPS", "Subject", "examine", "gather", "judge", "selectable"]

INCOMPLETE: Final = "doctor.incomplete"


def examine(subject: Subject, only: Collection[str] = ()) -> Iterator[Finding]:
    """The findings about ``subject``, group by group in the order of :data:`GROUPS`.

    Never raises what a probe met, never asks a question, takes no lock, writes nothing.

    Args:
        subject: what to examine.
        only: ids and names of groups; empty: everything. What is not among them is neither
            probed nor returned, but for what could not be examined.

    Raises:
        ValueError: ``only`` has a name that is neither an id nor a group.
    """
    if unknown := sorted(set(only) - set(selectable())):
        raise ValueError(f"neither a check nor a group: {', '.join(unknown)}")
    named = {one.partition(".")[0] for one in only}
    groups = [group for group in GROUPS if not only or group.name in named]
    for finding in judge(gather(subject, groups), groups):
        if not only or {finding.id, finding.group} & {*only, INCOMPLETE}:
            yield finding


def gather(subject: Subject, groups: Sequence[Group]) -> Facts:
    """What these groups judge, as far as it can be found within the subject's time limit."""
    names = dict.fromkeys(name for group in groups for name in group.facts)
    tasks = {name: partial(_probe, name, subject) for name in names}
    outcome = side_by_side.run(tasks, subject.limit_s)
    return Facts(subject, **outcome.found, faults=MappingProxyType(outcome.faults))


def _probe(name: str, subject: Subject) -> Any:
    """Run a probe, which is imported only now."""
    return import_module(f"enigmacli.doctor.probes.{name}").probe(subject)


def judge(facts: Facts, groups: Sequence[Group]) -> Iterator[Finding]:
    """The findings of these groups, and last what could not be examined."""
    for group in groups:
        yield from group.judge(facts)
    for name, fault in facts.faults.items():
        seen = f"the examination of the {name} gave nothing: {fault}"
        yield warning(INCOMPLETE, seen, f"{facts.subject.program} doctor --only {_group_of(name)}")


def _group_of(name: str) -> str:
    """The first group that looks at a fact, to try it again alone."""
    return next(group.name for group in (*GROUPS, BEFORE_UPDATE) if name in group.facts)


def selectable() -> list[str]:
    """Every name of a group of :data:`GROUPS`, and every id in one."""
    names = [group.name for group in GROUPS]
    return names + [check for check in CHECKS if check.partition(".")[0] in names]
