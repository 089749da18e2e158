"""The TD report body: what the TDX module states about one trust domain.

Layout: Intel TDX DCAP Quoting Library API, "TD Quote Body" (version 1.0: 584 bytes, 1.5: 648
bytes, little-endian). Nothing here is trusted.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from enclave.errors import QuoteFormatError

SIZE_1_0: Final = 584
SIZE_1_5: Final = 648

# tee_tcb_svn, mr_seam, mr_signer_seam, seam_attributes, td_attributes, xfam, mr_td,
# mr_config_id, mr_owner, mr_owner_config, rtmr0 to rtmr3, report_data
_LAYOUT: Final = struct.Struct("<16s48s48s8s8s8s48s48s48s48s48s48s48s48s64s")
# tee_tcb_svn_2, mr_service_td
_LAYOUT_1_5: Final = struct.Struct("<16s48s")
_DEBUG: Final = 0x01  # TD_ATTRIBUTES.TUD bit 0


@dataclass(frozen=True, slots=True)
class TdReport:
    """A trust domain's identity as the TDX module measured it, not yet verified."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmr0: bytes
    rtmr1: bytes
    rtmr2: bytes
    rtmr3: bytes
    report_data: bytes
    """64 bytes chosen by the trust domain."""
    tee_tcb_svn_2: bytes = b""
    """16 bytes; empty in version 1.0."""
    mr_service_td: bytes = b""
    """48 bytes; empty in version 1.0."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a TD report body.

        Args:
            body: exactly 584 or 648 bytes.

        Raises:
            QuoteFormatError: another length.
        """
        if len(body) not in (SIZE_1_0, SIZE_1_5):
            raise QuoteFormatError(
                "a TD report body has another length",
                expected=f"{SIZE_1_0} or {SIZE_1_5} bytes",
                seen=f"{len(body)} bytes",
            )
        members = _LAYOUT.unpack_from(body)
        if len(body) == SIZE_1_5:
            members += _LAYOUT_1_5.unpack_from(body, SIZE_1_0)
        return cls(*members)

    @property
    def is_debug(self) -> bool:
        """Whether the host may read the domain's memory; never acceptable in production."""
        return bool(self.td_attributes[0] & _DEBUG)


@dataclass(frozen=True, slots=True)
class TdxModule:
    """What signer and attributes of a TDX module have to be, as TCB Info says it."""

    mr_signer: bytes
    """48 bytes."""
    attributes: bytes
    """8 bytes."""
    attributes_mask: bytes
    """8 bytes: the bits of ``attributes`` that are judged."""
