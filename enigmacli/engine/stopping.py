"""How every wait of a node ends when the node is told to stop."""

import threading


class StoppedError(Exception):
    """The node was told to stop; not a failure, so not of the family of errors."""


def sleep_until_stopped(stop: threading.Event, seconds: float) -> None:
    """Let ``seconds`` pass.

    Raises:
        StoppedError: the node was told to stop meanwhile.
    """
    if stop.wait(seconds):
        raise StoppedError
