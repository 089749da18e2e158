"""How Ctrl-C ends a command that serves: in order, as SIGTERM does, and with exit code 130."""

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def orderly_interruption() -> Iterator[None]:
    """Turn SIGINT into SIGTERM for what runs inside, and into an interruption afterwards.

    SIGINT is blocked, so processes started inside do not die of a Ctrl-C on the terminal
    before the service that needs them has stopped.

    Raises:
        KeyboardInterrupt: SIGINT came, and what runs inside has ended.
    """
    interrupted, left = threading.Event(), threading.Event()

    def wait() -> None:
        signal.sigwait({signal.SIGINT})
        if left.is_set():
            return
        interrupted.set()
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            _thread.interrupt_main()  # nothing listens yet, so nothing has to be stopped
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiter = threading.Thread(target=wait, name="interruption", daemon=True)
    waiter.start()
    try:
        yield
    finally:
        left.set()
        if waiter.is_alive() and waiter.ident is not None:
            signal.pthread_kill(waiter.ident, signal.SIGINT)  # ends its wait
            waiter.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if interrupted.is_set():
        raise KeyboardInterrupt
