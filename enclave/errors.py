"""One family of errors for the trusted side, each class with a stable wire code.

The code travels over the pipe to the host, into logs, transactions' log lines and
``-o json``, so it never changes once released. Messages never contain a secret.
"""

from enclave import dcap_errors, dcap_pki_errors
from enclave.error_base import (
    EnclaveError,
    EvidenceFormatError,
    QuoteFormatError,
    VerificationError,
)
from enclave.policy_errors import (
    AdvisoryError,
    AttributesError,
    BindingError,
    BoundKeyError,
    DebugEnclaveError,
    EnclaveModeError,
    EnclaveNotInitialisedError,
    EvidenceKindError,
    EvidenceTooOldError,
    KeySharingConfigError,
    LaunchKeyError,
    LibraryRefusalError,
    MeasurementNotAllowedError,
    ModuleAttributesError,
    ModuleNotAllowedError,
    ModuleSignerError,
    NoTcbLevelError,
    PlatformStatusError,
    PolicyError,
    ProductNotAllowedError,
    ProvisionKeyError,
    QeStatusError,
    QuoteStatusError,
    ReportVersionError,
    ReservedBitsError,
    RtmrNotAllowedError,
    SecurityVersionError,
    SeptVeDisableError,
    ServiceTdError,
    SignerNotAllowedError,
    TcbEvaluationError,
    TdAttributesNotAllowedError,
    TdConfigNotAllowedError,
    TdMigratableError,
    TdProfilingError,
    TdServiceExtensionError,
    XfrmError,
)

__all__ = [
    "AdvisoryError",
    "AttributesError",
    "BindingError",
    "BoundKeyError",
    "DebugEnclaveError",
    "EnclaveError",
    "EnclaveModeError",
    "EnclaveNotInitialisedError",
    "EvidenceFormatError",
    "EvidenceKindError",
    "EvidenceTooOldError",
    "KeySharingConfigError",
    "LaunchKeyError",
    "LibraryRefusalError",
    "MeasurementNotAllowedError",
    "ModuleAttributesError",
    "ModuleNotAllowedError",
    "ModuleSignerError",
    "NoTcbLevelError",
    "PlatformStatusError",
    "PolicyError",
    "ProductNotAllowedError",
    "ProvisionKeyError",
    "QeStatusError",
    "QuoteFormatError",
    "QuoteStatusError",
    "ReportVersionError",
    "ReservedBitsError",
    "RtmrNotAllowedError",
    "SecurityVersionError",
    "SeptVeDisableError",
    "ServiceTdError",
    "SignerNotAllowedError",
    "TcbEvaluationError",
    "TdAttributesNotAllowedError",
    "TdConfigNotAllowedError",
    "TdMigratableError",
    "TdProfilingError",
    "TdServiceExtensionError",
    "VerificationError",
    "XfrmError",
    "dcap_errors",
    "dcap_pki_errors",
]
"""What other modules define; every class of the family can be had from here."""


# --- the process and its calls ------------------------------------------------------------


class EnclaveUnavailableError(EnclaveError):
    """The enclave process could not be started, died, or did not answer in time."""

    code = "enclave-unavailable"


class CallError(EnclaveError):
    """A frame or call is malformed, out of bounds, or not offered by this role."""

    code = "enclave-call-malformed"


class NotConfiguredError(EnclaveError):
    """The judge was asked before it was told chain id and policy."""

    code = "enclave-not-configured"


class AlreadyConfiguredError(EnclaveError):
    """Chain id and policy were given before, with other values."""

    code = "enclave-already-configured"


class InternalError(EnclaveError):
    """A bug on the trusted side; the reply names no value."""

    code = "enclave-internal"


# --- keys and sealed state ----------------------------------------------------------------


class NoRegistrationKeyError(EnclaveError):
    """This enclave has made no registration key yet."""

    code = "no-registration-key"


class NoSeedError(EnclaveError):
    """This enclave holds no consensus seed yet."""

    code = "no-seed"


class SeedExistsError(EnclaveError):
    """A seed is held already, and it is never replaced."""

    code = "seed-exists"


class SealedStateError(EnclaveError):
    """A sealed blob does not open here, or is not what it should be."""

    code = "sealed-state-refused"


class SealedFormatError(SealedStateError):
    """A sealed blob is truncated, or of an unknown format or version."""

    code = "sealed-state-malformed"


class SealedElsewhereError(SealedStateError):
    """A sealed blob was made by another backend, platform or measurement, or was altered."""

    code = "sealed-elsewhere"


class SealedPurposeError(SealedStateError):
    """A sealed blob of one purpose stands in the place of another."""

    code = "sealed-purpose"


class SealedNetworkError(SealedStateError):
    """A sealed blob belongs to another network."""

    code = "sealed-network"


class BackupError(EnclaveError):
    """A backup is incomplete, altered, or of another enclave."""

    code = "backup-refused"


class BackupConflictError(BackupError):
    """A backup holds a key that differs from the one in place."""

    code = "backup-conflict"


class BackendPolicyError(EnclaveError):
    """The backend may not serve this policy: simulation and hardware never mix."""

    code = "backend-not-allowed"


class StateBusyError(EnclaveError):
    """Another process is changing the sealed state of this home."""

    code = "enclave-state-busy"


class StateWriteError(EnclaveError):
    """The sealed state could not be written (disk full, read-only folder, permissions)."""

    code = "enclave-state-unwritable"


class ClockBackwardsError(EnclaveError):
    """The time named lies before the sealed clock bound."""

    code = "clock-backwards"


class InstallError(EnclaveError):
    """The encrypted seed does not open, or is not this network's seed."""

    code = "install-refused"


class PublicKeyError(EnclaveError):
    """A public key is not canonical, or of small order."""

    code = "public-key-refused"


# --- evidence: malformed ------------------------------------------------------------------


class ContainerFormatError(EvidenceFormatError):
    """The container around the evidence is malformed or of an unknown form."""

    code = "container-malformed"


class ContainerNotAllowedError(EvidenceFormatError):
    """A container form that is read off-chain only."""

    code = "container-not-allowed"


class ReportFormatError(EvidenceFormatError):
    """The IAS report body is malformed."""

    code = "ias-report-malformed"


class CollateralFormatError(EvidenceFormatError):
    """The collateral around or within is malformed."""

    code = "collateral-malformed"


class NoEvidenceError(EvidenceFormatError):
    """The container holds no attestation evidence (for example a software-mode certificate)."""

    code = "evidence-missing"


class UnsupportedEvidenceError(EvidenceFormatError):
    """Well-formed evidence of a kind that this version does not judge."""

    code = "evidence-unsupported"


class PolicyFormatError(EnclaveError):
    """The appraisal policy is malformed."""

    code = "policy-malformed"


# --- evidence: not authentic --------------------------------------------------------------


class SignatureMissingError(VerificationError):
    """The report carries no signature."""

    code = "ias-unsigned"


class SigningCertificateError(VerificationError):
    """The signing certificate is malformed or may not sign reports."""

    code = "ias-signing-certificate"


class CertificateChainError(VerificationError):
    """The signing certificate was not issued by a trusted root."""

    code = "ias-certificate-chain"


class CertificateTimeError(VerificationError):
    """The signing certificate was not valid at the chain's time."""

    code = "ias-certificate-time"


class ReportSignatureError(VerificationError):
    """The report's signature does not verify over its exact bytes."""

    code = "ias-report-signature"


class NotYetValidError(VerificationError):
    """The evidence is dated after the time of judgement (plus the allowed skew)."""

    code = "evidence-in-future"


def _family(cls: type[EnclaveError]) -> dict[str, type[EnclaveError]]:
    found = {cls.code: cls}
    for child in cls.__subclasses__():
        found |= _family(child)
    return found


BY_CODE = _family(EnclaveError)
"""Every class by its wire code; the client raises what the enclave raised."""
