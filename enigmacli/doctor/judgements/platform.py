"""``platform``: is there hardware for enclaves, and what runs on it?"""

from collections.abc import Iterator
from typing import Final

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts, Platform
from enigmacli.doctor.findings import Finding
from enigmacli.doctor.judgements.simulated import is_simulated

_ENABLE: Final = (
    "enable SGX or TDX in the BIOS, with Linux 5.11 or newer; then: ls /dev/sgx_enclave"
)
_JOIN_GROUPS: Final = "sudo usermod -aG sgx,sgx_prv $USER, then log in again"
_AESM: Final = "install sgx-aesm-service, then: sudo systemctl start aesmd"
_GRAMINE: Final = "install gramine from its project's packages"


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the hardware; in simulation nothing of it is needed."""
    platform = facts.platform
    if platform is None:
        return
    simulated = is_simulated(facts)
    yield _tee(platform, simulated=simulated)
    if closed := [device.path for device in platform.devices if not device.usable]:
        seen = f"this user may not open {', '.join(closed)}"
        yield _needed("platform.access", seen, _JOIN_GROUPS, simulated=simulated)
    elif platform.devices:
        yield ok("platform.access", "this user may open every device")
    if any("sgx" in device.path for device in platform.devices):
        if platform.has_aesm:
            yield ok("platform.aesm", "its socket is there")
        else:
            seen = "/var/run/aesmd/aesm.socket is missing"
            yield _needed("platform.aesm", seen, _AESM, simulated=simulated)
    if platform.gramine:
        names = f"{', '.join(platform.gramine)} {platform.gramine_version}".rstrip()
        yield ok("platform.gramine", names)
    else:
        yield _needed("platform.gramine", "it is not on PATH", _GRAMINE, simulated=simulated)


def _needed(check: str, seen: str, hint: str, *, simulated: bool) -> Finding:
    if simulated:
        return note(check, f"{seen}; simulation needs none of it")
    return warning(check, seen, hint)


def _tee(platform: Platform, *, simulated: bool) -> Finding:
    names = [device.path for device in platform.devices]
    names += ["configfs-tsm"] if platform.has_tsm else []
    flags = ", ".join(sorted(platform.cpu_flags))
    if names:
        return ok("platform.tee", f"{', '.join(names)}{f' (CPU: {flags})' if flags else ''}")
    seen = f"the CPU has {flags}, and there is no device" if flags else "no SGX or TDX device"
    if simulated:
        return note("platform.tee", f"{seen}; simulation needs none")
    return error("platform.tee", seen, _ENABLE)
