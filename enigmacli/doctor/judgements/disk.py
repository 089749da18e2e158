"""``disk``: room, kind of file system, durability."""

from collections.abc import Iterator
from typing import Final

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Disk, Facts
from enigmacli.doctor.findings import Finding

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB
NO_ROOM_BYTES: Final = 100 * MIB
LITTLE_ROOM_BYTES: Final = GIB
NO_FILES: Final = 100
FEW_FILES: Final = 10_000

_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_ELSEWHERE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph"})
_WITHOUT_MODES: Final = frozenset({"vfat", "exfat", "msdos"})
_FREE: Final = "free some space, or move the home: --home DIR"
_MOVE: Final = "move the home to a disk of this machine: --home DIR"


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the home's file system."""
    disk = facts.disk
    if disk is None:
        return
    yield _space(disk)
    yield _filesystem(disk)
    if disk.sync_fault:
        yield error("disk.sync", f"fsync of {disk.path} fails: {disk.sync_fault}", _MOVE)
    else:
        yield ok("disk.sync", f"fsync of {disk.path} works")


def _space(disk: Disk) -> Finding:
    seen = f"{_amount(disk.free_bytes)} free on {disk.path}"
    few = disk.free_files >= 0
    if few and disk.free_files < FEW_FILES:
        seen += f", room for {disk.free_files} more files"
    if disk.free_bytes < NO_ROOM_BYTES or (few and disk.free_files < NO_FILES):
        return error("disk.space", seen, _FREE)
    if disk.free_bytes < LITTLE_ROOM_BYTES or (few and disk.free_files < FEW_FILES):
        return warning("disk.space", seen, _FREE)
    return ok("disk.space", seen)


def _amount(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size // MIB} MiB"


def _filesystem(disk: Disk) -> Finding:
    kind = disk.filesystem
    if disk.read_only:
        return error("disk.filesystem", f"{disk.path} is read-only", _MOVE)
    if kind in _IN_MEMORY:
        seen = f"{kind} keeps everything in memory: a restart of the machine loses the keys"
        return warning("disk.filesystem", seen, _MOVE)
    if kind in _ELSEWHERE or kind.startswith("fuse"):
        seen = f"{kind} may neither hold locks nor keep what it said it wrote"
        return warning("disk.filesystem", seen, _MOVE)
    if kind in _WITHOUT_MODES:
        return warning("disk.filesystem", f"{kind} has no modes: keys are open to all", _MOVE)
    if kind == "overlay":
        seen = "overlay: a container's own layer goes with the container"
        return note("disk.filesystem", seen, "mount a volume, and put the home on it")
    return ok("disk.filesystem", kind or "of an unknown type")
