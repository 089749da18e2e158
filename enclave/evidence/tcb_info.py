"""TCB Info: which security versions of one platform model Intel holds to be up to date.

Form: Intel SGX and TDX Provisioning Certification Service, API version 4, "Get TCB Info",
TCB Info version 3. Levels stand in falling order of the SGX components, then of the PCE's SVN,
then of the TDX components (Intel's QuoteVerificationLibrary sorts them so before it looks for
the first that fits; no column need fall by itself).
"""

from dataclasses import dataclass
from typing import Final, Self

from enclave.dcap_errors import (
    TcbComponentsError,
    TcbInfoFormatError,
    TcbInfoIdError,
    TcbInfoVersionError,
    TcbTypeError,
)
from enclave.evidence.collateral import TEE_TDX
from enclave.evidence.intel_document import (
    MAX_U16,
    MAX_U32,
    Members,
    require_falling,
    require_value,
)
from enclave.evidence.tdx_quote import TdxModule

__all__ = ["ModuleIdentity", "ModuleLevel", "TcbInfo", "TcbLevel", "TdxModule"]

COMPONENTS: Final = 16

_VERSION: Final = 3
_TCB_TYPE: Final = 0
_MAX_SVN: Final = 0xFF
_COMPONENT_MEMBERS: Final = frozenset({"svn", "category", "type"})

PLATFORM_STATUSES: Final = frozenset(
    {
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "Revoked",
    }
)
MODULE_STATUSES: Final = frozenset({"UpToDate", "OutOfDate", "Revoked"})


@dataclass(frozen=True, slots=True)
class TcbLevel:
    """The lowest security versions of one level, and what reaching it means."""

    sgx_components: bytes
    """16 bytes, one security version each."""
    pce_svn: int
    tdx_components: bytes
    """16 bytes; empty in TCB Info for SGX."""
    status: str
    advisory_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleLevel:
    """The lowest security version of one level of the TDX module."""

    isv_svn: int
    status: str
    advisory_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleIdentity:
    """One major version of the TDX module."""

    id: str
    """``TDX_`` and the major version, two hexadecimal digits."""
    module: TdxModule
    levels: tuple[ModuleLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbInfo:
    """What a TCB Info says; who signed it is for :mod:`enclave.verify` to find out."""

    issue_us: int
    """issueDate, microseconds since the Unix epoch."""
    next_update_us: int
    fmspc: bytes
    """6 bytes."""
    pce_id: bytes
    """2 bytes."""
    evaluation_number: int
    """tcbEvaluationDataNumber."""
    levels: tuple[TcbLevel, ...]
    module: TdxModule | None
    """Of the module's major version 0; None for SGX."""
    module_identities: tuple[ModuleIdentity, ...]

    @classmethod
    def parse(cls, text: bytes, tee_type: int) -> Self:
        """Read one TCB Info.

        Args:
            text: the object that is signed, not the body around it.
            tee_type: of the quote: 0 for SGX, 0x81 for TDX.

        Raises:
            TcbInfoFormatError: not strict JSON, a member missing or of another form.
            DcapDocumentError: a value, member, status or order that is not judged; each by
                its own class.
        """
        members = Members.load(text, TcbInfoFormatError, "TCB Info")
        is_tdx = tee_type == TEE_TDX
        version = members.integer("version", MAX_U32)
        require_value(TcbInfoVersionError, "TCB Info: version", _VERSION, version)
        tee = members.text("id")
        require_value(TcbInfoIdError, "TCB Info: id", "TDX" if is_tdx else "SGX", tee)
        tcb_type = members.integer("tcbType", MAX_U32)
        require_value(TcbTypeError, "TCB Info: tcbType", _TCB_TYPE, tcb_type)
        issue_us, next_update_us = members.validity_us()
        info = cls(
            issue_us=issue_us,
            next_update_us=next_update_us,
            fmspc=members.hexadecimal("fmspc", 6),
            pce_id=members.hexadecimal("pceId", 2),
            evaluation_number=members.integer("tcbEvaluationDataNumber", MAX_U32),
            levels=_levels(members, is_tdx=is_tdx),
            module=_module(members.object("tdxModule"), done=True) if is_tdx else None,
            module_identities=_module_identities(members) if is_tdx else (),
        )
        members.finish()
        return info


def _levels(members: Members, *, is_tdx: bool) -> tuple[TcbLevel, ...]:
    levels = tuple(_level(level, is_tdx=is_tdx) for level in members.objects("tcbLevels"))
    keys = [(level.sgx_components, level.pce_svn, level.tdx_components) for level in levels]
    require_falling("TCB Info", keys)
    return levels


def _level(level: Members, *, is_tdx: bool) -> TcbLevel:
    tcb = level.object("tcb")
    sgx_components = _components(tcb, "sgxtcbcomponents")
    pce_svn = tcb.integer("pcesvn", MAX_U16)
    tdx_components = _components(tcb, "tdxtcbcomponents") if is_tdx else b""
    tcb.finish()
    status, advisory_ids = _verdict(level, PLATFORM_STATUSES)
    return TcbLevel(sgx_components, pce_svn, tdx_components, status, advisory_ids)


def _verdict(level: Members, statuses: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """The rest of a level, whatever it is of."""
    level.time_us("tcbDate")
    status, advisory_ids = level.status(statuses), level.advisory_ids()
    level.finish()
    return status, advisory_ids


def _components(tcb: Members, name: str) -> bytes:
    components = tcb.items(name)
    if len(components) != COMPONENTS:
        raise TcbComponentsError(
            f"TCB Info: {name} has another length",
            expected=str(COMPONENTS),
            seen=str(len(components)),
        )
    if not all(map(_is_component, components)):
        raise tcb.malformed(name, "svn from 0 to 255, category, type", components)
    return bytes(component["svn"] for component in components)


def _is_component(component: object) -> bool:
    """Read without :class:`Members`: a document has some hundreds of them."""
    if not isinstance(component, dict) or not component.keys() <= _COMPONENT_MEMBERS:
        return False
    svn = component.get("svn")
    texts = (component.get("category", ""), component.get("type", ""))
    return type(svn) is int and 0 <= svn <= _MAX_SVN and all(isinstance(t, str) for t in texts)


def _module(module: Members, *, done: bool) -> TdxModule:
    parsed = TdxModule(
        module.hexadecimal("mrsigner", 48),
        module.hexadecimal("attributes", 8),
        module.hexadecimal("attributesMask", 8),
    )
    if done:
        module.finish()
    return parsed


def _module_identities(members: Members) -> tuple[ModuleIdentity, ...]:
    if not members.has("tdxModuleIdentities"):  # documents before 2023-08 have none
        return ()
    identities = tuple(map(_module_identity, members.objects("tdxModuleIdentities")))
    if len({identity.id.upper() for identity in identities}) != len(identities):
        raise members.malformed("tdxModuleIdentities", "each id once", "an id twice")
    return identities


def _module_identity(identity: Members) -> ModuleIdentity:
    parsed = ModuleIdentity(
        identity.text("id"),
        _module(identity, done=False),
        tuple(map(_module_level, identity.objects("tcbLevels"))),
    )
    identity.finish()
    require_falling("TCB Info: TDX module", [level.isv_svn for level in parsed.levels])
    return parsed


def _module_level(level: Members) -> ModuleLevel:
    tcb = level.object("tcb")
    isv_svn = tcb.integer("isvsvn", _MAX_SVN)
    tcb.finish()
    return ModuleLevel(isv_svn, *_verdict(level, MODULE_STATUSES))
