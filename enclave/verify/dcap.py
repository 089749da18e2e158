"""Verifying DCAP quotes: the entrance, which costs nothing where there are none.

The trusted process compiles its measured sources at every start, and a network without DCAP
needs none of those behind :mod:`enclave.verify.dcap_judgement`.
"""

from collections.abc import Iterable
from typing import Final

from enclave.checks import Check
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import DCAP_SGX, DCAP_TDX
from enclave.verify.roots import TrustRoots
from enclave.verify.verified_quote import EvidenceDate, VerifiedQuote

__all__ = ["EvidenceDate", "VerifiedQuote", "load_for", "verify_quote"]

_KINDS: Final = frozenset({DCAP_SGX, DCAP_TDX})


def load_for(evidence_kinds: Iterable[str]) -> None:
    """Load what judging quotes needs, if a policy lists any kind of them.

    A process that starts has more time than a judgement has (protocol.md section 8.8).
    """
    if not _KINDS.isdisjoint(evidence_kinds):
        from enclave.verify import dcap_judgement  # noqa: PLC0415 -- see this module's text

        dcap_judgement.load_engine()


def verify_quote(
    evidence: QuoteWithCollateral,
    roots: TrustRoots,
    checks: list[Check],
    *,
    at_us: int,
    max_clock_skew_s: int,
    catch_up: bool = False,
) -> VerifiedQuote:
    """Verify a quote with its collateral.

    Args:
        evidence: quote and collateral in the forms that transactions carry.
        roots: whom to believe.
        checks: gets every rule judged, in order.
        at_us: the time of judgement, microseconds since the Unix epoch.
        max_clock_skew_s: how far start dates may lie after it.
        catch_up: judge at the evidence's newest start date where that is later.

    Raises:
        EvidenceFormatError: malformed, by its own class.
        VerificationError: not authentic, by its own class.
    """
    from enclave.verify import dcap_judgement  # noqa: PLC0415 -- see this module's text

    return dcap_judgement.verify_quote(
        evidence,
        roots,
        checks,
        at_us=at_us,
        max_clock_skew_s=max_clock_skew_s,
        catch_up=catch_up,
    )
