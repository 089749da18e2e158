"""What can be fuzzed, and one run of it."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from tests.fuzz import check_tx, enclave_calls, json_rpc
from tests.fuzz.mutation import Outcome

Fuzzed = Callable[[Path, Random], AbstractContextManager[tuple[Outcome, Callable[[], None]]]]

TARGETS: Final = MappingProxyType[str, Fuzzed](
    {
        "enclave-calls": enclave_calls.fuzzed,
        "check-tx": check_tx.fuzzed,
        "json-rpc": json_rpc.fuzzed,
    }
)


def run(target: str, folder: Path, seed: int, *, most_s: float, most_inputs: int) -> Outcome:
    """Send one target inputs until the time is over or there are enough of them.

    Args:
        target: one of :data:`TARGETS`.
        folder: new, for its homes.
        seed: of the random choices; the same seed makes the same ones.
        most_s: seconds, start and end not counted.
        most_inputs: how many at most.
    """
    with TARGETS[target](folder, Random(seed)) as (outcome, step):  # noqa: S311 -- no secret
        ends_at = time.monotonic() + most_s
        while outcome.inputs < most_inputs and time.monotonic() < ends_at:
            step()
            if len(outcome.failures) > 20:
                break
    return outcome
