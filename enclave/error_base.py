"""The base of the trusted side's errors; :mod:`enclave.errors` has the whole family."""

from typing import ClassVar


class EnclaveError(Exception):
    """The trusted side refused; base of every error that may cross the boundary.

    Attributes:
        expected: what the failed rule wanted, empty where it makes no sense.
        seen: what was there instead, empty where it makes no sense.
    """

    code: ClassVar[str] = "enclave-refused"

    def __init__(self, message: str, *, expected: str = "", seen: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.seen = seen

    def __str__(self) -> str:
        """The message, with what was expected and seen behind it."""
        parts = [self.message]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.seen:
            parts.append(f"seen {self.seen}")
        return ", ".join(parts)


class EvidenceFormatError(EnclaveError):
    """Evidence is malformed: its bytes are not what they claim to be."""

    code = "evidence-malformed"


class QuoteFormatError(EvidenceFormatError):
    """A quote, or the quote body inside an IAS report, is malformed."""

    code = "quote-malformed"


class VerificationError(EnclaveError):
    """Evidence is not authentic."""

    code = "not-authentic"
