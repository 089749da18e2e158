"""The rules about one trust domain, and the TDX module that reports about it.

Bits: Intel TDX Module ABI Reference Specification 348551-008US, table 3.23 (TD_ATTRIBUTES). As
for SGX, no policy has a word about them; a policy's measurement names the whole of them.
"""

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Final

from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import TdxMeasurement
from enclave.appraise.scope import AppraisalScope
from enclave.appraise.words import NOT_JUDGED, any_of
from enclave.checks import Check, judge
from enclave.errors import (
    DebugEnclaveError,
    EnclaveError,
    MeasurementNotAllowedError,
    ModuleAttributesError,
    ModuleNotAllowedError,
    ModuleSignerError,
    ReservedBitsError,
    RtmrNotAllowedError,
    SeptVeDisableError,
    ServiceTdError,
    TdAttributesNotAllowedError,
    TdConfigNotAllowedError,
    TdMigratableError,
    TdProfilingError,
    TdServiceExtensionError,
)
from enclave.evidence.tdx_quote import TdReport, TdxModule

# TUD: the domain is under debug, or profiled (HGS_PLUS_PROF, PERF_PROF, PMT_PROF)
_DEBUG: Final = 1 << 0
_PROFILING: Final = 1 << 4 | 1 << 5 | 1 << 6
# SEC: SERVTD_EXT, SEPT_VE_DISABLE, MIGRATABLE; the others serve the domain itself
_SERVTD_EXT: Final = 1 << 17
_SEPT_VE_DISABLE: Final = 1 << 28
_MIGRATABLE: Final = 1 << 29
_RESERVED: Final = sum(
    1 << bit
    for first, last in ((1, 3), (7, 15), (23, 26), (32, 61))
    for bit in range(first, last + 1)
)

_USUAL_MODULE: Final = TdxModule(bytes(48), bytes(8), b"\xff" * 8)
"""Intel's own module, as every TCB Info so far describes it."""


_REMEMBERED: Final = 64
"""How many domains' outcomes are kept: a network's nodes run few different ones."""


def attribute_rules(domain: TdReport, module: TdxModule | None) -> Iterable[Check]:
    """Every rule about the domain's attributes, its service TDs and its module.

    Args:
        domain: what the quote says.
        module: what TCB Info wants of the TDX module; None where it is not known.
    """
    return _attribute_rules(
        domain.td_attributes,
        domain.mr_service_td,
        domain.mr_signer_seam,
        domain.seam_attributes,
        module or _USUAL_MODULE,
    )


@lru_cache(maxsize=_REMEMBERED)
def _attribute_rules(
    td_attributes: bytes,
    mr_service_td: bytes,
    mr_signer_seam: bytes,
    seam_attributes: bytes,
    module: TdxModule,
) -> tuple[Check, ...]:
    attributes = int.from_bytes(td_attributes, "little")
    return (
        check_debug(attributes),
        check_profiling(attributes),
        check_migratable(attributes),
        check_service_extension(attributes),
        check_sept_ve_disable(attributes),
        check_reserved(attributes),
        check_service_td(mr_service_td),
        check_module_signer(mr_signer_seam, module),
        check_module_attributes(seam_attributes, module),
    )


def check_debug(attributes: int) -> Check:
    """Rule: TUD.DEBUG is clear, whatever the policy says."""
    return _check_bits(
        DebugEnclaveError, attributes, _DEBUG, "DEBUG", "the trust domain can be debugged"
    )


def check_profiling(attributes: int) -> Check:
    """Rule: nobody outside may count what the domain does."""
    name = "HGS_PLUS_PROF, PERF_PROF and PMT_PROF"
    return _check_bits(
        TdProfilingError, attributes, _PROFILING, name, "the trust domain can be profiled"
    )


def check_migratable(attributes: int) -> Check:
    """Rule: no migration TD can take the domain's secrets to another platform."""
    return _check_bits(
        TdMigratableError, attributes, _MIGRATABLE, "MIGRATABLE", "the trust domain can be migrated"
    )


def check_service_extension(attributes: int) -> Check:
    """Rule: no service TD can be bound anew behind the quote."""
    message = "the trust domain accepts extended service TDs"
    return _check_bits(TdServiceExtensionError, attributes, _SERVTD_EXT, "SERVTD_EXT", message)


def check_sept_ve_disable(attributes: int) -> Check:
    """Rule: the host cannot inject exceptions by taking the domain's pages away."""
    ok = bool(attributes & _SEPT_VE_DISABLE)
    return judge(
        SeptVeDisableError,
        ok,
        "SEPT_VE_DISABLE is clear",
        expected="SEPT_VE_DISABLE 1",
        seen="SEPT_VE_DISABLE 1" if ok else "SEPT_VE_DISABLE 0",
    )


def check_reserved(attributes: int) -> Check:
    """Rule: no attribute bit is set that has no meaning yet."""
    unknown = attributes & _RESERVED
    return judge(
        ReservedBitsError,
        not unknown,
        "a reserved bit of td_attributes is set",
        expected="all reserved bits 0",
        seen=f"td_attributes {unknown:#x}" if unknown else "all reserved bits 0",
    )


def check_service_td(mr_service_td: bytes) -> Check:
    """Rule: MRSERVICETD is zero; quote bodies of version 1.0 have none."""
    clear = not any(mr_service_td)
    return judge(
        ServiceTdError,
        clear,
        "a service TD is bound to the trust domain",
        expected="zero",
        seen="zero" if clear else mr_service_td.hex(),
    )


def check_module_signer(mr_signer_seam: bytes, module: TdxModule) -> Check:
    """Rule: the TDX module's signer is Intel's, whose MRSIGNERSEAM is zero."""
    return judge(
        ModuleSignerError,
        mr_signer_seam == module.mr_signer,
        "the TDX module was signed by another than Intel",
        expected=module.mr_signer.hex(),
        seen=mr_signer_seam.hex(),
    )


def check_module_attributes(seam_attributes: bytes, module: TdxModule) -> Check:
    """Rule: the module's own attributes are those of TCB Info, and no bit beside them is set."""
    seen = int.from_bytes(seam_attributes, "little")
    wanted = int.from_bytes(module.attributes, "little")
    mask = int.from_bytes(module.attributes_mask, "little")
    return judge(
        ModuleAttributesError,
        seen == wanted & mask,
        "the TDX module's attributes are not those of a production module",
        expected=f"{wanted & mask:#x}",
        seen=f"{seen:#x}",
    )


def _check_bits(
    error: type[EnclaveError], attributes: int, mask: int, name: str, message: str
) -> Check:
    clear = not attributes & mask
    seen = f"{name} 0" if clear else f"td_attributes {attributes & mask:#x}"
    return judge(error, clear, message, expected=f"{name} 0", seen=seen)


_MEASURED: Final[tuple[tuple[str, type[EnclaveError]], ...]] = (
    ("mr_td", MeasurementNotAllowedError),
    ("mr_seam", ModuleNotAllowedError),
    ("td_attributes", TdAttributesNotAllowedError),
    ("xfam", TdAttributesNotAllowedError),
    ("mr_config_id", TdConfigNotAllowedError),
    ("mr_owner", TdConfigNotAllowedError),
    ("mr_owner_config", TdConfigNotAllowedError),
    ("rtmr0", RtmrNotAllowedError),
    ("rtmr1", RtmrNotAllowedError),
    ("rtmr2", RtmrNotAllowedError),
    ("rtmr3", RtmrNotAllowedError),
)
"""Every member of a measurement, in the order of judgement."""
_MEMBERS: Final = tuple(name for name, _ in _MEASURED)
_of_members: Final = attrgetter(*_MEMBERS)


def measurement_rules(domain: TdReport, policy: Policy, scope: AppraisalScope) -> Iterable[Check]:
    """Rules: one allowed measurement fits in all of its eleven members.

    As for SGX, each rule looks at the measurements that fitted so far.
    """
    identity = TdxMeasurement(**dict(zip(_MEMBERS, _of_members(domain), strict=True)))
    return _measurement_rules(identity, policy.measurements, judged=scope.measurement)


@lru_cache(maxsize=_REMEMBERED)
def _measurement_rules(
    identity: TdxMeasurement, measurements: tuple[object, ...], *, judged: bool
) -> tuple[Check, ...]:
    candidates = tuple(item for item in measurements if isinstance(item, TdxMeasurement))
    checks = []
    for name, error in _MEASURED:
        seen: bytes = getattr(identity, name)
        wanted = tuple(sorted({getattr(item, name).hex() for item in candidates}))
        candidates = tuple(item for item in candidates if getattr(item, name) == seen)
        ok = bool(candidates) or not judged
        checks.append(
            judge(
                error,
                ok,
                f"{name} is not that of an allowed measurement",
                expected=any_of(wanted) if judged else NOT_JUDGED,
                seen=seen.hex(),
                name="" if name == "mr_td" else f"tdx-{name.replace('_', '-')}",
            )
        )
        if not ok:
            break
    return tuple(checks)
