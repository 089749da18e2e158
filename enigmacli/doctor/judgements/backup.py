"""``backup``: is there one, does it open, and does it hold what the enclave holds now?"""

from collections.abc import Iterator, Sequence
from typing import Final

from enclave.times import format_rfc3339
from enigmacli.doctor.checks import ok, warning
from enigmacli.doctor.facts import Backup, Facts, Held, Sealed
from enigmacli.doctor.findings import Finding

KEPT: Final = ("registration", "seed")
"""The purposes whose files cannot be made again; the clock's can."""


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about backups; nothing where there is nothing to lose."""
    trusted, program = facts.trusted, facts.subject.program
    if trusted is None or not trusted.sealed_names:
        return
    make = f"{program} enclave backup --out DIR"
    if not trusted.backups:
        seen = "none in the home or beside it; name another place with --backup DIR"
        yield warning("backup.exists", seen, make)
        return
    good = newest_good(trusted.backups)
    yield ok(
        "backup.exists", f"{len(trusted.backups)} found, the newest {_made(trusted.backups[0])}"
    )
    if good is None:
        first = trusted.backups[0]
        yield warning("backup.opens", f"{first.folder}: {first.fault}", make)
        return
    yield ok("backup.opens", f"{good.folder} opens here")
    if trusted.held is not None:
        missing = lacks(good, trusted.held)
        if missing:
            seen = f"{good.folder} lacks the {' and '.join(missing)} that the enclave holds now"
            yield warning("backup.current", seen, make)
        else:
            yield ok("backup.current", f"{good.folder} holds all that the enclave holds")


def newest_good(backups: Sequence[Backup]) -> Backup | None:
    """The newest that opens."""
    return next((backup for backup in backups if not backup.fault), None)


def lacks(backup: Backup, held: Held) -> list[str]:
    """The purposes of sealed files that are not in the backup as they are now."""
    kept = _hashes(backup.files)
    return [
        purpose for purpose, sha256 in _hashes(held.files).items() if kept.get(purpose) != sha256
    ]


def _hashes(files: Sequence[Sealed]) -> dict[str, str]:
    return {file.purpose: file.sha256 for file in files if file.purpose in KEPT}


def _made(backup: Backup) -> str:
    return f"of {format_rfc3339(backup.made_us // 1_000_000 * 1_000_000)}"
