"""The SGX report body: what the CPU states about one enclave.

Layout: Intel SGX DCAP Quote Library API, "Enclave Report Body" (384 bytes, little-endian);
EPID quotes carry the same body. Parsing trusts nothing: a well-formed report may still be
forged, so only :mod:`enclave.verify` may turn it into a verified one.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from enclave.errors import QuoteFormatError

SIZE: Final = 384

# cpu_svn, misc_select, (reserved 12, ext_prod_id 16), flags, xfrm, mr_enclave, (reserved 32),
# mr_signer, (reserved 32, config_id 64), isv_prod_id, isv_svn, (config_svn 2, reserved 42,
# family_id 16), report_data
_LAYOUT: Final = struct.Struct("<16sI28xQQ32s32x32s96xHH60x64s")

# ATTRIBUTES.FLAGS (Intel SDM volume 3D, SECS.ATTRIBUTES)
_INIT: Final = 1 << 0
_DEBUG: Final = 1 << 1
_MODE64BIT: Final = 1 << 2
_PROVISION_KEY: Final = 1 << 4
_EINITTOKEN_KEY: Final = 1 << 5


@dataclass(frozen=True, slots=True)
class SgxReport:
    """An enclave's identity as the CPU measured it, not yet verified."""

    cpu_svn: bytes
    """16 bytes: security version of the CPU and its microcode."""
    misc_select: int
    flags: int
    """ATTRIBUTES.FLAGS, 64 bits."""
    xfrm: int
    """ATTRIBUTES.XFRM, 64 bits."""
    mr_enclave: bytes
    """32 bytes: SHA-256 measurement of the enclave's initial contents."""
    mr_signer: bytes
    """32 bytes: SHA-256 of the enclave signer's RSA modulus."""
    isv_prod_id: int
    isv_svn: int
    report_data: bytes
    """64 bytes chosen by the enclave; see :mod:`enclave.binding`."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a report body.

        Args:
            body: exactly 384 bytes.

        Raises:
            QuoteFormatError: ``body`` has another length.
        """
        if len(body) != SIZE:
            raise QuoteFormatError(
                "an SGX report body has another length",
                expected=f"{SIZE} bytes",
                seen=f"{len(body)} bytes",
            )
        return cls(*_LAYOUT.unpack(body))

    @property
    def is_initialised(self) -> bool:
        """Whether EINIT completed: false for no enclave that can run."""
        return bool(self.flags & _INIT)

    @property
    def is_debug(self) -> bool:
        """Whether a debugger may read the enclave's memory; never acceptable in production."""
        return bool(self.flags & _DEBUG)

    @property
    def is_64_bit(self) -> bool:
        """Whether the enclave runs in 64-bit mode."""
        return bool(self.flags & _MODE64BIT)

    @property
    def may_use_provision_key(self) -> bool:
        """Whether the enclave may derive the provisioning key, which identifies the platform."""
        return bool(self.flags & _PROVISION_KEY)

    @property
    def may_use_launch_key(self) -> bool:
        """Whether the enclave may derive the EINIT token key, which lets enclaves launch."""
        return bool(self.flags & _EINITTOKEN_KEY)
