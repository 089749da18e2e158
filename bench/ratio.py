"""How two ways of doing something compare: medians of interleaved runs on this machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """``ours_ms`` against ``raw_ms``; ``promised`` is the bound that the project names."""

    name: str
    ours_ms: float
    raw_ms: float
    promised: float | None = None

    @property
    def value(self) -> float:
        return self.ours_ms / self.raw_ms

    def line(self) -> str:
        bound = "" if self.promised is None else f"promised below {self.promised}"
        mark = "" if self.promised is None or self.value < self.promised else "  EXCEEDED"
        return (
            f"{self.name:<46} {self.ours_ms:9.3f} ms {self.raw_ms:9.3f} ms"
            f" {self.value:6.2f}  {bound}{mark}"
        )


def measure(
    name: str,
    ours: Callable[[], object],
    raw: Callable[[], object],
    *,
    runs: int,
    promised: float | None = None,
) -> Ratio:
    """Both in turn, ``runs`` times each, after one run to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for work, into in zip((ours, raw), times, strict=True):
            started = time.perf_counter()
            work()
            if turn:
                into.append((time.perf_counter() - started) * 1000)
    return Ratio(name, statistics.median(times[0]), statistics.median(times[1]), promised)
