from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.times import format_rfc3339, parse_rfc3339


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-20T09:36:58Z", 1_795_167_418_000_000),
        ("2026-11-20t09:36:58z", 1_795_167_418_000_000),
        ("2026-11-20T10:36:58+01:00", 1_795_167_418_000_000),
        ("2026-11-20T09:36:58.5Z", 1_795_167_418_500_000),
        ("2026-11-20T09:36:58.123456789Z", 1_795_167_418_123_456),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ],
)
def test_reads_rfc_3339(text: str, at_us: int) -> None:
    assert parse_rfc3339(text) == at_us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20",
        "2026-11-20T09:36:58",
        "2026-11-20 09:36:58Z",
        "2026-11-20T09:36:60Z",
        "2026-02-29T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T09:36:58.Z",
        "2026-11-20T09:36:58.1234567890Z",
        "2026-11-20T09:36:58+25:00",
        "2026-11-20T09:36:58Z\n",
        "٢٠٢٦-11-20T09:36:58Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_refuses_what_is_not_rfc_3339(text: str) -> None:
    with pytest.raises(ValueError, match="date-time"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_795_167_418_500_000, "2026-11-20T09:36:58.5Z"),
        (1_795_167_418_000_000, "2026-11-20T09:36:58Z"),
    ],
)
def test_writes_the_shortest_fraction(at_us: int, text: str) -> None:
    assert format_rfc3339(at_us) == text


def test_refuses_to_write_what_no_calendar_has() -> None:
    with pytest.raises(ValueError, match="no date"):
        format_rfc3339(2**63 - 1)


@settings(deadline=None)  # the machine may be busy
@given(st.datetimes(timezones=st.just(UTC)))
def test_reading_what_was_written_gives_the_instant(instant: datetime) -> None:
    at_us = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)

    assert parse_rfc3339(format_rfc3339(at_us)) == at_us
