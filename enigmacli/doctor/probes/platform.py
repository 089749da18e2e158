"""Devices, CPU flags and programs for hardware enclaves.

Sources: Linux, Documentation/arch/x86/{sgx,tdx}.rst, and in Documentation/ABI/testing
configfs-tsm-report; Gramine, "SGX setup".
"""

import os
import shutil
from pathlib import Path
from typing import Final

from enigmacli.doctor.facts import Device, Platform
from enigmacli.doctor.subject import Subject

DEVICES: Final = ("dev/sgx_enclave", "dev/sgx_provision", "dev/tdx_guest")
PROGRAMS: Final = ("gramine-direct", "gramine-sgx", "is-sgx-available")

_TSM: Final = "sys/kernel/config/tsm/report"
_AESM: Final = "var/run/aesmd/aesm.socket"
_FLAGS: Final = frozenset({"sgx", "sgx_lc", "tdx_guest", "tdx_host_platform"})
_CPUINFO_BYTES: Final = 16 * 1024
"""The first processor's part is shorter."""
_METADATA: Final = "python3*/*-packages/graminelibos.dist-info/METADATA"
_METADATA_BYTES: Final = 4 * 1024


def probe(subject: Subject) -> Platform:
    """What this machine has."""
    root = subject.root
    programs = {name: path for name in PROGRAMS if (path := shutil.which(name))}
    return Platform(
        devices=tuple(
            Device(f"/{name}", usable=os.access(root / name, os.R_OK | os.W_OK))
            for name in DEVICES
            if (root / name).exists()
        ),
        has_tsm=(root / _TSM).is_dir(),
        cpu_flags=_cpu_flags(root / "proc/cpuinfo"),
        has_aesm=(root / _AESM).exists(),
        gramine=tuple(programs),
        gramine_version=next(filter(None, map(_version, programs.values())), ""),
    )


def _cpu_flags(cpuinfo: Path) -> frozenset[str]:
    try:
        with cpuinfo.open("rb") as file:
            text = file.read(_CPUINFO_BYTES).decode("ascii", "replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    flags = next((words for name, _, words in lines if name.strip() == "flags"), "")
    return _FLAGS & set(flags.split())


def _version(program: str) -> str:
    """Of the Python package that is installed with a program of Gramine; they have no option."""
    library = Path(program).resolve().parent.parent / "lib"
    for file in sorted(library.glob(_METADATA)):
        with file.open("rb") as opened:
            lines = opened.read(_METADATA_BYTES).decode("utf-8", "replace").splitlines()
        found = next((line for line in lines if line.startswith("Version:")), "")
        return found.removeprefix("Version:").strip()
    return ""
