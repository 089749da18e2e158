"""Why a policy refuses authentic evidence: one class and one stable code for each rule.

:mod:`enclave.errors` has the whole family, these included.
"""

from enclave.error_base import EnclaveError


class PolicyError(EnclaveError):
    """Authentic evidence that the appraisal policy refuses."""

    code = "policy-refused"


class EvidenceKindError(PolicyError):
    """The kind of evidence is not in the policy's list."""

    code = "evidence-kind-not-allowed"


class ReportVersionError(PolicyError):
    """The IAS report is of an API version that is not accepted."""

    code = "ias-version-not-allowed"


class QuoteStatusError(PolicyError):
    """The quote status is not in the policy's list."""

    code = "quote-status-not-allowed"


class PlatformStatusError(PolicyError):
    """The platform's TCB status is not in the policy's list."""

    code = "platform-status-not-allowed"


class QeStatusError(PolicyError):
    """The quoting enclave's TCB status is not in the policy's list."""

    code = "qe-status-not-allowed"


class NoTcbLevelError(PolicyError):
    """No TCB level of Intel's document fits the platform or its quoting enclave."""

    code = "no-tcb-level"


class AdvisoryError(PolicyError):
    """An advisory applies that is not in the policy's list."""

    code = "advisory-not-allowed"


class TcbEvaluationError(PolicyError):
    """The TCB evaluation data number is below the policy's floor."""

    code = "tcb-evaluation-too-low"


class LibraryRefusalError(PolicyError):
    """The verification library refuses such a quote by a policy of its own."""

    code = "library-refuses"


class DebugEnclaveError(PolicyError):
    """The enclave can be debugged, so its memory is open to its host."""

    code = "debug-enclave"


class AttributesError(PolicyError):
    """The enclave's attribute bits are not those of a production enclave."""

    code = "attributes-not-allowed"


class EnclaveNotInitialisedError(AttributesError):
    """INIT is clear: no such enclave can run."""

    code = "enclave-not-initialised"


class EnclaveModeError(AttributesError):
    """MODE64BIT is clear: the enclave does not run in 64-bit mode."""

    code = "enclave-not-64-bit"


class ProvisionKeyError(AttributesError):
    """PROVISION_KEY is set: the enclave may identify platforms."""

    code = "provision-key-allowed"


class LaunchKeyError(AttributesError):
    """EINITTOKEN_KEY is set: the enclave may let other enclaves launch."""

    code = "launch-key-allowed"


class ReservedBitsError(AttributesError):
    """A reserved bit or byte is set, whose meaning nobody here knows."""

    code = "reserved-bits-set"


class XfrmError(AttributesError):
    """The enclave may use processor features that no one has defined, or lacks the basic ones."""

    code = "xfrm-not-allowed"


class KeySharingConfigError(AttributesError):
    """The host configured the enclave at launch (KSS), which no measurement covers."""

    code = "kss-config-not-allowed"


class TdProfilingError(AttributesError):
    """The trust domain can be profiled by its host."""

    code = "td-profiling"


class TdMigratableError(AttributesError):
    """The trust domain can be migrated, so a service TD holds its keys."""

    code = "td-migratable"


class TdServiceExtensionError(AttributesError):
    """The trust domain accepts extended service TDs."""

    code = "td-service-extension"


class SeptVeDisableError(AttributesError):
    """SEPT_VE_DISABLE is clear: the host can interrupt the domain on its own memory."""

    code = "sept-ve-disable-clear"


class ServiceTdError(AttributesError):
    """A service TD is bound to the trust domain."""

    code = "service-td-bound"


class ModuleSignerError(AttributesError):
    """The TDX module was signed by somebody other than Intel."""

    code = "tdx-module-signer"


class ModuleAttributesError(AttributesError):
    """The TDX module's attributes are not those of a production module."""

    code = "tdx-module-attributes"


class MeasurementNotAllowedError(PolicyError):
    """The code identity is not among the policy's reference values."""

    code = "measurement-not-allowed"


class SignerNotAllowedError(PolicyError):
    """The enclave's signer is not the one of the allowed measurement."""

    code = "signer-not-allowed"


class ProductNotAllowedError(PolicyError):
    """The enclave's product id is not that of the allowed measurement."""

    code = "product-not-allowed"


class SecurityVersionError(PolicyError):
    """The enclave's security version is below that of the allowed measurement."""

    code = "security-version-too-low"


class ModuleNotAllowedError(PolicyError):
    """The TDX module (mr_seam) is not that of the allowed measurement."""

    code = "tdx-module-not-allowed"


class TdAttributesNotAllowedError(PolicyError):
    """td_attributes or xfam are not those of the allowed measurement."""

    code = "td-attributes-not-allowed"


class TdConfigNotAllowedError(PolicyError):
    """mr_config_id, mr_owner or mr_owner_config are not those of the allowed measurement."""

    code = "td-config-not-allowed"


class RtmrNotAllowedError(PolicyError):
    """A run-time measurement register is not that of the allowed measurement."""

    code = "rtmr-not-allowed"


class EvidenceTooOldError(PolicyError):
    """The evidence is older than the policy allows."""

    code = "evidence-too-old"


class BindingError(PolicyError):
    """The report_data binds another key, network or owner."""

    code = "binding-mismatch"


class BoundKeyError(BindingError):
    """The report_data binds a public key that is not canonical, or of small order."""

    code = "bound-key-refused"
