import pytest

from enigmacli.simulated_intel.rate_limit import RateLimit


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    limit = RateLimit(per_minute=3)

    assert [limit.take(100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limit.take(100.0) == pytest.approx(20.0)
    assert limit.take(110.0) == pytest.approx(10.0)
    assert limit.take(120.0) == 0.0
    assert limit.take(120.0) == pytest.approx(20.0)


def test_a_long_pause_saves_up_one_burst_only() -> None:
    limit = RateLimit(per_minute=2)
    limit.take(0.0)

    passed = [limit.take(1e9) for _ in range(3)]

    assert passed == [0.0, 0.0, pytest.approx(30.0)]
