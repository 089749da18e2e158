"""``hardening``: what keeps other programs from the memory of the enclave's process?"""

from collections.abc import Iterator
from typing import Final

from enigmacli.doctor.checks import note, ok, warning
from enigmacli.doctor.facts import Facts, Hardening
from enigmacli.doctor.findings import Finding
from enigmacli.doctor.judgements.simulated import is_simulated

MEASURES: Final = ("no-core-dumps", "not-dumpable", "no-new-privileges", "dies-with-parent")
"""All that :mod:`enclave.hardening` can do."""

_KERNEL: Final = "use a newer kernel, or a container whose seccomp profile allows prctl"
_PTRACE: Final = "sudo sysctl kernel.yama.ptrace_scope=1"
_CORE: Final = "sudo sysctl kernel.core_pattern=core"
_SWAP: Final = "sudo swapoff -a, or encrypt the swap"
_KIB: Final = 1024


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the process layer; inside SGX or TDX the hardware protects, too."""
    seen = facts.hardening
    if seen is None:
        return
    yield _process(seen)
    yield _ptrace(seen)
    yield _core_files(seen)
    if not seen.swaps:
        yield ok("hardening.swap", "there is no swap")
    elif is_simulated(facts):
        yield note("hardening.swap", f"swap is on ({', '.join(seen.swaps)})", _SWAP)
    else:
        yield warning("hardening.swap", f"swap is on ({', '.join(seen.swaps)})", _SWAP)
    yield _unused(seen)


def _process(seen: Hardening) -> Finding:
    missing = [name for name in MEASURES if name not in seen.measures]
    if missing:
        words = f"this system refuses the enclave's process: {', '.join(missing)}"
        return warning("hardening.process", words, _KERNEL)
    return ok("hardening.process", ", ".join(seen.measures))


def _ptrace(seen: Hardening) -> Finding:
    if seen.ptrace_scope:
        return ok("hardening.ptrace", f"yama restricts tracing (ptrace_scope {seen.ptrace_scope})")
    words = "no yama" if seen.ptrace_scope is None else "yama's ptrace_scope is 0"
    if "not-dumpable" in seen.measures:
        return note(
            "hardening.ptrace", f"{words}; the enclave's process refuses by itself", _PTRACE
        )
    return warning("hardening.ptrace", f"{words}: this user's programs may read it", _PTRACE)


def _core_files(seen: Hardening) -> Finding:
    """A pattern that pipes to a program ignores the limit that no-core-dumps sets (core(5))."""
    if "not-dumpable" in seen.measures:
        return ok("hardening.core-files", "the enclave's process leaves none")
    if "no-core-dumps" in seen.measures and not seen.core_pattern.startswith("|"):
        return ok("hardening.core-files", "the enclave's process leaves none")
    words = f"the enclave's process may leave one (core_pattern {seen.core_pattern or 'unknown'})"
    return warning("hardening.core-files", words, _CORE)


def _unused(seen: Hardening) -> Finding:
    lock = seen.memlock_bytes
    memory = "memory locks" if lock is None else f"memory locks up to {lock // _KIB} KiB"
    names = ", ".join((*seen.offers, memory))
    return note("hardening.unused", f"offered here, not set up by the enclave's process: {names}")
