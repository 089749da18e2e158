"""Why a transaction or query is refused: codespace, code and log line (protocol.md section 7)."""

from enum import IntEnum
from typing import Final

from enclave.errors import (
    BindingError,
    EnclaveError,
    EvidenceFormatError,
    EvidenceTooOldError,
    NotYetValidError,
    PolicyError,
    PublicKeyError,
    VerificationError,
)
from enigmacli.chain.results import TxResult
from enigmacli.chain.sdk_codes import CODESPACE, SdkCode, TxInvalidError

INTERNAL: Final = 1
"""Code of a bug, in codespace ``sdk`` (cosmossdk.io/errors, the code of undefined errors)."""


class RegisterCode(IntEnum):
    """Codespace ``register``."""

    NOT_AUTHENTIC = 2
    POLICY_REFUSES = 3
    NOT_FRESH = 4
    WRONG_BINDING = 5
    MALFORMED = 6
    OTHER_OWNER = 7
    NOT_REGISTERED = 8
    CONFIRM_NOT_ALLOWED = 9
    ENCLAVE_UNAVAILABLE = 10


class ValidatorCode(IntEnum):
    """Codespace ``validator``."""

    NOT_OPERATOR = 2
    NODE_NOT_REGISTERED = 3
    NODE_IN_USE = 4
    UNKNOWN_KEY = 5
    UNCHANGED = 6
    NONE_LEFT = 7
    LIMIT = 8


_CODESPACES: Final = {RegisterCode: "register", ValidatorCode: "validator", SdkCode: CODESPACE}

# in this order: the first that fits is the answer
_ENCLAVE_CODES: Final = (
    (NotYetValidError, RegisterCode.NOT_FRESH),
    (EvidenceTooOldError, RegisterCode.NOT_FRESH),
    (BindingError, RegisterCode.WRONG_BINDING),
    (PolicyError, RegisterCode.POLICY_REFUSES),
    (VerificationError, RegisterCode.NOT_AUTHENTIC),
    (EvidenceFormatError, RegisterCode.MALFORMED),
    (PublicKeyError, RegisterCode.MALFORMED),
)


class RefusedError(Exception):
    """The answer is a code, not a result.

    Attributes:
        code: of the codespace.
        codespace: ``sdk``, ``register`` or ``validator``.
    """

    def __init__(self, code: SdkCode | RegisterCode | ValidatorCode, log: str) -> None:
        super().__init__(log)
        self.code = int(code)
        self.codespace = _CODESPACES[type(code)]
        self.log = log

    def result(self, *, gas_wanted: int = 0, gas_used: int = 0) -> TxResult:
        """The result of a transaction that was refused for this."""
        return TxResult(
            code=self.code,
            codespace=self.codespace,
            log=self.log,
            gas_wanted=gas_wanted,
            gas_used=gas_used,
        )


def of_invalid(error: TxInvalidError) -> RefusedError:
    """The refusal of a transaction whose own bytes are wrong."""
    return RefusedError(error.sdk_code, f"{error.rule}: {error.message}")


def of_enclave(error: EnclaveError) -> RefusedError:
    """The refusal that an enclave's error amounts to; whatever is no verdict is unavailability."""
    log = f"{error.code}: {error}"
    for cls, code in _ENCLAVE_CODES:
        if isinstance(error, cls):
            return RefusedError(code, log)
    return RefusedError(RegisterCode.ENCLAVE_UNAVAILABLE, log)
