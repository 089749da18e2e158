"""What a PCS or PCCS is asked for: one value per document, whoever answers it.

Source: Intel SGX and Intel TDX Provisioning Certification Service, API documentation,
version 4. A PCCS (Intel SGX DCAP, "PCCS") serves the same paths and ``rootcacrl`` beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Literal
from urllib.parse import urlencode

Tee = Literal["sgx", "tdx"]
PckCa = Literal["processor", "platform"]

PREFIX: Final = "/{tee}/certification/v4"
SGX_PREFIX: Final = "/sgx/certification/v4"
INTEL_ROOT_CRL: Final = "/IntelSGXRootCA.der"
"""Where Intel publishes the root's CRL, on a host of its own."""

_MAX_DOCUMENT_BYTES: Final = 64 * 1024
MAX_CRL_BYTES: Final = 128 * 1024
"""In hexadecimal twice what a transaction could carry."""

TCB_CHAINS: Final = ("tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain")
"""From version 4 on, and before."""
IDENTITY_CHAINS: Final = ("sgx-enclave-identity-issuer-chain", "sgx-qe-identity-issuer-chain")
"""From version 3 on, and before."""
CRL_CHAINS: Final = ("sgx-pck-crl-issuer-chain",)
PCK_CHAINS: Final = ("sgx-pck-certificate-issuer-chain",)
NUMBER_CHAINS: Final = ("tcb-evaluation-data-numbers-issuer-chain",)


class Form(Enum):
    """What the body of an answer is."""

    TCB_INFO = auto()
    IDENTITY = auto()
    CRL = auto()
    CERTIFICATE = auto()
    NUMBERS = auto()


@dataclass(frozen=True, slots=True)
class PcsRequest:
    """One document."""

    what: str
    """For messages: ``TCB Info of FMSPC 00906ED50000``."""
    form: Form
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    chain_headers: tuple[str, ...] = ()
    """The header with the issuer chain, in lower case: newer spelling first; empty: none."""
    max_bytes: int = _MAX_DOCUMENT_BYTES
    needs_key: bool = False
    """Whether Intel wants a subscription key for it."""
    expected_id: str = ""
    """``id`` of the document inside, empty where it has none."""
    fmspc: str = ""
    """Of the TCB Info, 12 upper-case hex digits."""

    @property
    def target(self) -> str:
        """Path and query, as they stand in a URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Edition:
    """Which edition of TCB Info and QE Identity: the current one, or one by its number."""

    early: bool = False
    """What will be standard after the next TCB recovery, rather than what is now."""
    number: int = 0
    """A tcbEvaluationDataNumber; 0 leaves it to ``early``."""

    def query(self) -> dict[str, str]:
        """The query that asks for it; the service refuses both members together."""
        if self.number:
            return {"tcbEvaluationDataNumber": str(self.number)}
        return {"update": "early"} if self.early else {}


def tcb_info(tee: Tee, fmspc: bytes, edition: Edition) -> PcsRequest:
    """TCB Info of a kind of platform; ``fmspc`` has 6 bytes."""
    name = fmspc.hex().upper()
    return PcsRequest(
        what=f"{tee.upper()} TCB Info of FMSPC {name}",
        form=Form.TCB_INFO,
        path=f"{PREFIX.format(tee=tee)}/tcb",
        query={"fmspc": name, **edition.query()},
        chain_headers=TCB_CHAINS,
        expected_id=tee.upper(),
        fmspc=name,
    )


def qe_identity(tee: Tee, edition: Edition) -> PcsRequest:
    """The identity of Intel's quoting enclave for ``tee``."""
    return PcsRequest(
        what=f"QE Identity for {tee.upper()}",
        form=Form.IDENTITY,
        path=f"{PREFIX.format(tee=tee)}/qe/identity",
        query=edition.query(),
        chain_headers=IDENTITY_CHAINS,
        expected_id="QE" if tee == "sgx" else "TD_QE",
    )


def pck_crl(ca: PckCa) -> PcsRequest:
    """The revoked PCK certificates of one of Intel's two CAs.

    In whatever encoding the server chooses: not every one knows the parameter for it.
    """
    return PcsRequest(
        what=f"PCK CRL of the {ca} CA",
        form=Form.CRL,
        path=f"{SGX_PREFIX}/pckcrl",
        query={"ca": ca},
        chain_headers=CRL_CHAINS,
        max_bytes=MAX_CRL_BYTES,
    )


def root_ca_crl() -> PcsRequest:
    """The revoked CA certificates of the root, as a PCCS serves them."""
    return PcsRequest(
        what="root CA CRL",
        form=Form.CRL,
        path=f"{SGX_PREFIX}/rootcacrl",
        max_bytes=MAX_CRL_BYTES,
    )


def pck_certificate(
    encrypted_ppid: str, cpu_svn: str, pce_svn: str, pce_id: str
) -> PcsRequest:  # fmt: skip
    """The PCK certificate of one platform at one TCB.

    Args:
        encrypted_ppid: hex; who the platform is, for Intel alone to read.
        cpu_svn: 32 hex digits.
        pce_svn: 4 hex digits, little-endian.
        pce_id: 4 hex digits, little-endian.
    """
    return PcsRequest(
        what="PCK certificate of this platform",
        form=Form.CERTIFICATE,
        path=f"{SGX_PREFIX}/pckcert",
        query={
            "encrypted_ppid": encrypted_ppid,
            "cpusvn": cpu_svn,
            "pcesvn": pce_svn,
            "pceid": pce_id,
        },
        chain_headers=PCK_CHAINS,
        needs_key=True,
    )


def evaluation_numbers(tee: Tee) -> PcsRequest:
    """Which TCB evaluation numbers are served, with their dates."""
    return PcsRequest(
        what=f"TCB evaluation numbers for {tee.upper()}",
        form=Form.NUMBERS,
        path=f"{PREFIX.format(tee=tee)}/tcbevaluationdatanumbers",
        chain_headers=NUMBER_CHAINS,
    )
