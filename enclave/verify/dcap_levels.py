"""Which TCB level a platform and its quoting enclave reach, and what that means together.

Sources: Intel SGX and TDX Provisioning Certification Service, API version 4, "Get TCB Info"
(how to determine the status); Intel's QuoteVerificationLibrary, ``EvaluateTcb.cpp`` and
``TDRelaunchCheck.cpp`` at 7e5b2a13; dcap-qvl 0.7.0 does the same, and must come to the same
answer wherever it gives one.
"""

from dataclasses import dataclass
from typing import Final

from enclave.evidence.pck import PckExtension
from enclave.evidence.qe_identity import QeIdentity, QeLevel
from enclave.evidence.tcb_info import ModuleIdentity, ModuleLevel, TcbInfo, TdxModule

REVOKED: Final = "Revoked"
OUT_OF_DATE: Final = "OutOfDate"

_OUT_OF_DATE_CONFIGURATION: Final = "OutOfDateConfigurationNeeded"
_CONFIGURATION: Final = frozenset({"ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"})
_CURRENT: Final = frozenset({"UpToDate", "SWHardeningNeeded"})
_RELAUNCH: Final = "TDRelaunchAdvised"


@dataclass(frozen=True, slots=True)
class TcbVerdict:
    """The statuses, in Intel's spelling; None where no level is reached."""

    platform_status: str | None
    """Of the platform, for TDX with its module; None too where a TD's present TCB has no level."""
    qe_status: str | None
    status: str | None
    """All merged."""
    advisory_ids: tuple[str, ...]
    """Sorted: of the platform's, the module's and the quoting enclave's level."""


@dataclass(frozen=True, slots=True)
class _Level:
    status: str
    advisory_ids: tuple[str, ...]


def judge_levels(
    tcb_info: TcbInfo,
    qe_identity: QeIdentity,
    pck: PckExtension,
    tee_tcb_svns: tuple[bytes, ...],
    qe_svn: int,
) -> TcbVerdict:
    """Find the levels of a quote's platform and quoting enclave, and merge their statuses.

    Args:
        tcb_info: of the platform's FMSPC.
        qe_identity: of the TEE's quoting enclave.
        pck: what the PCK certificate says.
        tee_tcb_svns: of a TD: at its launch and, from TDX 1.5 on, at present; empty for SGX.
        qe_svn: the quoting enclave's security version.
    """
    qe = _qe_level(qe_identity, qe_svn)
    levels = [_platform_level(tcb_info, pck, svn) for svn in tee_tcb_svns or (None,)]
    reached = [level for level in levels if level is not None]
    advisories = {name for level in (*reached[:1], qe) if level for name in level.advisory_ids}
    qe_status = qe.status if qe else None
    if len(reached) != len(levels):
        return TcbVerdict(None, qe_status, None, tuple(sorted(advisories)))
    platform_status = reached[0].status
    if any(level.status == REVOKED for level in reached):
        platform_status = REVOKED
    merged = None
    if qe is not None:
        statuses = [converge(level.status, qe.status) for level in reached]
        merged = REVOKED if REVOKED in statuses else relaunch(statuses[0], statuses[-1])
    return TcbVerdict(platform_status, qe_status, merged, tuple(sorted(advisories)))


def converge(platform: str, component: str) -> str:
    """A platform's status with that of its TDX module or quoting enclave.

    Only an outdated or revoked component changes it.
    """
    if component == REVOKED:
        return REVOKED
    if component == OUT_OF_DATE and platform in _CURRENT:
        return OUT_OF_DATE
    if component == OUT_OF_DATE and platform in _CONFIGURATION:
        return _OUT_OF_DATE_CONFIGURATION
    return platform


def relaunch(launched: str, present: str) -> str:
    """The status of a TD from that at its launch and that at present.

    No document has the result's words: an outdated TD on a platform that is outdated no more
    is advised to launch again.
    """
    outdated = launched in {OUT_OF_DATE, _OUT_OF_DATE_CONFIGURATION}
    if not outdated or present not in _CURRENT | _CONFIGURATION:
        return launched
    needs_configuration = launched == _OUT_OF_DATE_CONFIGURATION or present in _CONFIGURATION
    return f"{_RELAUNCH}ConfigurationNeeded" if needs_configuration else _RELAUNCH


def expected_module(tcb_info: TcbInfo, tee_tcb_svn: bytes) -> TdxModule | None:
    """What the TDX module has to look like; None where TCB Info knows no such major version."""
    if tee_tcb_svn[1] == 0:
        return tcb_info.module
    identity = _module_identity(tcb_info, tee_tcb_svn)
    return identity.module if identity else None


def _qe_level(identity: QeIdentity, isv_svn: int) -> QeLevel | None:
    return next((level for level in identity.levels if isv_svn >= level.isv_svn), None)


def _platform_level(
    tcb_info: TcbInfo, pck: PckExtension, tee_tcb_svn: bytes | None
) -> _Level | None:
    """The first level reached, merged with the module's; None where there is none of either."""
    level = next(
        (
            level
            for level in tcb_info.levels
            if pck.pce_svn >= level.pce_svn
            and _reaches(pck.cpu_svn, level.sgx_components)
            and (tee_tcb_svn is None or _reaches_tdx(tee_tcb_svn, level.tdx_components))
        ),
        None,
    )
    if level is None:
        return None
    if tee_tcb_svn is None or tee_tcb_svn[1] == 0:
        return _Level(level.status, level.advisory_ids)
    module = _module_level(tcb_info, tee_tcb_svn)
    if module is None:
        return None
    advisories = (*level.advisory_ids, *module.advisory_ids)
    return _Level(converge(level.status, module.status), advisories)


def _reaches(svns: bytes, wanted: bytes) -> bool:
    return all(svn >= least for svn, least in zip(svns, wanted, strict=True))


def _reaches_tdx(svns: bytes, wanted: bytes) -> bool:
    """The module's own two security versions have levels of their own from version 1 on."""
    first = 2 if svns[1] > 0 else 0
    return _reaches(svns[first:], wanted[first:])


def _module_identity(tcb_info: TcbInfo, tee_tcb_svn: bytes) -> ModuleIdentity | None:
    wanted = f"TDX_{tee_tcb_svn[1]:02X}"
    return next((one for one in tcb_info.module_identities if one.id.upper() == wanted), None)


def _module_level(tcb_info: TcbInfo, tee_tcb_svn: bytes) -> ModuleLevel | None:
    identity = _module_identity(tcb_info, tee_tcb_svn)
    levels = identity.levels if identity else ()
    return next((level for level in levels if tee_tcb_svn[0] >= level.isv_svn), None)
