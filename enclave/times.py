"""Instants: integer microseconds since the Unix epoch, UTC, and their RFC 3339 text.

Leap seconds are not told apart (POSIX time), so a text with second 60 is refused.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

US_PER_S: Final = 1_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)
_MICROSECOND: Final = timedelta(microseconds=1)
_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_rfc3339(text: str) -> int:
    """Microseconds of an RFC 3339 date-time; digits beyond microseconds are cut off.

    Raises:
        ValueError: ``text`` is not an RFC 3339 date-time with at most nine digits of fraction.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 date-time: {text[:64]!r}")
    date, clock, fraction, zone = match.groups()
    try:
        instant = datetime.fromisoformat(f"{date}T{clock}{zone.upper()}")
        whole = to_us(instant)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such date-time: {text[:64]!r}") from error
    return whole + int((fraction or "").ljust(6, "0")[:6])


def to_us(instant: datetime) -> int:
    """Microseconds since the Unix epoch of an aware date-time."""
    return (instant - _EPOCH) // _MICROSECOND


def format_rfc3339(at_us: int) -> str:
    """The shortest RFC 3339 text of an instant, in UTC.

    Args:
        at_us: microseconds since the Unix epoch, within the years 1 to 9999.

    Raises:
        ValueError: the instant is outside those years.
    """
    try:
        text = (_NAIVE_EPOCH + at_us * _MICROSECOND).isoformat()
    except OverflowError as error:
        raise ValueError(f"no date has {at_us} microseconds since 1970") from error
    return f"{text.rstrip('0') if '.' in text else text}Z"
