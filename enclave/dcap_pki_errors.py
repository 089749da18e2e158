"""Why a certificate or revocation list of DCAP evidence is refused: a class for each rule."""

from enclave.dcap_errors import DcapVerificationError


class DcapCertificateError(DcapVerificationError):
    """A certificate is not fit for its place in the evidence."""

    code = "dcap-certificate"


class DcapCrlError(DcapVerificationError):
    """A revocation list is not fit for its place, or names a certificate of the evidence."""

    code = "dcap-crl"


# --- certificates ----------------------------------------------------------------------------


class DcapCertificateFormatError(DcapCertificateError):
    """A certificate or chain is not strict PEM and DER."""

    code = "dcap-certificate-malformed"


class DcapChainLengthError(DcapCertificateError):
    """A chain has too few or too many certificates."""

    code = "dcap-chain-length"


class DcapRootError(DcapCertificateError):
    """A chain does not end in a trusted root."""

    code = "dcap-root"


class DcapAlgorithmError(DcapCertificateError):
    """A certificate is signed by another algorithm than ECDSA with SHA-256."""

    code = "dcap-certificate-algorithm"


class DcapCertificateSignatureError(DcapCertificateError):
    """A certificate's signature is not its issuer's."""

    code = "dcap-certificate-signature"


class DcapIssuerNameError(DcapCertificateError):
    """A certificate names another issuer than the next one in its chain."""

    code = "dcap-certificate-issuer"


class DcapAuthorityKeyError(DcapCertificateError):
    """A certificate names another key of its issuer."""

    code = "dcap-certificate-authority-key"


class DcapKeyError(DcapCertificateError):
    """A certificate's key is not on P-256."""

    code = "dcap-certificate-key"


class DcapConstraintsError(DcapCertificateError):
    """A leaf is a CA certificate, or a CA certificate is none."""

    code = "dcap-certificate-ca"


class DcapPathLengthError(DcapCertificateError):
    """A CA certificate allows another length of path than its place in the chain."""

    code = "dcap-path-length"


class DcapKeyUsageError(DcapCertificateError):
    """A certificate's key is for another use."""

    code = "dcap-certificate-key-usage"


class DcapExtensionError(DcapCertificateError):
    """A certificate has a critical extension that is not understood."""

    code = "dcap-certificate-extension"


class PckRoleError(DcapCertificateError):
    """The quote's certificate is not a PCK certificate."""

    code = "dcap-pck-role"


class PckIssuerError(DcapCertificateError):
    """The PCK certificate was not issued by the Platform or Processor CA."""

    code = "dcap-pck-issuer"


class TcbSignerRoleError(DcapCertificateError):
    """A document is signed by another certificate than the TCB signing one."""

    code = "dcap-tcb-signer-role"


class TcbSignerExtensionError(DcapCertificateError):
    """The TCB signing certificate has an SGX extension, as only PCK certificates do."""

    code = "dcap-tcb-signer-sgx-extension"


class DcapCertificateTimeError(DcapCertificateError):
    """A certificate is not yet valid, or no longer."""

    code = "dcap-certificate-time"


# --- what the PCK certificate says -----------------------------------------------------------


class SgxExtensionError(DcapCertificateError):
    """The PCK certificate's SGX extension is missing or malformed."""

    code = "dcap-sgx-extension"


class CpuSvnError(DcapCertificateError):
    """CPUSVN and the 16 components of the PCK certificate differ."""

    code = "dcap-cpu-svn"


class FmspcError(DcapVerificationError):
    """TCB Info is about another FMSPC than the PCK certificate's."""

    code = "dcap-fmspc"


class PceIdError(DcapVerificationError):
    """TCB Info is about another PCE-ID than the PCK certificate's."""

    code = "dcap-pce-id"


# --- revocation lists ------------------------------------------------------------------------


class CrlFormatError(DcapCrlError):
    """A revocation list is not strict DER, or has entries or extensions of another form."""

    code = "dcap-crl-malformed"


class CrlIssuerError(DcapCrlError):
    """A revocation list was issued by another CA than the one whose certificates it covers."""

    code = "dcap-crl-issuer"


class CrlAuthorityKeyError(DcapCrlError):
    """A revocation list names another key of its issuer."""

    code = "dcap-crl-authority-key"


class CrlSignatureError(DcapCrlError):
    """A revocation list's signature is not its issuer's."""

    code = "dcap-crl-signature"


class CrlTimeError(DcapCrlError):
    """A revocation list is dated after the time of judgement, or has run out."""

    code = "dcap-crl-time"


class PckRevokedError(DcapCrlError):
    """The PCK certificate is revoked."""

    code = "dcap-pck-revoked"


class PckCaRevokedError(DcapCrlError):
    """The CA that issued the PCK certificate is revoked."""

    code = "dcap-pck-ca-revoked"


class TcbSignerRevokedError(DcapCrlError):
    """The TCB signing certificate is revoked."""

    code = "dcap-tcb-signer-revoked"
