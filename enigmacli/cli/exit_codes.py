"""Which exit code belongs to which cause: a public contract, kept in one table.

0 done, 1 bug, 2 usage, 3 configuration or local state, 4 a service did not answer,
5 malformed or not authentic, 6 authentic but refused by policy, 7 the chain refused,
8 the enclave is unavailable or refused, 9 timed out waiting, 130 interrupted.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import enclave.errors as trusted
import enigmacli.errors as untrusted

DONE: Final = 0
BUG: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

EXIT_CODES: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        untrusted.ConfigError: 3,
        # what this home lacks or cannot store is local state, whichever process noticed it
        trusted.NoRegistrationKeyError: 3,
        trusted.NoSeedError: 3,
        trusted.StateBusyError: 3,
        trusted.StateWriteError: 3,
        untrusted.ServiceUnavailableError: 4,
        # a key, an address or a platform that the service does not accept: retrying never helps
        untrusted.ServiceRefusedError: 3,
        untrusted.MalformedError: 5,
        untrusted.UntrustedAnswerError: 5,
        trusted.EvidenceFormatError: 5,
        trusted.PolicyFormatError: 5,
        trusted.PublicKeyError: 5,
        trusted.VerificationError: 5,
        trusted.PolicyError: 6,
        untrusted.TxRejectedError: 7,
        untrusted.NotFoundError: 7,
        trusted.EnclaveError: 8,
        untrusted.WaitTimeoutError: 9,
        untrusted.EnigmaError: BUG,
    }
)
"""A base class of its own failures is a bug: every cause has a class of its own."""


MEANINGS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        0: ("done", "nothing"),
        1: ("a bug in this program", "report it with the file that the message names"),
        2: ("wrong usage", "look at the command's --help"),
        3: ("configuration or local state", "follow the hint"),
        4: ("a service did not answer", "try again"),
        5: ("malformed, or not authentic", "do not trust it"),
        6: ("authentic, but the policy refuses", "see the rule that the message names"),
        7: ("the chain refused, or does not know what was asked for", "see its code and log"),
        8: ("the enclave is unavailable or refused", "enigmacli enclave status"),
        9: ("timed out waiting", "run the same command again"),
        130: ("interrupted", "run the same command again"),
    }
)
"""What each exit code means, and what to do about it."""


def exit_code(error: Exception) -> int:
    """The code of the nearest listed ancestor of ``error``'s class; a bug where there is none."""
    return exit_code_of(type(error))


def exit_code_of(cls: type[Exception]) -> int:
    """As :func:`exit_code`, for a class."""
    return next((EXIT_CODES[one] for one in cls.__mro__ if one in EXIT_CODES), BUG)
