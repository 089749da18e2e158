import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from enigmacli.cli.interruption import orderly_interruption


@contextmanager
def handling_sigterm(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def serve_and_interrupt(stopped: threading.Event) -> None:
    """A service that looks every now and then whether it is to stop."""
    with orderly_interruption():
        os.kill(os.getpid(), signal.SIGINT)
        while not stopped.wait(timeout=0.01):
            pass


def test_an_interruption_reaches_the_service_as_a_request_to_stop() -> None:
    stopped = threading.Event()

    with handling_sigterm(lambda *_: stopped.set()), pytest.raises(KeyboardInterrupt):
        serve_and_interrupt(stopped)

    assert stopped.is_set()


def test_before_anything_listens_an_interruption_is_one_at_once() -> None:
    never = threading.Event()

    with handling_sigterm(signal.SIG_DFL), pytest.raises(KeyboardInterrupt):
        serve_and_interrupt(never)

    assert not never.is_set()


def test_without_an_interruption_nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGINT)

    with orderly_interruption():
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before


def test_a_failure_of_the_service_is_passed_on_and_restores_the_signal() -> None:
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(ValueError, match="broken"), orderly_interruption():
        raise ValueError("broken")

    assert signal.getsignal(signal.SIGINT) is before
