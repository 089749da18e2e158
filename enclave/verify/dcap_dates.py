"""When each part of DCAP evidence holds, and whether all hold at the time of judgement.

protocol.md section 5: start dates are compared with that time and the allowed skew, end dates
with the time itself, both inclusive; only the nextUpdate of a revocation list is the first
instant at which the list no longer holds, as the engine has it too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from enclave.checks import Check, judge
from enclave.dcap_errors import (
    DcapVerificationError,
    QeIdentityTimeError,
    TcbInfoTimeError,
    ValidityDisjointError,
)
from enclave.dcap_pki_errors import CrlTimeError, DcapCertificateTimeError
from enclave.evidence.qe_identity import QeIdentity
from enclave.evidence.tcb_info import TcbInfo
from enclave.times import US_PER_S, format_rfc3339
from enclave.verify.dcap_certificates import Certificate
from enclave.verify.dcap_crls import Crl
from enclave.verify.verified_quote import EvidenceDate

TCB_INFO: Final = "tcb-info"
QE_IDENTITY: Final = "qe-identity"


@dataclass(frozen=True, slots=True)
class Dates:
    """All of them, with what follows from them whatever the time of judgement is."""

    dates: tuple[EvidenceDate, ...]
    newest_start_us: int
    oldest_collateral_us: int
    """The oldest start of both documents and both lists: age counts from here."""
    expires_us: int
    """The last instant at which everything holds."""
    rules: tuple["DateRule", ...]
    """One for each date."""
    kept: tuple[Check, ...]
    """What they come to where all are kept."""


class DateRule(NamedTuple):
    """The rule that one part holds at the time of judgement."""

    start_us: int
    last_us: int
    """The last instant at which the part holds."""
    kept: Check


def collect_dates(
    tcb_info: TcbInfo,
    qe_identity: QeIdentity,
    crls: Iterable[Crl],
    certificates: Iterable[Certificate],
) -> Dates:
    """The dates of everything in the evidence, a certificate that comes twice once."""
    info = EvidenceDate(TCB_INFO, tcb_info.issue_us, tcb_info.next_update_us)
    identity = EvidenceDate(QE_IDENTITY, qe_identity.issue_us, qe_identity.next_update_us)
    lists = [EvidenceDate(crl.role, crl.this_update_us, crl.next_update_us) for crl in crls]
    once: dict[bytes, EvidenceDate] = {}
    for one in certificates:
        once.setdefault(one.der, EvidenceDate(one.role, one.not_before_us, one.not_after_us))
    dates = (info, identity, *lists, *once.values())
    rules = (
        _rule(info, TcbInfoTimeError),
        _rule(identity, QeIdentityTimeError),
        *(_rule(date, CrlTimeError) for date in lists),
        *(_rule(date, DcapCertificateTimeError) for date in once.values()),
    )
    newest_start_us = max(date.start_us for date in dates)
    expires_us = min(one.last_us for one in rules)
    overlap = _check_overlap(newest_start_us, expires_us)
    return Dates(
        dates=dates,
        newest_start_us=newest_start_us,
        oldest_collateral_us=min(date.start_us for date in (info, identity, *lists)),
        expires_us=expires_us,
        rules=rules,
        kept=(*(one.kept for one in rules), overlap),
    )


def check_dates(dates: Dates, at_us: int, max_clock_skew_s: int) -> tuple[Check, ...]:
    """Rules: everything holds at the time of judgement, and together; the last may have failed."""
    latest_start_us = at_us + max_clock_skew_s * US_PER_S
    if dates.newest_start_us <= latest_start_us and at_us <= dates.expires_us:
        return dates.kept
    checks: list[Check] = []
    for start_us, last_us, kept in dates.rules:
        if not (start_us <= latest_start_us and at_us <= last_us):
            wanted = f"to hold at {show_time(at_us)}, with {max_clock_skew_s} s of skew"
            checks.append(kept._replace(ok=False, expected=wanted))
            break
        checks.append(kept)
    return tuple(checks)


def _check_overlap(newest_start_us: int, expires_us: int) -> Check:
    """Rule: there is an instant at which everything holds."""
    return judge(
        ValidityDisjointError,
        newest_start_us <= expires_us,
        "parts of the evidence were never valid at one time",
        expected=f"a start at or before {show_time(expires_us)}",
        seen=show_time(newest_start_us),
    )


def show_time(at_us: int) -> str:
    """An instant for people; far beyond any calendar, its number."""
    try:
        return format_rfc3339(at_us)
    except ValueError:
        return f"{at_us} us after 1970"


def _rule(date: EvidenceDate, error: type[DcapVerificationError]) -> DateRule:
    """The library takes a list's nextUpdate as the first instant at which it has run out."""
    is_list = error is CrlTimeError
    end = f"{'before ' if is_list else ''}{show_time(date.end_us)}"
    kept = judge(
        error,
        ok=True,
        message=f"{date.name} does not hold at the time of judgement",
        expected="to hold at the time of judgement",
        seen=f"{show_time(date.start_us)} to {end}",
        name=error.code if date.name in {TCB_INFO, QE_IDENTITY} else f"{error.code}-{date.name}",
    )
    return DateRule(date.start_us, date.end_us - is_list, kept)
