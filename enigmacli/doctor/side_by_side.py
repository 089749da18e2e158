"""Run several things at once, and give up on those that do not end in time."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_PATIENCE_S: Final = 0.001
"""What is left for an answer that lies ready when the time is up."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came back, and what did not."""

    found: dict[str, T]
    faults: dict[str, str]
    """Why something gave nothing."""


def run(tasks: Mapping[str, Callable[[], T]], limit_s: float) -> Outcome[T]:
    """The results of ``tasks``, each run in a thread of its own.

    Whatever a task raises is its fault and nobody else's. A thread that is given up is a
    daemon's: neither this function nor the end of the program waits for it.
    """
    answers: SimpleQueue[tuple[str, T | None, str]] = SimpleQueue()
    for name, task in tasks.items():
        arguments = (name, task, answers)
        threading.Thread(target=_answer, args=arguments, name=name, daemon=True).start()
    got: Outcome[T] = Outcome({}, {})
    deadline = time.monotonic() + limit_s
    while len(got.found) + len(got.faults) < len(tasks):
        try:
            name, value, fault = answers.get(timeout=max(deadline - time.monotonic(), _PATIENCE_S))
        except Empty:
            break
        if value is None:
            got.faults[name] = fault
        else:
            got.found[name] = value
    late = sorted(tasks.keys() - got.found.keys() - got.faults.keys())
    got.faults.update(dict.fromkeys(late, f"it did not end within {limit_s:g} s"))
    return got


def _answer(
    name: str, task: Callable[[], T], answers: "SimpleQueue[tuple[str, T | None, str]]"
) -> None:
    try:
        answers.put((name, task(), "it found nothing"))
    except Exception as error:  # noqa: BLE001 -- whatever it is becomes a finding
        answers.put((name, None, str(error) or type(error).__name__))
