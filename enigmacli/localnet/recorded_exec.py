"""Become another program that holds a lock for as long as it lives, and has said who it is.

Run as a script, ``recorded_exec.py RECORD PROGRAM ARGUMENT...``: the record is written by the
process that it is about, under the lock that it will hold, so whoever started it may be killed
at any moment. The lock survives execve; the program's own children do not inherit it.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

_PATIENCE_S = 2.0  # whoever looks holds the lock for a moment
_POLL_S = 0.01
_STARTED_FIELD = 19  # of /proc/PID/stat behind the name, proc_pid_stat(5)


def main() -> None:
    """Record this process, and become the program."""
    record, program = sys.argv[1], sys.argv[2:]
    descriptor = os.open(record, os.O_RDWR | os.O_CREAT, 0o600)
    _lock(descriptor)
    stat = Path("/proc/self/stat").read_text(encoding="utf-8")
    started = int(stat.rpartition(")")[2].split()[_STARTED_FIELD])
    document = json.dumps({"pid": os.getpid(), "started": started}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, document, 0)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 -- its signature
    os.execv(program[0], program)  # noqa: S606 -- the whole purpose


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit("it is running already")
            time.sleep(_POLL_S)
        else:
            return


if __name__ == "__main__":
    main()
