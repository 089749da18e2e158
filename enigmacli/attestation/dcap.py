"""From a node's key, or from a captured quote, to DCAP evidence (protocol.md section 5)."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID

from enclave.calls import MAX_CERTIFICATE_BYTES, EvidenceReply, StatusReply
from enclave.errors import QuoteFormatError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import TAG_COLLATERAL, TAG_QUOTE
from enclave.evidence.dcap_quote import DCAP_SGX, DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.pck import PckExtension
from enclave.evidence.pem import PemError, split_chain
from enigmacli.attestation import issuer_chain, pcs_request
from enigmacli.attestation.collateral import Platform, ask_in_order, fetch_collateral
from enigmacli.attestation.pcs import PcsServer, Source
from enigmacli.attestation.pcs_request import Edition, PckCa
from enigmacli.errors import ConfigError, MalformedError

SGX_EXTENSION: Final = x509.ObjectIdentifier("1.2.840.113741.1.13.1")

_ENTRY: Final = struct.Struct("<BI")
_NUL: Final = b"\0"
_CAS: Final[tuple[tuple[str, PckCa], ...]] = (
    ("PCK Platform CA", "platform"),
    ("PCK Processor CA", "processor"),
)
"""How the common names of Intel's two CAs end (Intel SGX PCK Certificate and CRL Profile)."""


class Attester(Protocol):
    """The trusted program in the role that keeps this node's keys."""

    def status(self) -> StatusReply:
        """What it is and holds."""
        ...

    def evidence(
        self,
        purpose: str,
        kind: str,
        owner: bytes,
        sig_rl: bytes = b"",
        certification_data: bytes = b"",
    ) -> EvidenceReply:
        """A quote over report_data that it built itself."""
        ...


@dataclass(frozen=True, slots=True)
class DcapServices:
    """Whom to ask, and what for."""

    sources: Sequence[Source]
    """Of collateral, in the order of preference, at least one."""
    provisioners: Sequence[PcsServer]
    """Simulated ones that make a simulated platform known; empty on real hardware."""
    edition: Edition
    notice: Callable[[str], None]
    """Told when a server failed and another way was found."""


@dataclass(frozen=True, slots=True)
class DcapEvidence:
    """Evidence as a transaction carries it, and what it was made of; not judged yet."""

    certificate: bytes
    """Tagged quote and collateral, the ``certificate`` field of a register transaction."""
    kind: str
    quote: bytes
    collateral: Collateral


def fetch_dcap(
    enclave: Attester, services: DcapServices, *, purpose: str, kind: str, owner: bytes
) -> DcapEvidence:
    """Ask the enclave for a quote, and Intel's servers for its collateral.

    Args:
        enclave: whose key is to be attested.
        services: Intel's, a caching one, or simulated ones.
        purpose: ``registration`` or ``bootstrap``.
        kind: ``dcap-sgx`` or ``dcap-tdx``.
        owner: 20 bytes, all zero where the policy requires no owner and for ``bootstrap``.

    Raises:
        ConfigError: a simulated platform, and nobody to make it known; or the reverse.
        EnclaveError: the enclave refused to attest.
        EnigmaError: no server gave the collateral.
    """
    pck_key = enclave.status().pck_key
    if bool(pck_key) != bool(services.provisioners):
        raise ConfigError(
            "only a simulated platform is provisioned, and it must be",
            hint="use a policy of a simulated network with the simulation backend, and no other",
        )
    chain = _provision(services, pck_key) if pck_key else b""
    quote = enclave.evidence(purpose, kind, owner, certification_data=chain).quote
    return complete(quote, services)


def complete(quote: bytes, services: DcapServices) -> DcapEvidence:
    """Fetch the collateral of a quote that exists.

    Args:
        quote: of canonical length.
        services: whom to ask.

    Raises:
        EvidenceFormatError: the quote is malformed, or names no platform.
        EnigmaError: no server gave the collateral.
    """
    parsed = DcapQuote.parse(quote)
    platform = platform_of(parsed)
    collateral = fetch_collateral(services.sources, platform, services.edition, services.notice)
    return DcapEvidence(combine(quote, collateral), parsed.kind, quote, collateral)


def combine(quote: bytes, collateral: Collateral) -> bytes:
    """The container of the two on chain (protocol.md section 5).

    Raises:
        MalformedError: it is longer than a transaction may carry.
    """
    parts = ((TAG_QUOTE, quote), (TAG_COLLATERAL, collateral.encode_intel()))
    data = b"".join(_ENTRY.pack(tag, len(value)) + value for tag, value in parts)
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise MalformedError(
            "quote and collateral are too long for a transaction",
            details={"expected": f"at most {MAX_CERTIFICATE_BYTES} bytes", "seen": len(data)},
        )
    return data


def platform_of(quote: DcapQuote) -> Platform:
    """Which platform a quote says it is of; nothing is verified.

    Raises:
        QuoteFormatError: it carries no chain of a PCK certificate.
        VerificationError: that certificate's SGX extension is malformed.
    """
    signature = DcapSignature.parse(quote.signature, quote.version)
    try:
        leaf = x509.load_der_x509_certificate(split_chain(signature.pck_chain.rstrip(_NUL))[0])
        extension = leaf.extensions.get_extension_for_oid(SGX_EXTENSION).value
        issuers = leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, PemError, IndexError, x509.ExtensionNotFound) as error:
        raise QuoteFormatError("a quote carries no PCK certificate") from error
    fmspc = PckExtension.parse(extension.public_bytes()).fmspc
    tee: pcs_request.Tee = "sgx" if quote.kind == DCAP_SGX else "tdx"
    return Platform(tee, fmspc, _ca(str(issuers[0].value) if issuers else ""))


def _ca(issuer: str) -> PckCa:
    for ending, ca in _CAS:
        if issuer.endswith(ending):
            return ca
    raise QuoteFormatError(
        "a quote's PCK certificate names another issuer",
        expected="the PCK Platform CA or the PCK Processor CA",
        seen=ascii(issuer)[:80],
    )


def _provision(services: DcapServices, pck_key: bytes) -> bytes:
    """Make a simulated platform known; its PCK chain, PEM, leaf first."""

    def ask(server: PcsServer) -> bytes:
        platform = server.provision(pck_key)
        request = pcs_request.pck_certificate(
            platform.encrypted_ppid, platform.cpu_svn, platform.pce_svn, platform.pce_id
        )
        answer = server.get(request)
        leaf = issuer_chain.parse_pem(answer.body.decode("ascii", errors="replace"), request.what)
        return issuer_chain.encode_pem((leaf[0], *answer.chain))

    return ask_in_order(
        services.provisioners, ask, "certificate of this simulated platform", services.notice
    )
