"""SIMULATION: a file stands in for the CPU. It protects against nothing but mistakes.

``platform.key`` in the state folder takes the place of the keys fused into a processor: the
sealing key is derived from it and the measurement, the key of the simulated quoting enclave
from it alone. Whoever reads that file can do all that this enclave can.
"""

from pathlib import Path
from typing import Final, Self

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from enclave import durable, measurement
from enclave.backends.simulated_qe import SimulatedQuotingEnclave
from enclave.errors import (
    SealedElsewhereError,
    SealedFormatError,
    SealedStateError,
    StateWriteError,
)
from enclave.evidence import simulated_quote
from enclave.keys import Secret, derive_key

NAME: Final = "simulation"
PLATFORM_KEY_FILE: Final = "platform.key"

_PLATFORM_KEY_BYTES: Final = 32
_ED25519_SIGNATURE_BYTES: Final = 64
_SEALING: Final = b"enigma/simulated-sealing/v1"
_QUOTING: Final = b"enigma/simulated-quoting/v1"
_PCK: Final = b"enigma/simulated-pck/v1"
_ATTESTATION: Final = b"enigma/simulated-attestation/v1"


class SimulatedPlatform:
    """One home's simulated CPU, running code of one measurement.

    Args:
        platform_key: 32 bytes; taken over.
        mr_enclave: of the running code, 32 bytes.
    """

    name = NAME
    simulation = True
    epid_group_id = simulated_quote.EPID_GROUP_ID

    def __init__(self, platform_key: Secret, mr_enclave: bytes) -> None:
        self._platform_key = platform_key
        self.measurement = mr_enclave
        with self._quoting_seed() as seed:
            self.quoting_public_key, _ = crypto_sign_seed_keypair(bytes(seed.data))
        self._quoting_enclave = SimulatedQuotingEnclave(
            derive_key(platform_key, b"", _PCK), derive_key(platform_key, b"", _ATTESTATION)
        )

    @classmethod
    def open(cls, state: Path, mr_enclave: bytes) -> Self:
        """The platform of a state folder; its key is made at first use, and never again.

        Raises:
            StateWriteError: the key could not be written.
            SealedStateError: the key cannot be read, is malformed, or is gone while files
                that it sealed are there.
        """
        path = state / PLATFORM_KEY_FILE
        if not path.exists():
            _refuse_if_sealed(state)
            _create_key(path)
        try:
            key = Secret(bytearray(path.read_bytes()))
        except OSError as error:
            raise SealedStateError(f"{path.name} could not be read: {error.strerror}") from error
        if len(key) != _PLATFORM_KEY_BYTES:
            raise SealedFormatError(
                f"{path.name} is malformed",
                expected=f"{_PLATFORM_KEY_BYTES} bytes",
                seen=f"{len(key)} bytes",
            )
        return cls(key, mr_enclave)

    def sealing_key(self) -> Secret:
        """Bound to this platform and this measurement."""
        return derive_key(self._platform_key, b"", _SEALING + self.measurement)

    def quote_epid(self, report_data: bytes, sig_rl: bytes) -> bytes:
        """See :mod:`enclave.evidence.simulated_quote`."""
        body = simulated_quote.encode_body(
            self.measurement,
            measurement.SIMULATED_SIGNER,
            measurement.ISV_PROD_ID,
            measurement.ISV_SVN,
            report_data,
        )
        with self._quoting_seed() as seed:
            public_key, private_key = crypto_sign_seed_keypair(bytes(seed.data))
        signed = crypto_sign(simulated_quote.signed_message(body, sig_rl), private_key)
        signature = signed[:_ED25519_SIGNATURE_BYTES]
        return body + simulated_quote.encode_signature(public_key, signature)

    @property
    def pck_key(self) -> bytes:
        """The public key that this platform's PCK certificate names: x ‖ y, 64 bytes."""
        return self._quoting_enclave.pck_key

    def quote_dcap(self, kind: str, report_data: bytes, certification_data: bytes) -> bytes:
        """See :mod:`enclave.backends.simulated_qe`."""
        return self._quoting_enclave.quote(kind, self.measurement, report_data, certification_data)

    def _quoting_seed(self) -> Secret:
        return derive_key(self._platform_key, b"", _QUOTING)


def _refuse_if_sealed(state: Path) -> None:
    """A new key would take the place of the one that could be brought back."""
    sealed = sorted(file.name for file in state.glob("*.sealed"))
    if sealed:
        raise SealedElsewhereError(
            f"{PLATFORM_KEY_FILE} is gone, and {', '.join(sealed)} open with it alone"
        )


def _create_key(path: Path) -> None:
    with Secret.generate(_PLATFORM_KEY_BYTES) as key:
        try:
            durable.write_new(path, bytes(key.data))
        except FileExistsError:
            return  # another process was first; its key is the platform's
        except OSError as error:
            raise StateWriteError(f"{path.name} could not be written: {error.strerror}") from error
