"""The file system that the home is on: room, kind, and whether it keeps what it is given."""

import os
import re
from pathlib import Path
from typing import Final

from enigmacli.doctor.facts import Disk
from enigmacli.doctor.subject import Subject

_MOUNTS_BYTES: Final = 1024 * 1024
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def probe(subject: Subject) -> Disk:
    """Of the home, or of the nearest folder above it that exists."""
    folder = next(path for path in (subject.home, *subject.home.parents) if path.is_dir())
    state = os.statvfs(folder)
    return Disk(
        path=folder,
        free_bytes=state.f_bavail * state.f_frsize,
        free_files=state.f_favail if state.f_files else -1,
        filesystem=_filesystem(subject.root / "proc/self/mounts", folder.resolve()),
        read_only=bool(state.f_flag & os.ST_RDONLY),
        sync_fault=_sync_fault(folder),
    )


def _sync_fault(folder: Path) -> str:
    """An fsync of the folder itself: it changes nothing, and a disk that cannot says so."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _filesystem(mounts: Path, folder: Path) -> str:
    """The type of the longest mount point above ``folder``; of equals the last one counts."""
    try:
        with mounts.open("rb") as file:
            lines = os.fsdecode(file.read(_MOUNTS_BYTES)).splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for _, point, filesystem, *_ in (line.split(" ") for line in lines if line.count(" ") > 1):
        path = Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), point))
        if folder.is_relative_to(path) and len(path.parts) >= best:
            best, kind = len(path.parts), filesystem
    return kind
