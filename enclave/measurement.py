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

_DOMAIN: Final = b"enigma/simulated-measurement/v1"


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


def _framed(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">I", len(data)) + data
