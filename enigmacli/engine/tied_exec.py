"""Become another program that is killed as soon as this one's parent ends.

Run as a script, ``tied_exec.py PARENT_PID PROGRAM ARGUMENT...``: a program that knows nothing
of its parent cannot be asked to watch it. The wish survives execve (prctl(2),
PR_SET_PDEATHSIG); it is about the thread that started this process, so that must be a main
thread.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("cannot be tied to the parent process")
    if os.getppid() != parent:
        sys.exit("the parent process ended already")
    os.execv(program, sys.argv[2:])  # noqa: S606 -- the whole purpose


if __name__ == "__main__":
    main()
