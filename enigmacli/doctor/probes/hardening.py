"""What the enclave's process can do for itself here, and what the kernel is set to."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from enclave import hardening
from enigmacli.doctor.facts import Hardening
from enigmacli.doctor.subject import Subject

_TRY: Final = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from enclave import hardening
print(json.dumps(hardening.harden(die_with_parent=True)))
"""
_TIMEOUT_S: Final = 5.0
_TEXT_BYTES: Final = 4 * 1024


def probe(subject: Subject) -> Hardening:
    """Try the enclave's own measures in a process of its own, and read the kernel's settings."""
    kernel = subject.root / "proc/sys/kernel"
    scope = _read(kernel / "yama/ptrace_scope")
    return Hardening(
        measures=_measures(),
        ptrace_scope=int(scope) if scope.isdigit() else None,
        core_pattern=_read(kernel / "core_pattern"),
        swaps=_swaps(_read(subject.root / "proc/swaps")),
        memlock_bytes=_memlock(),
        offers=_offers(subject.root),
    )


def _measures() -> tuple[str, ...]:
    """Those that took hold in a process that tried them; it ends at once."""
    package = Path(hardening.__file__).parent.parent
    ran = subprocess.run(
        (sys.executable, "-I", "-B", "-c", _TRY, str(package)),
        stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_TIMEOUT_S, cwd="/",
        env={"LANG": "C.UTF-8"},
    )  # fmt: skip
    return tuple(map(str, json.loads(ran.stdout)))


def _read(path: Path) -> str:
    """A setting's text; empty where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_TEXT_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _swaps(text: str) -> tuple[str, ...]:
    names = [line.split()[0] for line in text.splitlines()[1:] if line.split()]
    return tuple(name for name in names if not name.startswith("/dev/zram"))


def _memlock() -> int | None:
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if limit == resource.RLIM_INFINITY else limit


def _offers(root: Path) -> tuple[str, ...]:
    """What the kernel has that the enclave's process does not set up."""
    modules = _read(root / "sys/kernel/security/lsm").split(",")
    has = {
        "seccomp": (root / "proc/sys/kernel/seccomp/actions_avail").exists(),
        "landlock": "landlock" in modules,
    }
    return tuple(name for name, present in has.items() if present)
