import math

import pytest

from enigmacli.attestation.retry import RetryPolicy, is_retryable, retry_after_s

POLICY = RetryPolicy(first_delay_s=0.5, longest_delay_s=8.0)


def test_the_pause_doubles_up_to_its_bound() -> None:
    pauses = [POLICY.delay_s(failures, jitter=1.0) for failures in range(1, 8)]

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_jitter_spreads_over_the_second_half_of_the_pause() -> None:
    assert POLICY.delay_s(3, jitter=0.0) == 1.0
    assert POLICY.delay_s(3, jitter=0.5) == 1.5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_overload_and_server_errors_may_pass(status: int) -> None:
    assert is_retryable(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 499, 600])
def test_nothing_else_passes_by_itself(status: int) -> None:
    assert not is_retryable(status)


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "9" * 400}, math.inf),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 10:00:30 GMT",
                "date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 09:00:00 GMT",
                "date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "١٢"}, 0.0),
        ({}, 0.0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(
    headers: dict[str, str], pause_s: float
) -> None:
    assert retry_after_s(headers) == pause_s
