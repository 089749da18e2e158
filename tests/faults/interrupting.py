"""^C, or a reader of the output that goes away, at a random moment; then the same command again.

As a strike of :mod:`tests.faults.killing`, but what ends the first run is polite: ^C reaches every
process of the terminal's group and is exit code 130, a closed pipe is a silent end; neither
shows a traceback.
"""

import os
import random
import signal
import subprocess
import time
from dataclasses import replace
from typing import Final

from tests.faults.killing import (
    NOBODY,
    PATIENCE_S,
    Pace,
    Running,
    Strike,
    Trial,
    let_stop,
    run_again,
    serve_again,
)

INTERRUPT: Final = "^C"
PIPE: Final = "SIGPIPE"
MANNERS: Final = (INTERRUPT, PIPE)

_INTERRUPTED: Final = 130
_OUR_FILES: Final = ("/enigmacli/", "/enclave/")


def interrupt(
    name: str, trial: Trial, pace: Pace, generator: random.Random, manner: str = ""
) -> Strike:
    """Run, interrupt at a moment of its usual duration, run again, look at what is left.

    Args:
        name: of the command.
        trial: the command line, and what must hold afterwards.
        pace: how long it usually takes.
        generator: draws the moment, and the manner where none is given.
        manner: one of MANNERS.
    """
    manner = manner or generator.choice(MANNERS)
    struck = Strike(name, manner, round(pace.draw(generator), 3), 0, 0)
    try:
        first = _interrupted if manner == INTERRUPT else _unread
        struck, told = first(struck, trial)
        struck = serve_again(struck, trial, told) if trial.ready else run_again(struck, trial)
        return struck if struck.faults else struck.but(*trial.check())
    except (subprocess.TimeoutExpired, TimeoutError, AssertionError) as error:
        return struck.but(str(error)[-1500:])


def _interrupted(struck: Strike, trial: Trial) -> tuple[Strike, int]:
    """^C for the whole group of processes, as a terminal sends it."""
    with Running(trial.arguments, alone=True) as first:
        is_late = _ends_within(first, struck.after_s)
        if not is_late:
            os.killpg(first.process.pid, signal.SIGINT)
        code, complaint = first.process.wait(PATIENCE_S), first.complaint()
        done = replace(struck, first_exit=code)
        if is_late or code == 0 or _before_the_program(code, complaint):
            done = replace(done, victim=NOBODY)
        elif code != _INTERRUPTED:
            done = done.but(f"after ^C: exit {code}: {complaint}")
        elif "Traceback" in complaint:
            done = done.but(f"after ^C: {complaint}")
        return done, first.told_height()


def _before_the_program(code: int, complaint: str) -> bool:
    """Whether Python itself was still starting, where no program has a say."""
    if code == -signal.SIGINT and not complaint:
        return True
    return "Traceback" in complaint and not any(one in complaint for one in _OUR_FILES)


def _unread(struck: Strike, trial: Trial) -> tuple[Strike, int]:
    """The reader of standard output goes away."""
    reader, writer = os.pipe()
    try:
        with Running(trial.arguments, stdout=writer) as first:
            os.close(writer)
            is_late = _ends_within(first, struck.after_s)
            os.close(reader)
            if trial.ready:
                let_stop(first)
            code, complaint = first.process.wait(PATIENCE_S), first.complaint()
    except BaseException:
        for descriptor in (reader, writer):
            _close(descriptor)
        raise
    done = replace(struck, first_exit=code, victim=NOBODY if is_late else struck.victim)
    stopped = (0, -signal.SIGTERM)
    if "Traceback" in complaint or '"bug"' in complaint or code not in stopped:
        done = done.but(f"after a closed pipe: exit {code}: {complaint}")
    return done, 0


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return


def _ends_within(running: Running, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            return True
        time.sleep(0.005)
    return running.process.poll() is not None
