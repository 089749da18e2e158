"""The Cosmos SDK's error numbers, and the one error that carries them.

Source: cosmos-sdk, ``types/errors/errors.go``; codespace ``sdk``.
"""

from enum import IntEnum
from typing import Final

from enigmacli.errors import MalformedError

CODESPACE: Final = "sdk"


class SdkCode(IntEnum):
    """Why a transaction was refused, in the SDK's numbers."""

    TX_DECODE = 2
    UNAUTHORIZED = 4
    INSUFFICIENT_FUNDS = 5
    UNKNOWN_REQUEST = 6
    INVALID_ADDRESS = 7
    INVALID_PUBKEY = 8
    UNKNOWN_ADDRESS = 9
    INVALID_COINS = 10
    OUT_OF_GAS = 11
    MEMO_TOO_LARGE = 12
    INSUFFICIENT_FEE = 13
    TOO_MANY_SIGNATURES = 14
    NO_SIGNATURES = 15
    INVALID_REQUEST = 18
    TX_IN_MEMPOOL_CACHE = 19
    MEMPOOL_IS_FULL = 20
    TX_TOO_LARGE = 21
    KEY_NOT_FOUND = 22
    INVALID_HEIGHT = 26
    TX_TIMEOUT_HEIGHT = 30
    UNKNOWN_EXTENSION_OPTIONS = 31
    WRONG_SEQUENCE = 32
    LOGIC = 35
    NOT_SUPPORTED = 37
    NOT_FOUND = 38


class TxInvalidError(MalformedError):
    """A transaction that no state could make acceptable: its own bytes are wrong.

    Attributes:
        sdk_code: the SDK's number; ``TX_DECODE`` where the bytes cannot be read at all,
            another where they can and ask for something that is refused.
        rule: a stable name of the rule that failed; also ``details["rule"]``.
    """

    code = "tx-invalid"

    def __init__(self, rule: str, message: str, sdk_code: SdkCode = SdkCode.TX_DECODE) -> None:
        super().__init__(
            message, details={"rule": rule, "codespace": CODESPACE, "code": int(sdk_code)}
        )
        self.rule = rule
        self.sdk_code = sdk_code
