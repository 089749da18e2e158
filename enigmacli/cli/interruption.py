"""How Ctrl-C ends a command that serves: in order, as SIGTERM does, and with exit code 130."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def orderly_interruption() -> Iterator[None]:
    """Turn SIGINT into SIGTERM for what runs inside, and into an interruption afterwards.

    Before the service inside listens for SIGTERM, nothing has to be stopped in order, and an
    interruption is one at once. For a process's main thread.

    Raises:
        KeyboardInterrupt: SIGINT came, and what runs inside has ended.
    """
    interrupted = False

    def pass_on(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt
