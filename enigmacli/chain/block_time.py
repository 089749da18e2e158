"""Block time: nanoseconds since the Unix epoch, in CometBFT's text and protobuf forms.

CometBFT writes RFC 3339 with up to nine digits of fraction, trailing zeros removed, in UTC;
Go's zero time is the first instant of year 1.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.errors import MalformedError

SECOND_NS: Final = 1_000_000_000

ZERO_TIME_NS: Final = -62_135_596_800 * SECOND_NS
"""Go's zero time, 0001-01-01T00:00:00Z; what an absent vote carries."""

_LAST_TIME_NS: Final = 253_402_300_800 * SECOND_NS  # the first instant of year 10000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", flags=re.ASCII
)


def format_time(time_ns: int) -> str:
    """RFC 3339 in UTC, trailing zeros of the fraction removed."""
    seconds, nanos = divmod(time_ns, SECOND_NS)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"


def parse_time(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time in UTC.

    Raises:
        MalformedError: ``text`` is not such a time.
    """
    found = _TEXT.fullmatch(text)
    if not found:
        raise MalformedError(f"{text[:40]!r} is no RFC 3339 time in UTC")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise MalformedError(f"{text[:40]!r} is no time that exists") from None
    since = moment - _EPOCH
    nanos = int((found[7] or "").ljust(9, "0"))
    return (since.days * 86_400 + since.seconds) * SECOND_NS + nanos


def to_timestamp(time_ns: int) -> Any:
    """A ``google.protobuf.Timestamp``."""
    seconds, nanos = divmod(time_ns, SECOND_NS)
    return protobuf.new("google.protobuf.Timestamp", seconds=seconds, nanos=nanos)


def from_timestamp(message: Any) -> int:
    """Nanoseconds since the epoch of a ``google.protobuf.Timestamp``.

    Raises:
        MalformedError: outside of years 1 to 9999, or the fraction is no fraction.
    """
    time_ns = int(message.seconds) * SECOND_NS + int(message.nanos)
    if not 0 <= message.nanos < SECOND_NS or not ZERO_TIME_NS <= time_ns < _LAST_TIME_NS:
        raise MalformedError("timestamp is out of range")
    return time_ns
