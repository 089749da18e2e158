"""What an examination comes to: how many of each severity, and one exit code by cause."""

from collections.abc import Sequence
from typing import Final

from enigmacli.doctor.checks import CHECKS
from enigmacli.doctor.findings import Finding, Severity

DONE: Final = 0
ORDER: Final = (3, 8, 6, 5, 4)
"""Of the codes of several errors the first one counts: what is to be mended here comes before
what only time or others can mend, so 4 (retrying may help) says that nothing else is wrong."""


def count(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings of each severity there are."""
    return {
        severity.value: sum(finding.severity is severity for finding in findings)
        for severity in Severity
    }


def exit_code(findings: Sequence[Finding], *, strict: bool = False) -> int:
    """0 where nothing is wrong, else the code of the first cause in :data:`ORDER`.

    Args:
        findings: of one examination.
        strict: whether warnings count like errors.
    """
    least = Severity.WARNING if strict else Severity.ERROR
    codes = {CHECKS[one.id].exit_code for one in findings if one.severity >= least}
    return min(codes, key=ORDER.index, default=DONE)
