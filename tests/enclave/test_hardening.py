"""Each measure in a process of its own, since none can be taken back."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]

_PROBE: Final = """\
import ctypes, json, os, resource, sys
sys.path.insert(0, sys.argv[1])
from enclave.hardening import harden
open_before = os.open("/", os.O_RDONLY)
held = harden(die_with_parent=sys.argv[2] == "yes")
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
libc = ctypes.CDLL(None)
signal = ctypes.c_int()
libc.prctl(2, ctypes.byref(signal), 0, 0, 0)
try:
    os.fstat(open_before)
    closed = False
except OSError:
    closed = True
print(json.dumps({
    "held": held,
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": libc.prctl(3, 0, 0, 0, 0),
    "no_new_privs": status["NoNewPrivs"].strip(),
    "death_signal": signal.value,
    "closed": closed,
    "umask": os.umask(0),
}))
"""


def probe(die_with_parent: str) -> dict[str, Any]:
    command = [sys.executable, "-I", "-B", "-c", _PROBE, str(ROOT), die_with_parent]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=30)
    seen: dict[str, Any] = json.loads(answer.stdout)
    return seen


def test_every_measure_takes_hold() -> None:
    seen = probe("yes")

    assert seen == {
        "held": ["no-core-dumps", "not-dumpable", "no-new-privileges", "dies-with-parent"],
        "core": [0, 0],
        "dumpable": 0,
        "no_new_privs": "1",
        "death_signal": 9,
        "closed": True,
        "umask": 0o077,
    }


def test_dies_with_its_parent_only_on_request() -> None:
    seen = probe("no")

    assert seen["death_signal"] == 0
    assert "dies-with-parent" not in seen["held"]
