"""The rules about one SGX enclave, whichever kind of quote speaks for it.

Bits: Intel SDM volume 3D, "SECS.ATTRIBUTES" and "MISCSELECT". No policy has a word about
them: an enclave that breaks one of these rules is no production enclave of anybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import SgxMeasurement
from enclave.appraise.scope import AppraisalScope
from enclave.appraise.words import NOT_JUDGED, any_of
from enclave.checks import Check, judge
from enclave.errors import (
    DebugEnclaveError,
    EnclaveError,
    EnclaveModeError,
    EnclaveNotInitialisedError,
    KeySharingConfigError,
    LaunchKeyError,
    MeasurementNotAllowedError,
    ProductNotAllowedError,
    ProvisionKeyError,
    ReservedBitsError,
    SecurityVersionError,
    SignerNotAllowedError,
    XfrmError,
)
from enclave.evidence.sgx_report import (
    DEBUG,
    EINITTOKEN_KEY,
    INIT,
    MODE64BIT,
    PROVISION_KEY,
    SgxReport,
)

# ATTRIBUTES.FLAGS beside those: CET, KSS, AEX_NOTIFY
_KNOWN_FLAGS: Final = (
    INIT | DEBUG | MODE64BIT | PROVISION_KEY | EINITTOKEN_KEY | 1 << 6 | 1 << 7 | 1 << 10
)
# MISCSELECT: EXINFO, CPINFO
_KNOWN_MISC: Final = 0x03
# XFRM, as XCR0: x87, SSE (both needed), AVX, MPX, AVX-512, PKRU, AMX, APX
_NEEDED_XFRM: Final = 0x03
_KNOWN_XFRM: Final = 0xFF | 1 << 9 | 1 << 17 | 1 << 18 | 1 << 19

_REMEMBERED: Final = 64
"""How many enclaves' outcomes are kept: a network's nodes run few different ones."""


def attribute_rules(enclave: SgxReport) -> Iterable[Check]:
    """Every rule about attributes but DEBUG, which a simulated EPID network may allow."""
    return _attribute_rules(
        enclave.flags,
        enclave.misc_select,
        enclave.xfrm,
        enclave.reserved,
        enclave.config_id,
        enclave.config_svn,
    )


@lru_cache(maxsize=_REMEMBERED)
def _attribute_rules(  # noqa: PLR0917 -- the key, in the order of the report
    flags: int, misc_select: int, xfrm: int, reserved: bytes, config_id: bytes, config_svn: int
) -> tuple[Check, ...]:
    return (
        check_initialised(flags),
        check_64_bit(flags),
        check_provision_key(flags),
        check_launch_key(flags),
        check_reserved(flags, misc_select, reserved),
        check_xfrm(xfrm),
        check_launch_config(config_id, config_svn),
    )


def check_debug(enclave: SgxReport, *, allowed: bool) -> Check:
    """Rule: DEBUG is clear, unless the caller knows a reason to allow it."""
    return judge(
        DebugEnclaveError,
        allowed or not enclave.is_debug,
        "the enclave can be debugged",
        expected="DEBUG 0 or 1" if allowed else "DEBUG 0",
        seen="DEBUG 1" if enclave.is_debug else "DEBUG 0",
    )


def check_initialised(flags: int) -> Check:
    """Rule: EINIT completed; no other enclave can run."""
    message = "the enclave was not initialised"
    return _check_flag(EnclaveNotInitialisedError, flags, INIT, "INIT", message, wanted=1)


def check_64_bit(flags: int) -> Check:
    """Rule: the enclave runs in 64-bit mode."""
    message = "the enclave does not run in 64-bit mode"
    return _check_flag(EnclaveModeError, flags, MODE64BIT, "MODE64BIT", message, wanted=1)


def check_provision_key(flags: int) -> Check:
    """Rule: the enclave cannot derive the provisioning key, which identifies the platform."""
    message = "the enclave may use the provisioning key"
    return _check_flag(ProvisionKeyError, flags, PROVISION_KEY, "PROVISION_KEY", message, wanted=0)


def check_launch_key(flags: int) -> Check:
    """Rule: the enclave cannot derive the EINIT token key, which lets enclaves launch."""
    message = "the enclave may use the launch token key"
    return _check_flag(LaunchKeyError, flags, EINITTOKEN_KEY, "EINITTOKEN_KEY", message, wanted=0)


def _check_flag(
    error: type[EnclaveError], flags: int, mask: int, name: str, message: str, *, wanted: int
) -> Check:
    seen = int(bool(flags & mask))
    return judge(error, seen == wanted, message, expected=f"{name} {wanted}", seen=f"{name} {seen}")


def check_reserved(flags: int, misc_select: int, reserved: bytes) -> Check:
    """Rule: nothing is set that has no meaning yet; a later one may open the enclave."""
    flags &= ~_KNOWN_FLAGS
    misc_select &= ~_KNOWN_MISC
    clear = not (flags or misc_select or any(reserved))
    return judge(
        ReservedBitsError,
        clear,
        "a reserved bit or byte of the enclave's report is set",
        expected="all reserved bits 0",
        seen="all reserved bits 0"
        if clear
        else f"FLAGS {flags:#x}, MISCSELECT {misc_select:#x}, reserved bytes {any(reserved):d}",
    )


def check_xfrm(xfrm: int) -> Check:
    """Rule: XFRM has the features that every enclave has, and none that nobody defined."""
    return judge(
        XfrmError,
        xfrm & _NEEDED_XFRM == _NEEDED_XFRM and not xfrm & ~_KNOWN_XFRM,
        "the enclave's XFRM is not one of a production enclave",
        expected="x87 and SSE, and no feature that is not defined",
        seen=hex(xfrm),
    )


def check_launch_config(config_id: bytes, config_svn: int) -> Check:
    """Rule: CONFIGID and CONFIGSVN are zero: the host chooses them, and no measurement tells."""
    configured = any(config_id) or config_svn != 0
    return judge(
        KeySharingConfigError,
        not configured,
        "the host configured the enclave at launch",
        expected="CONFIGID and CONFIGSVN 0",
        seen=f"CONFIGID {config_id.hex()}, CONFIGSVN {config_svn}"
        if configured
        else "CONFIGID and CONFIGSVN 0",
    )


def measurement_rules(enclave: SgxReport, policy: Policy, scope: AppraisalScope) -> Iterable[Check]:
    """Rules: one allowed measurement fits in all of its members.

    Each rule looks at the measurements that fitted so far, so two of the same mr_enclave may
    differ in the rest. Where none fits, the rules behind have nothing to compare with.
    """
    identity = Identity(enclave.mr_enclave, enclave.mr_signer, enclave.isv_prod_id, enclave.isv_svn)
    return _measurement_rules(identity, policy.measurements, judged=scope.measurement)


class Identity(NamedTuple):
    """Whose code runs in an enclave."""

    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int


@lru_cache(maxsize=_REMEMBERED)
def _measurement_rules(
    identity: Identity, measurements: tuple[object, ...], *, judged: bool
) -> tuple[Check, ...]:
    candidates = tuple(item for item in measurements if isinstance(item, SgxMeasurement))
    checks = []
    for rule in _MEASURED:
        fitting = tuple(item for item in candidates if rule.fits(item, identity))
        expected = rule.wanted(candidates) if judged else NOT_JUDGED
        ok = bool(fitting) or not judged
        checks.append(
            judge(rule.error, ok, rule.message, expected=expected, seen=rule.show(identity))
        )
        if not ok:
            break
        candidates = fitting
    return tuple(checks)


Candidates = tuple[SgxMeasurement, ...]


@dataclass(frozen=True, slots=True)
class _Member:
    """One member of a measurement, and what a report has in its place."""

    name: str
    error: type[EnclaveError]
    message: str

    def fits(self, item: SgxMeasurement, identity: Identity) -> bool:
        """Whether the report has what ``item`` names, or ``item`` names nothing."""
        return getattr(item, self.name) in (None, getattr(identity, self.name))

    def wanted(self, candidates: Candidates) -> str:
        """Every value that would fit, for people."""
        return any_of(tuple(sorted({_text(getattr(item, self.name)) for item in candidates})))

    def show(self, identity: Identity) -> str:
        """What the report has, for people."""
        return _text(getattr(identity, self.name))


@dataclass(frozen=True, slots=True)
class _SecurityVersion(_Member):
    """The one member that is a least value: ``min_isv_svn``."""

    def fits(self, item: SgxMeasurement, identity: Identity) -> bool:
        """Whether the report's isv_svn is at least that."""
        return (item.min_isv_svn or 0) <= identity.isv_svn

    def wanted(self, candidates: Candidates) -> str:
        """The least value that would fit, for people."""
        return f"{min((item.min_isv_svn or 0 for item in candidates), default=0)} or more"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return NOT_JUDGED if value is None else str(value)


_MEASURED: Final = (
    _Member("mr_enclave", MeasurementNotAllowedError, "mr_enclave is not in the allowed list"),
    _Member("mr_signer", SignerNotAllowedError, "mr_signer is not that of the allowed measurement"),
    _Member(
        "isv_prod_id", ProductNotAllowedError, "isv_prod_id is not that of the allowed measurement"
    ),
    _SecurityVersion(
        "isv_svn", SecurityVersionError, "isv_svn is below that of the allowed measurement"
    ),
)
