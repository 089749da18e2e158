"""The measurement that stands in for MRENCLAVE in simulation.

It covers the trusted package's own sources and the versions of its trusted dependencies,
never policy, chain id, genesis or configuration (protocol.md section 6).
"""

import hashlib
import struct
from importlib.metadata import version
from pathlib import Path
from typing import Final

TRUSTED_DEPENDENCIES: Final = ("cryptography", "dcap-qvl", "pynacl", "cffi")

SIMULATED_SIGNER: Final = hashlib.sha256(b"enigma/simulated-signer/v1").digest()
"""mr_signer of every simulated enclave; nobody holds such a key."""
ISV_PROD_ID: Final = 1
ISV_SVN: Final = 1

SIMULATED_TD_ATTRIBUTES: Final = (1 << 28).to_bytes(8, "little")
"""SEPT_VE_DISABLE and nothing else, as it stands in a quote."""
SIMULATED_XFAM: Final = (0xE7).to_bytes(8, "little")
"""x87, SSE, AVX and AVX-512, as it stands in a quote."""

_DOMAIN: Final = b"enigma/simulated-measurement/v1"
_TD_DOMAIN: Final = b"enigma/simulated-td/v1/"
_NONE: Final = bytes(48)


def measure(package: Path) -> bytes:
    """SHA-256 over the sorted sources of ``package`` and the dependencies' versions.

    Args:
        package: the folder of the ``enclave`` package itself.

    Returns:
        32 bytes.

    Raises:
        OSError: a source cannot be read.
    """
    digest = hashlib.sha256(_DOMAIN)
    sources = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    for name in sorted(sources):
        digest.update(_framed(name))
        digest.update(hashlib.sha256(sources[name].read_bytes()).digest())
    for dependency in TRUSTED_DEPENDENCIES:
        digest.update(_framed(f"{dependency}=={version(dependency)}"))
    return digest.digest()


def simulated_td(mr_enclave: bytes) -> dict[str, bytes]:
    """What a SIMULATED trust domain that runs this code measures, as a policy lists it.

    Args:
        mr_enclave: of the running code, see :func:`measure`; 32 bytes.

    Returns:
        Every field of a policy's TDX measurement (protocol.md section 6): 48 bytes each,
        ``td_attributes`` and ``xfam`` 8. Only ``mr_td`` depends on the code.
    """
    return {
        "mr_td": _td_digest("mr_td", mr_enclave),
        "rtmr0": _td_digest("rtmr0"),
        "rtmr1": _td_digest("rtmr1"),
        "rtmr2": _td_digest("rtmr2"),
        "rtmr3": _NONE,
        "mr_config_id": _NONE,
        "mr_owner": _NONE,
        "mr_owner_config": _NONE,
        "mr_seam": _td_digest("mr_seam"),
        "td_attributes": SIMULATED_TD_ATTRIBUTES,
        "xfam": SIMULATED_XFAM,
    }


def _td_digest(name: str, content: bytes = b"") -> bytes:
    return hashlib.sha384(_TD_DOMAIN + name.encode() + b"\0" + content).digest()


def _framed(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">I", len(data)) + data
