"""QE Identity: what Intel's quoting enclave for one TEE looks like, and which ones are current.

Form: Intel SGX and TDX Provisioning Certification Service, API version 4, "Get Quoting Enclave
Identity" (``enclaveIdentity``). Hexadecimal members are little-endian as the report has them.
"""

from dataclasses import dataclass
from typing import Final, Self

from enclave.dcap_errors import (
    QeIdentityFormatError,
    QeIdentityIdError,
    QeIdentityVersionError,
)
from enclave.evidence.collateral import TEE_TDX
from enclave.evidence.intel_document import (
    MAX_U16,
    MAX_U32,
    Members,
    require_falling,
    require_value,
)

_VERSION: Final = 2

QE_STATUSES: Final = frozenset(
    {
        "UpToDate",
        "OutOfDate",
        "ConfigurationNeeded",
        "OutOfDateConfigurationNeeded",
        "Revoked",
    }
)


@dataclass(frozen=True, slots=True)
class QeLevel:
    """The lowest security version of one level of the quoting enclave."""

    isv_svn: int
    status: str
    advisory_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QeIdentity:
    """What a QE Identity says; who signed it is for :mod:`enclave.verify` to find out."""

    issue_us: int
    """issueDate, microseconds since the Unix epoch."""
    next_update_us: int
    evaluation_number: int
    """tcbEvaluationDataNumber."""
    misc_select: int
    misc_select_mask: int
    attributes: bytes
    """16 bytes: FLAGS and XFRM."""
    attributes_mask: bytes
    """16 bytes: the bits of ``attributes`` that are judged."""
    mr_signer: bytes
    """32 bytes."""
    isv_prod_id: int
    levels: tuple[QeLevel, ...]

    @classmethod
    def parse(cls, text: bytes, tee_type: int) -> Self:
        """Read one QE Identity.

        Args:
            text: the object that is signed, not the body around it.
            tee_type: of the quote: 0 for SGX, 0x81 for TDX.

        Raises:
            QeIdentityFormatError: not strict JSON, a member missing or of another form.
            DcapDocumentError: a value, member, status or order that is not judged; each by
                its own class.
        """
        members = Members.load(text, QeIdentityFormatError, "QE Identity")
        version = members.integer("version", MAX_U32)
        require_value(QeIdentityVersionError, "QE Identity: version", _VERSION, version)
        enclave = members.text("id")
        expected = "TD_QE" if tee_type == TEE_TDX else "QE"
        require_value(QeIdentityIdError, "QE Identity: id", expected, enclave)
        issue_us, next_update_us = members.validity_us()
        identity = cls(
            issue_us=issue_us,
            next_update_us=next_update_us,
            evaluation_number=members.integer("tcbEvaluationDataNumber", MAX_U32),
            misc_select=int.from_bytes(members.hexadecimal("miscselect", 4), "little"),
            misc_select_mask=int.from_bytes(members.hexadecimal("miscselectMask", 4), "little"),
            attributes=members.hexadecimal("attributes", 16),
            attributes_mask=members.hexadecimal("attributesMask", 16),
            mr_signer=members.hexadecimal("mrsigner", 32),
            isv_prod_id=members.integer("isvprodid", MAX_U16),
            levels=tuple(map(_level, members.objects("tcbLevels"))),
        )
        members.finish()
        require_falling("QE Identity", [level.isv_svn for level in identity.levels])
        return identity


def _level(level: Members) -> QeLevel:
    tcb = level.object("tcb")
    isv_svn = tcb.integer("isvsvn", MAX_U16)
    tcb.finish()
    level.time_us("tcbDate")
    parsed = QeLevel(isv_svn, level.status(QE_STATUSES), level.advisory_ids())
    level.finish()
    return parsed
