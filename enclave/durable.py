"""Durable files: a crash at any write leaves the old file or the new one, never none.

A file is written beside its place under a name of its own, with its final mode from the
first byte, synced, moved into place, and the folder synced. It holds no secret and knows
no format, so both sides of the boundary use it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
OWNER_ONLY_FOLDER: Final = 0o700

_TEMPORARY: Final = ".tmp"
_PARENT_MODE: Final = 0o777  # and the umask, as mkdir -p


def write_new(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Create ``path`` with ``data``, whole or not at all; never replaces a file.

    Raises:
        FileExistsError: ``path`` exists.
        OSError: the write failed; ``path`` does not exist, or exists whole.
    """
    with _written_beside(path, data, mode) as temporary:
        os.link(temporary, path)  # unlike rename, refuses an existing name
    sync_folder(path.parent)


def replace(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Put ``data`` in the place of whatever ``path`` holds.

    Raises:
        OSError: the write failed; ``path`` holds the old bytes or the new ones.
    """
    with _written_beside(path, data, mode) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove what a killed process wrote beside ``path`` and never moved into place.

    Only for whoever holds the lock under which ``path`` is written.
    """
    for temporary in path.parent.glob(f".{path.name}.*{_TEMPORARY}"):
        temporary.unlink(missing_ok=True)


def rename(path: Path, target: Path) -> None:
    """Give a file or folder another name in the same folder, durably.

    Raises:
        OSError: it failed; the old name stands or the new one.
    """
    path.rename(target)
    sync_folder(target.parent)


def remove(path: Path) -> None:
    """Remove a file, durably.

    Raises:
        OSError: it failed, or there is no such file.
    """
    path.unlink()
    sync_folder(path.parent)


def make_folder(path: Path, mode: int = OWNER_ONLY_FOLDER) -> None:
    """Make a folder and the parents that are missing, durably; what exists stays as it is.

    Raises:
        FileExistsError: a file is in its place.
        OSError: it cannot be made.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()] or [path]
    for folder in reversed(missing):
        folder.mkdir(mode if folder == path else _PARENT_MODE, exist_ok=True)
        # a parent that may be entered and not read is somebody else's, who has to sync it
        with suppress(PermissionError):
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut.

    Every write here does so at its end. Whoever builds on files that are *found* does so as
    well: a killed process may have moved one into place and gone no further.

    Raises:
        OSError: it failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_leftover(name: str, of: str) -> bool:
    """Whether ``name`` is of a file that was written beside the file ``of``."""
    return name.startswith(f".{of}.") and name.endswith(_TEMPORARY)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold ``path`` exclusively among processes; it names its holder's pid.

    The file stays behind unlocked: removing it would let two processes lock two files of
    the same name.

    Raises:
        BlockingIOError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _written_beside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        _write_synced(temporary, data, mode)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, mode)
    try:
        os.fchmod(descriptor, mode)  # whatever the umask was
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
