"""One family of errors for the untrusted side; each class has a stable code.

The enclave's own family is :mod:`enclave.errors`. Which exit code belongs to which class
is the business of :mod:`enigmacli.cli.exit_codes`.
"""

from collections.abc import Mapping
from typing import Any


class EnigmaError(Exception):
    """An expected failure: a message for people, and what to do next.

    Attributes:
        hint: the next command or step, empty where there is none.
        details: further facts for ``-o json``, for example ``expected`` and ``seen``.
    """

    code: str = "error"

    def __init__(
        self, message: str, *, hint: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class ConfigError(EnigmaError):
    """Configuration or local state is missing, malformed or contradictory."""

    code = "config"


class HomeMissingError(ConfigError):
    """The home folder, or a file that should be in it, does not exist."""

    code = "home-missing"


class HomeBusyError(ConfigError):
    """Another process owns this home."""

    code = "home-busy"


class FileExistsAlreadyError(ConfigError):
    """A file that is never overwritten exists."""

    code = "file-exists"


class StorageError(ConfigError):
    """A file could not be read or written (permissions, disk full, read-only)."""

    code = "storage"


class GenesisError(ConfigError):
    """The genesis document is malformed or not the expected one."""

    code = "genesis"


class KeyringError(ConfigError):
    """An account key is missing, exists already, or does not open."""

    code = "keyring"


class PassphraseError(KeyringError):
    """The passphrase does not open the key."""

    code = "passphrase"


class NotBootstrappedError(ConfigError):
    """The genesis document carries no network keys yet."""

    code = "not-bootstrapped"


class SeedMissingError(ConfigError):
    """The enclave holds no seed of this network, so the node may not start."""

    code = "seed-missing"


class SeedMismatchError(ConfigError):
    """The enclave's seed is that of another network."""

    code = "seed-mismatch"


class TrustStoreCorruptError(ConfigError):
    """The file of verified headers is damaged."""

    code = "trust-store-corrupt"


class TrustExpiredError(ConfigError):
    """Every header that this home trusts is older than the trusting period."""

    code = "trust-expired"


class PortBusyError(ConfigError):
    """The address to listen on is taken or not ours."""

    code = "port-busy"


class ServiceUnavailableError(EnigmaError):
    """A service did not answer, or asked to come back later."""

    code = "service-unavailable"


class RateLimitedError(ServiceUnavailableError):
    """A service asked for fewer requests (HTTP status 429)."""

    code = "rate-limited"


class ServiceRefusedError(EnigmaError):
    """A service answered that it will not serve this request; retrying does not help."""

    code = "service-refused"


class PlatformUnknownError(ServiceRefusedError):
    """The collateral service does not know this platform, or keeps nothing for it."""

    code = "platform-unknown"


class CertificatesUnavailableError(ServiceRefusedError):
    """The caching service knows the platform, but has no certificate for its TCB (status 462)."""

    code = "certificates-unavailable"


class ServiceIntegrityError(ServiceRefusedError):
    """The caching service found that what it keeps cannot be verified (status 460)."""

    code = "service-integrity"


class EvaluationNumberGoneError(ServiceRefusedError):
    """Intel no longer serves documents of this TCB evaluation number (status 410)."""

    code = "evaluation-number-gone"


class MalformedError(EnigmaError):
    """Bytes from elsewhere are malformed."""

    code = "malformed"


class UntrustedAnswerError(EnigmaError):
    """An answer contradicts what was verified: the server lies or is another network's."""

    code = "untrusted-answer"


class ChainForkError(UntrustedAnswerError):
    """Executing a verified block gave another result than its header names."""

    code = "app-hash-mismatch"


class TxRejectedError(EnigmaError):
    """The chain refused the transaction.

    Args:
        message: what the chain said.
        rule: the code of the failed rule where the chain named one; it is the error's code then.
        hint: the next command or step.
        details: codespace, code and hash of the refusal.
    """

    code = "tx-rejected"

    def __init__(
        self,
        message: str,
        *,
        rule: str = "",
        hint: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.code = rule or self.code


class InsufficientFundsError(TxRejectedError):
    """The account cannot pay; found out before anything was sent."""

    code = "insufficient-funds"


class NotFoundError(EnigmaError):
    """The chain does not know what was asked for."""

    code = "not-found"


class NotRegisteredError(NotFoundError):
    """The chain knows no node of that registration key."""

    code = "not-registered"


class WaitTimeoutError(EnigmaError):
    """What was waited for did not happen before the deadline."""

    code = "timed-out"
