"""SIMULATION ONLY: how a simulated platform is named when it asks for its PCK certificate.

Genuine platforms send their PPID encrypted for Intel's service, or a manifest. Here both hold
the key that the certificate is to name, in clear: nothing about a simulated platform is secret.
"""

from typing import Final

from enclave.evidence import simulated_dcap
from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES

ENCRYPTED_PPID_BYTES: Final = 384
"""As with RSA-3072."""

_FILLING: Final = b"SIMULATION ONLY "
_MANIFEST: Final = b"SIMULATION ONLY platform manifest\0"


def encrypted_ppid(pck_key: bytes) -> bytes:
    """384 bytes that name a platform."""
    rest = ENCRYPTED_PPID_BYTES - len(pck_key)
    return pck_key + (_FILLING * rest)[:rest]


def platform_manifest(pck_key: bytes) -> bytes:
    """Names a platform as well."""
    return _MANIFEST + pck_key


def named_by_ppid(data: bytes) -> bytes | None:
    """The key that an encrypted PPID names; ``None``: it is none of a simulated platform."""
    pck_key = data[:PCK_KEY_BYTES]
    return pck_key if data == encrypted_ppid(pck_key) else None


def named_by_manifest(data: bytes) -> bytes | None:
    """The key that a manifest names; ``None``: it is none of a simulated platform."""
    pck_key = data[-PCK_KEY_BYTES:]
    return pck_key if data == platform_manifest(pck_key) else None


def is_served(cpu_svn: bytes, pce_svn: int) -> bool:
    """Whether a platform at this TCB gets a certificate: of the one TCB there is, or a lower.

    Args:
        cpu_svn: 16 bytes.
        pce_svn: 16 bits.
    """
    enough = all(
        mine >= theirs for mine, theirs in zip(cpu_svn, simulated_dcap.CPU_SVN, strict=True)
    )
    return enough and pce_svn >= simulated_dcap.PCE_SVN


def tcbm() -> str:
    """The TCB that certificates are for: CPU SVN and PCE SVN (little-endian), in hex."""
    pce_svn = simulated_dcap.PCE_SVN.to_bytes(2, "little")
    return (simulated_dcap.CPU_SVN + pce_svn).hex().upper()


def listed(text: str) -> list[dict[str, object]]:
    """The answer of ``pckcerts``: every TCB with its certificate; here there is one.

    Args:
        text: the certificate as percent-encoded PEM.
    """
    tcb = {
        f"sgxtcbcomp{number:02}svn": svn
        for number, svn in enumerate(simulated_dcap.CPU_SVN, start=1)
    }
    return [{"tcb": tcb | {"pcesvn": simulated_dcap.PCE_SVN}, "tcbm": tcbm(), "cert": text}]
