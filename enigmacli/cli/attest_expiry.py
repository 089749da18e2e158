"""``attest expiry``: when evidence runs out, and a warning before it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enigmacli.cli import inputs
from enigmacli.cli.attest_fetch import DCAP_FILES, EPID_FILES
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import show_warnings, table
from enigmacli.cli.parameters import DURATION, INSTANT
from enigmacli.errors import HomeMissingError

if TYPE_CHECKING:
    from enclave.verify.roots import TrustRoots
    from enigmacli.evidence_expiry import Calendar, Entry

_EXIT_RUNS_OUT = 3


@declare(
    "expiry",
    examples=(
        "enigmacli attest expiry  # all evidence in this home",
        "enigmacli attest expiry --within 7d || enigmacli attest fetch  # renew it in time",
        "enigmacli attest expiry evidence.bin --at 2026-12-01T00:00:00Z -o json",
    ),
)
@click.argument("file", metavar="[FILE]", required=False)
@click.option(
    "--within", "within_us", type=DURATION, metavar="DURATION",
    help="End with exit code 3 if anything runs out in this time, for example 7d, 12h, 30m.",
)  # fmt: skip
@click.option("--at", "at_us", type=INSTANT, metavar="RFC3339", help="As of when [default: now].")
@click.pass_context
@pass_services
def command(
    services: Services,
    ctx: click.Context,
    file: str | None,
    *,
    within_us: int | None,
    at_us: int | None,
) -> None:
    """When the evidence in FILE ('-': standard input) runs out; without FILE, this node's.

    Signatures are verified, against the roots that this home's policy names, without a policy
    against Intel's; acceptance is not judged. A row in brackets does not end the evidence: an
    IAS report's certificate is judged at the report's own time.

    Exit code 0: shown (with --within: and nothing runs out in that time, or has); 3: with
    --within, something has run out or will in that time; 5: not authentic. The calendar goes to
    standard output in the first two cases.
    """
    now = services.now_us() if at_us is None else at_us
    within = within_us or 0
    found = calendars(services, file)
    expiring = any(calendar.runs_out(now, within) for calendar in found.values())
    document = {
        "at": _instant(now),
        "within_s": None if within_us is None else within_us // 1_000_000,
        "expiring": expiring,
        "evidence": [
            {"file": name, **_document(calendar, now, within)} for name, calendar in found.items()
        ],
    }
    show_warnings(services)
    click.echo(as_json(document) if services.json else printable(_text(found, now, within)))
    ctx.exit(_EXIT_RUNS_OUT if expiring and within_us is not None else 0)


def calendars(services: Services, file: str | None = None) -> "dict[str, Calendar]":
    """Of one file, or without one of this home's evidence; by the file's name.

    Raises:
        HomeMissingError: there is no evidence in this home.
        EvidenceFormatError: a file is malformed.
        VerificationError: a file is not authentic.
    """
    from enigmacli.evidence_expiry import calendar_of  # noqa: PLC0415 -- not paid by --help

    roots, max_age_s = _judged_by(services)
    names = [file] if file is not None else _own(services)
    return {name: calendar_of(inputs.read_input(name), roots, max_age_s) for name in names}


def _own(services: Services) -> list[str]:
    home = services.home.path
    files = (home / name for names in (EPID_FILES, DCAP_FILES) for name in names.values())
    found = [str(path) for path in files if Path(path).is_file()]
    if not found:
        raise HomeMissingError(
            f"there is no evidence in {home}", hint=f"{services.program} attest fetch"
        )
    return found


def _judged_by(services: Services) -> "tuple[TrustRoots, int | None]":
    """Whom to believe, and the longest age that the policy allows."""
    from enclave.verify.roots import TrustRoots  # noqa: PLC0415

    if not services.has_genesis:
        return TrustRoots.of_intel(), None
    policy = services.policy
    return TrustRoots.of(policy), policy.max_evidence_age_s


def _document(calendar: "Calendar", now: int, within: int) -> dict[str, Any]:
    return {
        "kind": calendar.kind,
        "entries": [
            {
                "name": entry.name,
                "from": _instant(entry.start_us),
                "until": None if entry.end_us is None else _instant(entry.end_us),
                "remaining_s": None if entry.end_us is None else (entry.end_us - now) // 1_000_000,
                "state": entry.state(now, within).value,
                "ends_evidence": entry.ends_evidence,
            }
            for entry in calendar.entries
        ],
    }


def _text(calendars: "dict[str, Calendar]", now: int, within: int) -> str:
    parts = []
    for name, calendar in calendars.items():
        rows = [_row(entry, now, within) for entry in calendar.entries]
        parts.append(f"{name} ({calendar.kind})\n{table(rows)}")
    return "\n\n".join(parts)


def _row(entry: "Entry", now: int, within: int) -> tuple[str, ...]:
    name = entry.name if entry.ends_evidence else f"({entry.name})"
    if entry.end_us is None:
        return f"  {name}", f"made {_instant(entry.start_us)}", apart(entry.start_us - now), ""
    state = entry.state(now, within).value
    ending = f"until {_instant(entry.end_us)}"
    return f"  {name}", ending, apart(entry.end_us - now), "" if state == "holds" else state


def _instant(at_us: int) -> str:
    from enclave.times import format_rfc3339  # noqa: PLC0415

    return format_rfc3339(at_us)


_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def apart(us: int) -> str:
    """A span of time in its two largest units: ``in 12 d 3 h``, ``2 h 5 min ago``."""
    left = abs(us) // 1_000_000
    words: list[str] = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count or words:
            words.append(f"{count} {unit}")
    span = " ".join(words[:2]) or "0 s"
    return f"{span} ago" if us < 0 else f"in {span}"
