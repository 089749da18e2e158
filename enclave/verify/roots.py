"""Whom to believe: Intel's roots, hard-coded, or the simulated roots of a policy, never both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from enclave.errors import PolicyFormatError
from enclave.evidence import base64_strict, der
from enclave.verify.intel import INTEL_IAS_ROOT_BASE64, INTEL_SGX_ROOT_BASE64

INTEL: Final = "intel"
SIMULATION_PREFIX: Final = "simulation:"
MIN_RSA_BITS: Final = 2048
MAX_ROOTS: Final = 8
"""How many simulated roots a policy may name; each may cost one signature check."""

LIBRARY_ERRORS: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
)
"""What the library's certificate parser and signature checks raise."""


class NamesRoots(Protocol):
    """A policy, as far as this module needs one."""

    @property
    def trust_roots(self) -> Sequence[str]:
        """``intel``, or ``simulation:<base64 DER>`` roots."""


@dataclass(frozen=True, slots=True)
class Root:
    """A self-signed CA certificate that is believed because somebody named it."""

    der: bytes
    name: bytes = field(compare=False)
    """Subject, as encoded."""
    key: RSAPublicKey | EllipticCurvePublicKey = field(compare=False)
    """RSA anchors IAS reports, P-256 anchors DCAP chains."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a root certificate.

        Raises:
            PolicyFormatError: not the strict DER of a self-signed CA certificate with an RSA
                key of at least 2048 bits or a P-256 key.
        """
        try:
            frame = der.CertificateFrame.parse(data)
            certificate = x509.load_der_x509_certificate(data)
            certificate.verify_directly_issued_by(certificate)
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
            key = certificate.public_key()
        except LIBRARY_ERRORS as error:
            raise PolicyFormatError(
                "a trust root is not a self-signed CA certificate", seen=ascii(str(error))[:100]
            ) from error
        if not constraints.value.ca:
            raise PolicyFormatError("a trust root is not a CA certificate")
        return cls(data, frame.subject, _check_key(key))


def _check_key(key: object) -> RSAPublicKey | EllipticCurvePublicKey:
    if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise PolicyFormatError(
        "a trust root has another key", expected=f"RSA of {MIN_RSA_BITS} bits or more, or P-256"
    )


@dataclass(frozen=True, slots=True)
class TrustRoots:
    """The roots that evidence must lead to."""

    roots: tuple[Root, ...]
    intel: bool
    """Whether these are Intel's; evidence under any others is simulated."""

    @property
    def simulated(self) -> bool:
        """Whether no hardware stands behind what these roots vouch for."""
        return not self.intel

    @classmethod
    def of(cls, policy: NamesRoots) -> "TrustRoots":
        """The roots that a policy names.

        Raises:
            PolicyFormatError: none, both kinds, one twice, too many, or one that is no root.
        """
        return _named(tuple(policy.trust_roots))

    @classmethod
    def of_intel(cls) -> "TrustRoots":
        """Intel's roots."""
        return _intel()

    @classmethod
    def standing_in(cls, data: bytes) -> "TrustRoots":
        """One root, DER, in the place of Intel's; Intel's own root is still Intel's.

        Raises:
            PolicyFormatError: not a root.
        """
        root = Root.parse(data)
        return _intel() if root in _intel().roots else cls((root,), intel=False)


@lru_cache(maxsize=1)
def _intel() -> TrustRoots:
    encoded = (INTEL_IAS_ROOT_BASE64, INTEL_SGX_ROOT_BASE64)
    return TrustRoots(tuple(Root.parse(base64_strict.decode(text)) for text in encoded), intel=True)


@lru_cache(maxsize=8)
def _named(names: tuple[str, ...]) -> TrustRoots:
    if names == (INTEL,):
        return _intel()
    if not 0 < len(names) <= MAX_ROOTS:
        raise PolicyFormatError(
            "a policy names another number of roots",
            expected=f"{INTEL}, or 1 to {MAX_ROOTS} of {SIMULATION_PREFIX}<base64 DER>",
            seen=str(len(names)),
        )
    return TrustRoots(tuple(_simulated(name) for name in names), intel=False)


def _simulated(name: str) -> Root:
    if not name.startswith(SIMULATION_PREFIX):
        raise PolicyFormatError(
            "a trust root has another form",
            expected=f"{INTEL} alone, or {SIMULATION_PREFIX}<base64 DER>",
            seen=ascii(name)[:40],
        )
    try:
        data = base64_strict.decode(name.removeprefix(SIMULATION_PREFIX))
    except ValueError as error:
        raise PolicyFormatError("a simulated trust root is not canonical base64") from error
    root = Root.parse(data)
    if any(root.key == genuine.key for genuine in _intel().roots):
        raise PolicyFormatError("a simulated trust root has a key of Intel's")
    return root
