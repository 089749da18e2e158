"""``evidence`` and ``tcb``: would what is in the home register this node, and until when?

A node that holds the seed needs no evidence any more, until it has to register again: then
what is an error before is a note.
"""

from collections.abc import Callable, Iterator
from typing import Final

from enclave.times import format_rfc3339
from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import EvidenceFile, Facts
from enigmacli.doctor.findings import Finding

SOON_US: Final = 7 * 86_400 * 1_000_000

_MENDED: Final = frozenset({"OK", "UpToDate"})
_HARDENED: Final = frozenset({"SW_HARDENING_NEEDED", "SWHardeningNeeded"})
_MEND: Final = "update BIOS and microcode; before that: {program} doctor --before-update"

Judge = Callable[[str, str, str | None], Finding]


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about each file of evidence."""
    fetch = f"{facts.subject.program} attest fetch"
    held = facts.trusted.held if facts.trusted else None
    seeded = held is not None and held.seeds > 0
    if not facts.evidence:
        if facts.evidence is not None and held is not None and held.node_id and not seeded:
            yield note("evidence.readable", "there is none yet", fetch)
        return
    for file in facts.evidence:
        yield from _judge_file(facts, file, fetch, note if seeded else error)


def _judge_file(facts: Facts, file: EvidenceFile, fetch: str, fail: Judge) -> Iterator[Finding]:
    if file.fault:
        yield fail("evidence.readable", f"{file.name}: {file.fault}", fetch)
        return
    yield ok("evidence.readable", f"{file.name} is authentic ({file.kind})")
    if file.verdict == "accept":
        yield ok("evidence.accepted", f"{file.name} is accepted now")
    else:
        explain = f"{facts.subject.program} explain {file.code}"
        yield fail("evidence.accepted", f"{file.name}: {file.reason} ({file.code})", explain)
    if file.ends:
        yield _expiry(file, facts.subject.now_us(), fetch, fail)


def _expiry(file: EvidenceFile, now_us: int, fetch: str, fail: Judge) -> Finding:
    first = file.ends[0]
    when = f"{file.name}: {first.name} until {_instant(first.end_us)}"
    if first.end_us < now_us:
        return fail("evidence.expiry", f"{when}, which is past", fetch)
    if first.end_us < now_us + SOON_US:
        judged = note if fail is note else warning
        return judged("evidence.expiry", f"{when}, in less than a week", fetch)
    return ok("evidence.expiry", when)


def judge_tcb(facts: Facts) -> Iterator[Finding]:
    """Findings about the platform's security level, as its evidence states it."""
    for file in facts.evidence or ():
        if file.fault or not file.status:
            continue
        yield _status(file, facts.subject.program)
        if file.evaluation_number is not None:
            yield _recovery(file, facts.subject.program)


def _status(file: EvidenceFile, program: str) -> Finding:
    seen = f"{file.status}{f', FMSPC {file.fmspc}' if file.fmspc else ''} ({file.name})"
    if file.status in _MENDED:
        return ok("tcb.status", seen)
    if file.status in _HARDENED:
        return note("tcb.status", f"{seen}: the network's code has to be hardened, too")
    return warning("tcb.status", seen, _MEND.format(program=program))


def _recovery(file: EvidenceFile, program: str) -> Finding:
    number, newest = file.evaluation_number or 0, file.newest_number or 0
    ends = [dated.end_us for dated in file.ends if dated.name == "tcb-info"]
    until = f", next update due {_instant(ends[0])}" if ends else ""
    if newest > number:
        seen = f"judged by TCB evaluation {number}, Intel is at {newest} ({file.name})"
        return warning(
            "tcb.recovery", seen, f"{program} attest fetch --refresh, then attest verify"
        )
    return ok("tcb.recovery", f"TCB evaluation {number}{until}")


def _instant(at_us: int) -> str:
    return format_rfc3339(at_us)
