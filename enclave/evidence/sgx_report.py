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

# cpu_svn, misc_select, reserved 12, ext_prod_id, flags, xfrm, mr_enclave, reserved 32,
# mr_signer, reserved 32, config_id, isv_prod_id, isv_svn, config_svn, reserved 42, family_id,
# report_data
_LAYOUT: Final = struct.Struct("<16sI12s16sQQ32s32s32s32s64sHHH42s16s64s")

# ATTRIBUTES.FLAGS (Intel SDM volume 3D, SECS.ATTRIBUTES)
INIT: Final = 1 << 0
DEBUG: Final = 1 << 1
MODE64BIT: Final = 1 << 2
PROVISION_KEY: Final = 1 << 4
EINITTOKEN_KEY: Final = 1 << 5


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
    ext_prod_id: bytes
    """16 bytes: ISVEXTPRODID of the signer's structure."""
    family_id: bytes
    """16 bytes: ISVFAMILYID of the signer's structure."""
    config_id: bytes
    """64 bytes that the host chose at launch; no measurement covers them."""
    config_svn: int
    """Of ``config_id``; the host chose it likewise."""
    reserved: bytes
    """The 118 bytes without a meaning, joined."""

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
        (
            cpu_svn, misc_select, reserved_1, ext_prod_id, flags, xfrm, mr_enclave, reserved_2,
            mr_signer, reserved_3, config_id, isv_prod_id, isv_svn, config_svn, reserved_4,
            family_id, report_data,
        ) = _LAYOUT.unpack(body)  # fmt: skip
        return cls(
            cpu_svn, misc_select, flags, xfrm, mr_enclave, mr_signer, isv_prod_id, isv_svn,
            report_data, ext_prod_id, family_id, config_id, config_svn,
            reserved_1 + reserved_2 + reserved_3 + reserved_4,
        )  # fmt: skip

    @property
    def is_debug(self) -> bool:
        """Whether a debugger may read the enclave's memory; never acceptable in production."""
        return bool(self.flags & DEBUG)
