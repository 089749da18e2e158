"""Ten megabytes of hostile input against each parser of evidence: bounded, whatever it is."""

import time
from collections.abc import Iterator
from typing import Final

from bench.ratio import Ratio
from tests.fuzz.dcap_parsers import DCAP_PARSERS
from tests.fuzz.evidence_parsers import EVIDENCE_PARSERS
from tests.fuzz.hostile import HOSTILE, make_hostile

SIZE: Final = 10_000_000
MOST_MS: Final = 50.0
RUNS: Final = 3
PARSERS: Final = {**EVIDENCE_PARSERS, **DCAP_PARSERS}


def ratios() -> Iterator[Ratio]:
    slowest = max((_slowest(name) for name in PARSERS), key=lambda found: found[0])
    took_ms, name, kind = slowest
    yield Ratio(f"10 MB, worst parser ({name}, {kind}) / 50 ms", took_ms, MOST_MS, 1.0)


def _slowest(name: str) -> tuple[float, str, str]:
    """The kind of input that takes this parser longest; the best of a few runs of each."""
    parser = PARSERS[name]
    genuine = parser.genuine()[0]
    parser.try_on(genuine)
    found = []
    for kind in HOSTILE:
        data = make_hostile(kind, genuine, SIZE)
        took = []
        for _ in range(RUNS):
            started = time.process_time()
            parser.try_on(data)
            took.append(time.process_time() - started)
        found.append((min(took) * 1000, name, kind))
    return max(found)
