"""Why a DCAP quote or its documents are malformed or not authentic: a class for each rule.

:mod:`enclave.errors` knows them all, so their codes are found there; docs/dcap.md lists the
rules with their sources.
"""

from enclave.error_base import EvidenceFormatError, QuoteFormatError, VerificationError


class DcapDocumentError(EvidenceFormatError):
    """A signed document does not have the form of Intel's API version 4."""

    code = "dcap-document"


class DcapVerificationError(VerificationError):
    """DCAP evidence is not authentic."""

    code = "dcap-not-authentic"


# --- the quote's own frame -------------------------------------------------------------------


class QuoteVersionError(QuoteFormatError):
    """No quote of this version and TEE type is judged: SGX has version 3, TDX 4 and 5."""

    code = "quote-version"


class QuoteLengthError(QuoteFormatError):
    """A quote is longer or shorter than its own sizes say; padding counts as longer."""

    code = "quote-length"


class QuoteKeyTypeError(QuoteFormatError):
    """The attestation key is not of type 2, ECDSA on P-256."""

    code = "quote-key-type"


class QuoteCertificationError(QuoteFormatError):
    """The certification data is of another type than a PCK certificate chain."""

    code = "quote-certification-data"


class QuoteAuthDataError(QuoteFormatError):
    """The quoting enclave's authentication data has another length than 32 bytes."""

    code = "quote-auth-data"


# --- the collateral's form -------------------------------------------------------------------


class TcbInfoFormatError(EvidenceFormatError):
    """TCB Info is signed, and malformed all the same."""

    code = "tcb-info-malformed"


class QeIdentityFormatError(EvidenceFormatError):
    """QE Identity is signed, and malformed all the same."""

    code = "qe-identity-malformed"


# --- members of the documents ----------------------------------------------------------------


class UnknownMemberError(DcapDocumentError):
    """A document has a member that Intel's API version 4 does not define."""

    code = "dcap-unknown-member"


class TcbInfoIdError(DcapDocumentError):
    """TCB Info is about the other TEE."""

    code = "dcap-tcb-info-id"


class TcbInfoVersionError(DcapDocumentError):
    """TCB Info is not of version 3."""

    code = "dcap-tcb-info-version"


class TcbTypeError(DcapDocumentError):
    """TCB Info compares levels by another method than type 0."""

    code = "dcap-tcb-type"


class TcbComponentsError(DcapDocumentError):
    """A TCB level does not have 16 components of one byte each."""

    code = "dcap-tcb-components"


class TcbLevelOrderError(DcapDocumentError):
    """There are no TCB levels, or they do not fall from the highest to the lowest."""

    code = "dcap-tcb-level-order"


class TcbStatusError(DcapDocumentError):
    """A TCB level has a status that Intel does not use there."""

    code = "dcap-tcb-status-unknown"


class QeIdentityIdError(DcapDocumentError):
    """QE Identity is about another enclave than the TEE's quoting enclave."""

    code = "dcap-qe-identity-id"


class QeIdentityVersionError(DcapDocumentError):
    """QE Identity is of another version."""

    code = "dcap-qe-identity-version"


class DocumentDatesError(DcapDocumentError):
    """A document's nextUpdate is not after its issueDate."""

    code = "dcap-document-dates"


# --- the collateral as a whole ---------------------------------------------------------------


class CollateralTeeError(DcapVerificationError):
    """The collateral is for the other TEE."""

    code = "dcap-collateral-tee"


class TcbInfoSignatureError(DcapVerificationError):
    """TCB Info's signature does not verify over its exact bytes."""

    code = "dcap-tcb-info-signature"


class QeIdentitySignatureError(DcapVerificationError):
    """QE Identity's signature does not verify over its exact bytes."""

    code = "dcap-qe-identity-signature"


class TcbInfoTimeError(DcapVerificationError):
    """TCB Info is dated after the time of judgement, or has run out."""

    code = "dcap-tcb-info-time"


class QeIdentityTimeError(DcapVerificationError):
    """QE Identity is dated after the time of judgement, or has run out."""

    code = "dcap-qe-identity-time"


class EvaluationNumbersError(DcapVerificationError):
    """TCB Info and QE Identity are of two evaluation data sets."""

    code = "dcap-evaluation-numbers"


class ValidityDisjointError(DcapVerificationError):
    """Parts of the evidence were never valid at one time."""

    code = "dcap-validity-disjoint"


# --- the quoting enclave ---------------------------------------------------------------------


class VendorError(DcapVerificationError):
    """The quote's header names another vendor of the quoting enclave than Intel."""

    code = "dcap-qe-vendor"


class QeReportSignatureError(DcapVerificationError):
    """The quoting enclave's report is not signed by the PCK."""

    code = "dcap-qe-report-signature"


class AttestationKeyBindingError(DcapVerificationError):
    """The quoting enclave's report binds another attestation key."""

    code = "dcap-attestation-key-binding"


class QeReportTailError(DcapVerificationError):
    """The second half of the quoting enclave's report_data is not zero."""

    code = "dcap-qe-report-data-tail"


class QeSignerError(DcapVerificationError):
    """The quoting enclave has another signer than QE Identity says."""

    code = "dcap-qe-mr-signer"


class QeProductError(DcapVerificationError):
    """The quoting enclave has another product id than QE Identity says."""

    code = "dcap-qe-product"


class QeMiscSelectError(DcapVerificationError):
    """The quoting enclave's MISCSELECT is not what QE Identity says."""

    code = "dcap-qe-misc-select"


class QeAttributesError(DcapVerificationError):
    """The quoting enclave's attributes are not what QE Identity says."""

    code = "dcap-qe-attributes"


class QeDebugError(DcapVerificationError):
    """The quoting enclave can be debugged, so its keys are open to its host."""

    code = "dcap-qe-debug"


# --- the quote -------------------------------------------------------------------------------


class AttestationKeyError(DcapVerificationError):
    """The attestation key is no point of P-256."""

    code = "dcap-attestation-key"


class SignatureRangeError(DcapVerificationError):
    """A signature's r or s is zero, or not below the order of P-256."""

    code = "dcap-signature-range"


class QuoteSignatureError(DcapVerificationError):
    """The quote's signature does not verify over its exact bytes."""

    code = "dcap-quote-signature"


class EngineRefusedError(DcapVerificationError):
    """The verification library refuses what passed every check of ours."""

    code = "dcap-engine-refused"


class EngineDisagreesError(DcapVerificationError):
    """The verification library reads another TCB status or other advisories."""

    code = "dcap-engine-disagrees"
