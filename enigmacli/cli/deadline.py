"""A limit on the time of all that a command does, whatever hangs: a server, an enclave, a disk."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class DeadlineError(BaseException):
    """The time is up. No :class:`Exception`, so that nothing on its way takes it for a failure."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what runs inside after ``seconds``, as an interruption would.

    For a process's main thread.

    Raises:
        DeadlineError: it took longer.
    """

    def end(*_: object) -> None:
        raise DeadlineError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
