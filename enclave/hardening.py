"""What a plain process can do to keep its memory to itself; best effort, measure by measure.

None of it holds against root, and inside Gramine most of it does not exist: hardware
protects there. Sources: prctl(2), setrlimit(2), close_range(2).
"""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_FIRST_INHERITED: Final = 3


def harden(*, die_with_parent: bool) -> tuple[str, ...]:
    """Harden this process, before it opens anything of its own.

    Args:
        die_with_parent: be killed when the thread that started this process ends.

    Returns:
        The measures that took hold.
    """
    os.closerange(_FIRST_INHERITED, os.sysconf("SC_OPEN_MAX"))
    os.umask(0o077)
    wanted: dict[str, Callable[[], bool]] = {
        "no-core-dumps": _forbid_core_dumps,
        "not-dumpable": lambda: _prctl(_PR_SET_DUMPABLE, 0),
        "no-new-privileges": lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
    }
    if die_with_parent:
        wanted["dies-with-parent"] = lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return tuple(name for name, measure in wanted.items() if measure())


def _forbid_core_dumps() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return True


def _prctl(option: int, argument: int) -> bool:
    try:
        library = ctypes.CDLL(None)
        return int(library.prctl(option, argument, 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False
