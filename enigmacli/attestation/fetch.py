"""From a node's key to evidence: quote, report, certificate (protocol.md section 5)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from enclave.calls import EvidenceReply, StatusReply
from enclave.evidence.ias_report import SignedReport
from enigmacli.attestation.ra_tls import build_certificate
from enigmacli.errors import ConfigError

_NONCE_BYTES = 16


class Attester(Protocol):
    """The trusted program in the role that keeps this node's keys."""

    def status(self) -> StatusReply:
        """What it is and holds."""
        ...

    def evidence(self, purpose: str, kind: str, owner: bytes, sig_rl: bytes) -> EvidenceReply:
        """A quote over report_data that it built itself."""
        ...


class AttestationService(Protocol):
    """What turns quotes into signed reports: :class:`enigmacli.attestation.ias.IasClient`."""

    def sigrl(self, gid: int) -> bytes:
        """The signature revocation list of an EPID group."""
        ...

    def report(self, quote: bytes, nonce: str | None = None) -> SignedReport:
        """A signed report about ``quote``."""
        ...

    def provision(self, platform_key: bytes) -> int:
        """Make a simulated platform known; its EPID group id."""
        ...


@dataclass(frozen=True, slots=True)
class FetchedEvidence:
    """Evidence as a transaction carries it, and what it was made of; not judged yet."""

    certificate: bytes
    """DER, the ``certificate`` field of a register transaction."""
    report: SignedReport
    quote: bytes
    """What the report is about; without its signature where only the report was at hand."""


def fetch_epid(
    enclave: Attester,
    service: AttestationService,
    *,
    purpose: str,
    owner: bytes,
    provision: bool,
    now: datetime,
) -> FetchedEvidence:
    """Ask the enclave for a quote, and the service for a report about it.

    Args:
        enclave: whose key is to be attested.
        service: Intel's, a proxy's, or a simulated one.
        purpose: ``registration`` or ``bootstrap``.
        owner: 20 bytes, all zero where the policy requires no owner and for ``bootstrap``.
        provision: make a simulated platform known first.
        now: aware; for the certificate around the report.

    Raises:
        ConfigError: ``provision`` for a platform that is not simulated.
        EnclaveError: the enclave refused to attest.
        ServiceRefusedError: the service refused platform, group or quote.
        ServiceUnavailableError: the service did not answer.
        MalformedError: the service answered nonsense.
        UntrustedAnswerError: the report answers another request.
    """
    status = enclave.status()
    gid = status.epid_group_id
    if provision:
        if not status.platform_key:
            raise ConfigError("only a simulated platform can be provisioned")
        gid = service.provision(status.platform_key)
    quote = enclave.evidence(purpose, "epid", owner, service.sigrl(gid)).quote
    report = service.report(quote, secrets.token_hex(_NONCE_BYTES))
    return FetchedEvidence(build_certificate(report, now), report, quote)
