"""When to ask again: exponential back-off with jitter, within a deadline."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a client is; one deadline holds for a request and all its repetitions."""

    attempts: int = 5
    deadline_s: float = 60.0
    first_delay_s: float = 0.5
    longest_delay_s: float = 8.0
    longest_retry_after_s: float = 30.0
    """A service that asks for a longer pause is not waited for."""

    def delay_s(self, failures: int, jitter: float) -> float:
        """The pause after ``failures`` (from 1) failed attempts.

        Args:
            failures: how many attempts have failed.
            jitter: from 0 to 1; spreads clients over the second half of the pause.
        """
        whole = min(self.longest_delay_s, self.first_delay_s * 2.0 ** (failures - 1))
        return whole * (0.5 + jitter / 2)


def is_retryable(status: int) -> bool:
    """Whether an HTTP status says that the same request may succeed later."""
    return status == TOO_MANY_REQUESTS or status in _SERVER_ERRORS


def retry_after_s(headers: Mapping[str, str]) -> float:
    """The pause that an answer asks for (RFC 9110 sec. 10.2.3), 0 where it asks for none.

    A date is compared with the answer's own ``Date``, so no clock of ours matters.

    Args:
        headers: with names in lower case.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text) if len(text) < len("1000000000") else math.inf
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return 0.0
