"""The program's entry point, under both of its names and as ``python -m enigmacli``."""

import os
import signal
import sys
from contextlib import suppress

_INTERRUPTED = 130


def main() -> None:
    """Run the program; an interruption at any moment ends it with one line and no traceback.

    While modules are loaded, and when the result is decided on, there is nothing to put in order.
    """
    try:
        from enigmacli.cli import main as run  # noqa: PLC0415 -- loading takes time, too

        try:
            run()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sys.__stderr__ is not None:
            with suppress(OSError):
                os.write(sys.__stderr__.fileno(), b"enigmacli: error: interrupted\n")
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
