"""What a verified DCAP quote is; light to import, unlike the judgement that makes one."""

from dataclasses import dataclass

from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.tdx_quote import TdxModule


@dataclass(frozen=True, slots=True)
class EvidenceDate:
    """How long one part of the evidence holds."""

    name: str
    """``tcb-info``, ``qe-identity``, ``root-crl``, ``pck-crl``, or a certificate's role."""
    start_us: int
    """issueDate, thisUpdate or notBefore: microseconds since the Unix epoch, inclusive."""
    end_us: int
    """nextUpdate or notAfter: inclusive, but for revocation lists, which end with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedQuote:
    """A quote that Intel's keys vouch for; only :mod:`enclave.verify.dcap_judgement` makes one."""

    quote: DcapQuote
    simulated: bool
    """Whether the root was simulated: no hardware stands behind the quote."""
    fmspc: bytes
    """6 bytes: family, model, stepping, platform and custom SKU."""
    pce_id: bytes
    """2 bytes."""
    platform_status: str | None
    """The status of the platform's TCB level (for TDX merged with its module's), in Intel's
    spelling; None: no level matches."""
    qe_status: str | None
    """The status of the quoting enclave's TCB level; None: no level matches."""
    status: str | None
    """All merged; None where no level matches."""
    advisory_ids: tuple[str, ...]
    """Sorted: those of the platform's, the module's and the quoting enclave's level."""
    tcb_evaluation_data_number: int
    module: TdxModule | None
    """What TCB Info wants of the TDX module; None for SGX, or where it knows no such module."""
    accepted_by_engine: bool
    """Whether the verification library accepts it too: never acceptable where False."""
    dates: tuple[EvidenceDate, ...]
    """One for every dated thing in the evidence."""
    newest_start_us: int
    """The newest start date, microseconds since the Unix epoch."""
    oldest_collateral_us: int
    """Age counts from here: the oldest of both documents' and both CRLs' start dates."""
    expires_us: int
    """The last instant at which everything holds."""
