"""Verifying DCAP quotes: recognised and read, and then refused, for no engine judges them yet."""

from typing import NoReturn

from enclave.checks import Check, failed, refused
from enclave.errors import UnsupportedEvidenceError
from enclave.evidence.containers import QuoteWithCollateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.verify.roots import TrustRoots


def verify_quote(evidence: QuoteWithCollateral, roots: TrustRoots, checks: list[Check]) -> NoReturn:
    """Read a quote, and say that this version does not judge it.

    Raises:
        QuoteFormatError: the quote is malformed.
        UnsupportedEvidenceError: it is well-formed.
    """
    quote = DcapQuote.parse(evidence.quote)
    error = UnsupportedEvidenceError(
        "DCAP evidence is not judged by this version",
        expected="an IAS report" if roots.intel else "a report of a simulated service",
        seen=f"{quote.kind} quote of version {quote.version}",
    )
    raise refused(checks, failed(error))
