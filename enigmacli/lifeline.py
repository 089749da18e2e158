"""End this process when its standard input ends: how a child dies with its parent.

The parent holds the only write end of the pipe and never writes; whatever ends it, kill -9
included, closes the pipe.
"""

import os
import signal
import sys
import threading


def die_with_parent() -> None:
    """Send this process SIGTERM when standard input reaches its end."""
    threading.Thread(target=_wait_for_end, name="lifeline", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
