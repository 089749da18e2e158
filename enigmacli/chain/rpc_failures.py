"""What a node's refusal means: from CometBFT's error texts to our classes.

Clients everywhere match these texts (there are no numbers), so servers keep them. Sources:
cometbft v0.38 ``rpc/core``, ``mempool/errors.go``; the numbers given to mempool refusals are
those of cosmos-sdk ``client/broadcast.go``.
"""

from typing import Any, Final

from enigmacli.chain.sdk_codes import CODESPACE, SdkCode
from enigmacli.errors import (
    EnigmaError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)

_MEMPOOL: Final = (
    ("tx already exists in cache", SdkCode.TX_IN_MEMPOOL_CACHE),
    ("mempool is full", SdkCode.MEMPOOL_IS_FULL),
    ("tx too large", SdkCode.TX_TOO_LARGE),
)
_NOT_FOUND: Final = (
    ") not found",
    "must be less than or equal to the current blockchain height",
    "height must be greater than",
    "is not available, lowest height is",
    "could not find results for height",
)
_TIMED_OUT: Final = "timed out waiting for tx"
_OVERLOADED: Final = ("too many requests", "max_open_connections")
_MAX_TEXT: Final = 2000


def read_failure(error: Any) -> EnigmaError:
    """The exception for the ``error`` member of a JSON-RPC answer; its text is kept."""
    members = error if isinstance(error, dict) else {}
    parts = [str(members.get(name) or "") for name in ("message", "data")]
    text = ": ".join(part[:_MAX_TEXT] for part in parts if part) or "no reason given"
    lowered = text.lower()
    for fragment, code in _MEMPOOL:
        if fragment in lowered:
            details = {"codespace": CODESPACE, "code": int(code)}
            return TxRejectedError(parts[1][:_MAX_TEXT] or text, details=details)
    if any(fragment in lowered for fragment in _NOT_FOUND):
        return NotFoundError(parts[1][:_MAX_TEXT] or text)
    if _TIMED_OUT in lowered:
        return WaitTimeoutError(parts[1][:_MAX_TEXT] or text)
    if any(fragment in lowered for fragment in _OVERLOADED):
        return ServiceUnavailableError(f"the node is overloaded: {text}")
    return ServiceRefusedError(
        f"the node refused the call: {text}", details={"rpc_code": members.get("code")}
    )
