"""What the hardware gives: a measurement, a sealing key, quotes; one module per backend."""

from typing import Protocol

from enclave.appraise.policy import Policy
from enclave.errors import BackendPolicyError
from enclave.keys import Secret


class Backend(Protocol):
    """One kind of hardware, or what stands in for it."""

    @property
    def name(self) -> str:
        """As on the command line and in sealed blobs."""

    @property
    def simulation(self) -> bool:
        """Whether nothing but mistakes is kept out."""

    @property
    def measurement(self) -> bytes:
        """mr_enclave of the running code, 32 bytes."""

    @property
    def epid_group_id(self) -> int:
        """The platform's EPID group, 32 bits."""

    @property
    def quoting_public_key(self) -> bytes:
        """Simulation only: the Ed25519 public key that signs quotes, else empty."""

    @property
    def pck_key(self) -> bytes:
        """Simulation only: the P-256 public key that PCK certificates name, else empty."""

    def sealing_key(self) -> Secret:
        """A key that only this code on this platform gets."""

    def quote_epid(self, report_data: bytes, sig_rl: bytes) -> bytes:
        """An EPID quote over 64 bytes of report_data, under a revocation list."""

    def quote_dcap(self, kind: str, report_data: bytes, certification_data: bytes) -> bytes:
        """A DCAP quote over 64 bytes of report_data.

        Args:
            kind: ``dcap-sgx`` or ``dcap-tdx``.
            report_data: 64 bytes.
            certification_data: the platform's PCK chain as PEM, leaf first.

        Raises:
            UnsupportedEvidenceError: this hardware makes no such quotes.
            CallError: the chain is not one of this platform.
        """


def check_policy(backend: Backend, policy: Policy) -> None:
    """Simulation serves simulated networks only, hardware real ones only; no override.

    Raises:
        BackendPolicyError: the policy's ``simulation`` is not the backend's.
    """
    if policy.simulation != backend.simulation:
        raise BackendPolicyError(
            f"the {backend.name} backend may not serve this network's policy",
            expected=f"simulation {backend.simulation}".lower(),
            seen=f"simulation {policy.simulation}".lower(),
        )
