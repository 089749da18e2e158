"""How ``doctor`` tells its findings: one screen, the worst at the end; or one document."""

from collections.abc import Iterator, Sequence
from typing import Any

from enigmacli.cli.context import Services
from enigmacli.cli.output import emit
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding, Severity
from enigmacli.doctor.judgements import update
from enigmacli.doctor.verdict import count

_WIDTH = len(Severity.WARNING)
_PLURALS = {"ok": "ok", "note": "notes", "warning": "warnings", "error": "errors"}


def emit_findings(
    services: Services, findings: Sequence[Finding], code: int, *, everything: bool
) -> None:
    """Print the findings of an examination.

    Args:
        services: of this call.
        findings: in the order of the groups.
        code: with which the command will end.
        everything: whether the text tells each good finding, too, and not only its group.
    """
    lines = [*_good(findings, everything=everything), *_rest(findings), _summary(findings)]
    emit(services, _document(findings, code), "\n".join(lines))


def emit_before_update(
    services: Services, facts: Facts, findings: Sequence[Finding], code: int
) -> None:
    """Print the findings before an update, and the commands before and after it."""
    before, after = update.steps(facts)
    document = {**_document(findings, code), "before": list(before), "after": list(after)}
    lines = [*_good(findings, everything=True), *_rest(findings)]
    for when, commands in (("before", before), ("after", after)):
        lines += [f"{when} the update:", *(f"  {one}" for one in commands)]
    emit(services, document, "\n".join((*lines, _summary(findings))))


def _document(findings: Sequence[Finding], code: int) -> dict[str, Any]:
    worst = max((finding.severity for finding in findings), default=Severity.OK)
    return {
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity.value,
                "seen": finding.seen,
                "why": finding.why,
                "hint": finding.hint,
            }
            for finding in findings
        ],
        "summary": count(findings),
        "worst": worst.value,
        "exit_code": code,
    }


def _good(findings: Sequence[Finding], *, everything: bool) -> Iterator[str]:
    """The groups in which there is nothing but good, or each good finding."""
    good = [finding for finding in findings if finding.severity is Severity.OK]
    if everything:
        yield from map(_line, good)
        return
    others = {finding.group for finding in findings if finding.severity is not Severity.OK}
    groups = dict.fromkeys(finding.group for finding in good if finding.group not in others)
    if groups:
        yield f"{Severity.OK:<{_WIDTH}}  {', '.join(groups)}"


def _rest(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in sorted(findings, key=lambda one: one.severity.rank):
        if finding.severity is Severity.OK:
            continue
        hint = f"try: {finding.hint}" if finding.hint else ""
        if finding.severity is Severity.NOTE:
            yield "; ".join(filter(None, (_line(finding), hint)))
            continue
        yield _line(finding)
        yield f"{'':{_WIDTH}}  why: {finding.why}"
        if hint:
            yield f"{'':{_WIDTH}}  {hint}"


def _line(finding: Finding) -> str:
    return f"{finding.severity:<{_WIDTH}}  {finding.id}: {finding.seen}"


def _summary(findings: Sequence[Finding]) -> str:
    counted = count(findings).items()
    return ", ".join(
        f"{number} {_PLURALS[name] if number != 1 else name}" for name, number in counted
    )
