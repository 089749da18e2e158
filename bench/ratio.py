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

    @property
    def is_kept(self) -> bool:
        return self.promised is None or self.value <= self.promised

    def line(self) -> str:
        bound = "" if self.promised is None else f"promised at most {self.promised}"
        mark = "" if self.is_kept else "  EXCEEDED"
        return (
            f"{self.name:<58} {self.ours_ms:9.3f} ms {self.raw_ms:9.3f} ms"
            f" {self.value:6.2f}  {bound}{mark}"
        )


def measure(
    name: str,
    ours: Callable[[], object],
    raw: Callable[[], object],
    *,
    runs: int,
    promised: float | None = None,
    clock: Callable[[], float] = time.process_time,
) -> Ratio:
    """Both in turn, ``runs`` times each, after one run to warm up.

    By default the processor's time, which other work on the machine does not lengthen.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for work, into in zip((ours, raw), times, strict=True):
            started = clock()
            work()
            if turn:
                into.append((clock() - started) * 1000)
    return Ratio(name, statistics.median(times[0]), statistics.median(times[1]), promised)
