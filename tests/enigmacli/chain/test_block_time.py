import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain.block_time import (
    SECOND_NS,
    ZERO_TIME_NS,
    format_time,
    from_timestamp,
    parse_time,
    to_timestamp,
)
from enigmacli.errors import MalformedError

LAST_NS = 253_402_300_800 * SECOND_NS - 1
times = st.integers(ZERO_TIME_NS, LAST_NS)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (ZERO_TIME_NS, "0001-01-01T00:00:00Z"),
        (1_767_000_000_120_000_000, "2025-12-29T09:20:00.12Z"),
        (1_767_000_001_123_456_789, "2025-12-29T09:20:01.123456789Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (LAST_NS, "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_time_is_written_without_trailing_zeros(time_ns: int, text: str) -> None:
    assert format_time(time_ns) == text
    assert parse_time(text) == time_ns


@given(times)
def test_reading_gives_what_was_written(time_ns: int) -> None:
    assert parse_time(format_time(time_ns)) == time_ns
    assert from_timestamp(to_timestamp(time_ns)) == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-12-29",
        "2025-12-29T09:20:00",
        "2025-12-29T09:20:00+00:00",
        "2025-12-29 09:20:00Z",
        "2025-02-30T09:20:00Z",
        "2025-12-29T24:00:00Z",
        "2025-12-29T09:20:60Z",
        "0000-12-29T09:20:00Z",
        "2025-12-29T09:20:00.Z",
        "2025-12-29T09:20:00.1234567890Z",
        "2025-12-29T09:20:00Z\n",
        "٢٠٢٥-12-29T09:20:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(0, -1), (0, SECOND_NS), (ZERO_TIME_NS // SECOND_NS - 1, 0), (253_402_300_800, 0)],
)
def test_a_timestamp_out_of_range_is_refused(seconds: int, nanos: int) -> None:
    message = to_timestamp(0)
    message.seconds, message.nanos = seconds, nanos

    with pytest.raises(MalformedError, match="out of range"):
        from_timestamp(message)
