"""The program's entry point, under both of its names and as ``python -m enigmacli``."""

import os
import signal
import sys
from contextlib import suppress
from typing import Final

from enigmacli.arguments import asks_json

_INTERRUPTED: Final = 130
_LINE: Final = b"enigmacli: error: interrupted\n"
_DOCUMENT: Final = (
    b'{"error":{"code":"interrupted","message":"interrupted","hint":"","details":{}}}\n'
)
"""As :mod:`enigmacli.cli.boundary` prints it, which may not be loaded yet."""


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
                said = _DOCUMENT if asks_json(sys.argv[1:]) else _LINE
                os.write(sys.__stderr__.fileno(), said)
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
