"""``python -m bench.network``: latency, throughput and flood of real networks, as one table.

It needs CometBFT, eight minutes, and a machine with nothing else to do. Everything is a ratio
within one run. The table is Markdown, for ``docs/performance.md``; exit code 1 where a promise
is not kept.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import network_flood, network_latency, network_throughput
from bench.network_flood import Flood
from bench.network_latency import Latency
from bench.network_newcomers import Newcomer
from bench.network_prepared import running
from bench.network_throughput import Throughput

TIMEOUT_COMMIT_S: Final = {4: 1.0, 10: 2.0}
"""By validators: several times what a round of as many processes takes on two cores."""
MOST_BLOCKS: Final = 2.0
LEAST_SHARE: Final = 0.6
MOST_MS: Final = 2.0
MOST_INTERVALS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    measure: str
    result: str
    promise: str = ""
    is_kept: bool = True

    def line(self) -> str:
        kept = "" if not self.promise else "yes" if self.is_kept else "**no**"
        return f"| {self.measure} | {self.result} | {self.promise} | {kept} |"


def main() -> int:
    """Measure everything, print the table."""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    quiet = "" if load < cores / 2 else ", **not quiet**"
    _say(f"{cores} cores, load {load:.1f} before{quiet}\n")
    _say("| measure | result | promise | kept |\n|---|---|---|---|")
    rows = []
    for validators, timeout_commit_s in TIMEOUT_COMMIT_S.items():
        rows += _told(_latency(network_latency.measure(validators, timeout_commit_s)))
    alone, flood = _one_validator()
    rows += _told([_throughput(alone, promised=True), *_flood(flood)])
    rows += _told([_throughput(network_throughput.measure(4), promised=False)])
    return 0 if all(row.is_kept for row in rows) else 1


def _one_validator() -> tuple[Throughput, Flood]:
    """Both on one network of one validator."""
    people = [Newcomer(number) for number in range(network_throughput.REGISTRATIONS + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="enigma-bench-") as name,
        running(Path(name) / "net", 1, people,
                block_interval_s=network_throughput.BLOCK_INTERVAL_S,
                registrations_per_block=network_throughput.PER_BLOCK) as prepared,
    ):  # fmt: skip
        throughput = network_throughput.measure_on(prepared, people[:-1])
        return throughput, network_flood.measure(prepared, people[-1])


def _latency(found: Latency) -> list[Row]:
    interval = f"interval {found.interval_s:.2f} s, timeout_commit {found.timeout_commit_s:g} s"
    p50, p95 = found.blocks(0.5), found.blocks(0.95)
    name = f"join, {found.validators} validators, {len(found.seconds)} newcomers"
    return [
        Row(f"{name}: p50", f"{p50:.2f} blocks ({interval})", f"at most {MOST_BLOCKS:g} blocks",
            p50 <= MOST_BLOCKS),
        Row(f"{name}: p95", f"{p95:.2f} blocks"),
    ]  # fmt: skip


def _throughput(found: Throughput, *, promised: bool) -> Row:
    return Row(
        f"registrations in full blocks, validators: {found.validators}",
        f"{found.share:.0%} of one enclave process ({found.chain_per_s:.0f} of "
        f"{found.alone_per_s:.0f} a second; {found.full_blocks} blocks of {found.per_block}, "
        f"{found.interval_s:.2f} s each)",
        f"at least {LEAST_SHARE:.0%}" if promised else "",
        not promised or found.share >= LEAST_SHARE,
    )


def _flood(found: Flood) -> list[Row]:
    by_kind = ", ".join(f"{name} {took:.2f}" for name, took in found.answered_ms.items())
    most = f"below {MOST_MS:g} ms"
    return [
        Row(f"{found.count} refused registrations: processor's time of node and judge, each",
            f"{found.node_ms:.2f} ms", most, found.node_ms < MOST_MS),
        Row("the same: until the sender has its answer, mean", f"{by_kind} ms", most,
            found.worst_ms < MOST_MS),
        Row("the same: longest time between two blocks",
            f"{found.intervals:.2f} intervals ({found.longest_interval_s:.2f} s, usually "
            f"{found.usual_interval_s:.2f} s)", f"at most {MOST_INTERVALS:g} intervals",
            found.intervals <= MOST_INTERVALS),
    ]  # fmt: skip


def _told(rows: list[Row]) -> list[Row]:
    for row in rows:
        _say(row.line())
    return rows


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
