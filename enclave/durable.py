"""Durable files: a crash at any write leaves the old file or the new one, never none.

A file is written beside its place under a name of its own, with its final mode from the
first byte, synced, moved into place, and the folder synced. It holds no secret and knows
no format, so both sides of the boundary use it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600

_TEMPORARY: Final = ".tmp"


def write_new(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Create ``path`` with ``data``, whole or not at all; never replaces a file.

    Raises:
        FileExistsError: ``path`` exists.
        OSError: the write failed; ``path`` does not exist, or exists whole.
    """
    with _written_beside(path, data, mode) as temporary:
        os.link(temporary, path)  # unlike rename, refuses an existing name
    _sync_folder(path.parent)


def replace(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Put ``data`` in the place of whatever ``path`` holds.

    Raises:
        OSError: the write failed; ``path`` holds the old bytes or the new ones.
    """
    with _written_beside(path, data, mode) as temporary:
        temporary.replace(path)
    _sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove what a killed process wrote beside ``path`` and never moved into place.

    Only for whoever holds the lock under which ``path`` is written.
    """
    for temporary in path.parent.glob(f".{path.name}.*{_TEMPORARY}"):
        temporary.unlink(missing_ok=True)


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
