"""When evidence runs out: every dated part of it, whether or not it still holds.

The flow behind ``attest expiry``. Signatures and chains are verified with the enclave's own
code, so that the dates are Intel's; whether the evidence is acceptable is not asked.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from enclave.checks import Check
from enclave.errors import NoEvidenceError
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.foreign import parse_any
from enclave.evidence.ias_report import SignedReport
from enclave.times import US_PER_S
from enclave.verify.certificates import verify_signing_certificate
from enclave.verify.dcap_endorsements import Subject, verify_endorsements
from enclave.verify.ias import verify_report
from enclave.verify.roots import TrustRoots

EPID: Final = "epid"
AGE: Final = "evidence-age"
"""The entry of the policy's ``max_evidence_age_s``."""


class State(StrEnum):
    """Where an entry stands at an instant."""

    AHEAD = "ahead"
    """Does not hold yet."""
    HOLDS = "holds"
    SOON = "soon"
    """Holds, and runs out within the time that was asked about."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated part of evidence; instants in microseconds since the Unix epoch, inclusive."""

    name: str
    """``tcb-info``, ``pck-crl``, a certificate's role, ``ias-report``, ``evidence-age``."""
    start_us: int
    end_us: int | None
    """``None``: it has no end of its own."""
    ends_evidence: bool = True
    """Whether the evidence is refused after the end."""

    def state(self, at_us: int, within_us: int) -> State:
        """Where it stands at ``at_us``, if what ends up to ``within_us`` later counts as soon."""
        if self.end_us is not None and self.end_us < at_us:
            return State.EXPIRED
        if self.start_us > at_us:
            return State.AHEAD
        if self.end_us is not None and self.end_us <= at_us + within_us:
            return State.SOON
        return State.HOLDS


@dataclass(frozen=True, slots=True)
class Calendar:
    """All dated parts of one piece of evidence, the one that runs out first at the front."""

    kind: str
    entries: tuple[Entry, ...]

    def runs_out(self, at_us: int, within_us: int) -> bool:
        """Whether anything that ends the evidence has ended, or ends within that time."""
        ending = (State.EXPIRED, State.SOON)
        return any(
            entry.ends_evidence and entry.state(at_us, within_us) in ending
            for entry in self.entries
        )


def calendar_of(data: bytes, roots: TrustRoots, max_age_s: int | None) -> Calendar:
    """The calendar of a file of evidence.

    Args:
        data: the file, in any form that ``attest verify`` reads.
        roots: whom to believe.
        max_age_s: of the policy; ``None`` where none is known.

    Raises:
        EvidenceFormatError: the file is malformed, or lacks its collateral.
        VerificationError: it is not authentic.
    """
    evidence = parse_any(data).evidence
    if isinstance(evidence, SignedReport):
        kind, entries, since_us = EPID, *_of_report(evidence, roots)
    else:
        kind, entries, since_us = _of_quote(evidence, roots)
    if max_age_s is not None:
        entries.append(Entry(AGE, since_us, since_us + max_age_s * US_PER_S))
    return Calendar(kind, tuple(sorted(entries, key=_first_end_first)))


def _first_end_first(entry: Entry) -> tuple[bool, int, str]:
    return entry.end_us is None, entry.end_us or 0, entry.name


def _of_report(signed: SignedReport, roots: TrustRoots) -> tuple[list[Entry], int]:
    """Entries, and since when the age counts.

    The certificate need not hold any more: it is judged at the report's own time.
    """
    checks: list[Check] = []
    report = verify_report(signed, roots, checks).report
    chain = (signed.signing_cert, *signed.further_certs)
    signer = verify_signing_certificate(chain, roots, checks)
    entries = [
        Entry("ias-report", report.timestamp_us, None, ends_evidence=False),
        Entry(
            "ias-signing-certificate",
            signer.not_before_us,
            signer.not_after_us,
            ends_evidence=False,
        ),
    ]
    return entries, report.timestamp_us


def _of_quote(evidence: QuoteWithCollateral, roots: TrustRoots) -> tuple[str, list[Entry], int]:
    quote = DcapQuote.parse(evidence.quote)
    if not evidence.collateral:
        raise NoEvidenceError(
            "when a quote runs out is in its collateral",
            expected="quote and collateral, as attest fetch --quote FILE writes them",
            seen="a quote alone",
        )
    signature = DcapSignature.parse(quote.signature, quote.version)
    subject = Subject.of(quote, signature)
    dates = verify_endorsements(subject, evidence.collateral, roots, []).dates
    entries = {Entry(date.name, date.start_us, date.end_us) for date in dates.dates}
    return quote.kind, list(entries), dates.oldest_collateral_us
