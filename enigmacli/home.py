"""The home folder of a node: its paths, their modes, durable writes and one lock.

Folders are 0700 and files 0600. Files that matter are written by :mod:`enclave.durable`
through :func:`write_new` and :func:`replace`, which turn the system's errors into ours.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from enclave import durable
from enigmacli.config import FILE_NAME
from enigmacli.errors import (
    ConfigError,
    FileExistsAlreadyError,
    HomeBusyError,
    HomeMissingError,
    StorageError,
)

FOLDER_MODE: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAX_BYTES: Final = 64 * 1024 * 1024

_HINTS: Final = {
    errno.ENOSPC: "free some space and run the command again",
    errno.EDQUOT: "free some space and run the command again",
    errno.EROFS: "the file system is read-only: choose another folder with --home",
    errno.EACCES: "check the owner and mode of the folder",
    errno.EPERM: "check the owner and mode of the folder",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
    errno.EISDIR: "the path is a folder: name a file",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The paths below one home folder."""

    path: Path

    @property
    def config_file(self) -> Path:
        """The configuration; its presence says that ``init`` was completed."""
        return self.path / FILE_NAME

    @property
    def genesis_file(self) -> Path:
        """The genesis document."""
        return self.path / "config" / "genesis.json"

    @property
    def node_key_file(self) -> Path:
        """The key that names this node to other nodes."""
        return self.path / "config" / "node_key.json"

    @property
    def priv_validator_key_file(self) -> Path:
        """The key that signs blocks."""
        return self.path / "config" / "priv_validator_key.json"

    @property
    def data_dir(self) -> Path:
        """State and blocks."""
        return self.path / "data"

    @property
    def enclave_dir(self) -> Path:
        """Sealed files, and in simulation the platform key."""
        return self.path / "enclave"

    @property
    def cometbft_dir(self) -> Path:
        """The home of a CometBFT engine."""
        return self.path / "cometbft"

    @property
    def pcs_cache_dir(self) -> Path:
        """DCAP collateral as Intel's servers gave it; may be removed at any time."""
        return self.path / "cache" / "pcs"

    @property
    def logs_dir(self) -> Path:
        """Logs, and tracebacks of bugs."""
        return self.path / "logs"

    @property
    def lock_file(self) -> Path:
        """Names the pid of the process that owns this home."""
        return self.path / "lock"

    def keyring_dir(self, backend: str) -> Path:
        """The account keys of one backend."""
        return self.path / f"keyring-{backend}"

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make the folders that are missing; nothing that exists is touched.

        Raises:
            StorageError: a folder cannot be made, or others may enter an existing one.
        """
        home = cls(path)
        for folder in (
            path,
            home.genesis_file.parent,
            home.data_dir,
            home.enclave_dir,
            home.logs_dir,
        ):
            make_folder(folder)
        return home

    @classmethod
    def open(cls, path: Path) -> Self:
        """The home at ``path``.

        Raises:
            HomeMissingError: there is none, or its ``init`` was interrupted.
            StorageError: it cannot be read.
        """
        home = cls(path)
        try:
            home.config_file.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise HomeMissingError(
                f"there is no home at {path}", hint="enigmacli init MONIKER"
            ) from error
        except OSError as error:
            raise storage_error("open", path, error) from error
        return home

    def read_genesis(self) -> bytes:
        """The genesis document's bytes.

        Raises:
            HomeMissingError: there is none.
            StorageError: it cannot be read.
        """
        if not self.genesis_file.exists():
            raise HomeMissingError(
                f"this home has no genesis document ({self.genesis_file})",
                hint="enigmacli init MONIKER --genesis FILE|URL",
            )
        return read(self.genesis_file)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own this home among all processes.

        Raises:
            HomeBusyError: another process does; the message names its pid.
            StorageError: the lock file cannot be written.
        """
        with ExitStack() as held:
            try:
                held.enter_context(durable.lock(self.lock_file))
                self._settle()
            except BlockingIOError as error:
                raise self._busy() from error
            except OSError as error:
                raise storage_error("lock", self.lock_file, error) from error
            yield

    @contextmanager
    def changing_config(self) -> Iterator[None]:
        """Change the configuration while no other command does; a running node may go on.

        Raises:
            HomeBusyError: another command is changing it.
            StorageError: the lock file cannot be written.
        """
        path = self.genesis_file.with_name("config.lock")
        with ExitStack() as held:
            try:
                held.enter_context(durable.lock(path))
                durable.remove_leftovers(self.config_file)
            except BlockingIOError as error:
                raise HomeBusyError(
                    f"another command is changing {self.config_file}", hint="run it again"
                ) from error
            except OSError as error:
                raise storage_error("lock", path, error) from error
            yield

    def _settle(self) -> None:
        """Clear up after a killed process, and make durable what it moved into place."""
        for file in (self.genesis_file, self.node_key_file, self.priv_validator_key_file):
            durable.remove_leftovers(file)
        for folder in (self.path, self.genesis_file.parent):
            if folder.is_dir():
                durable.sync_folder(folder)

    def owner_pid(self) -> int | None:
        """The process that owns this home now; 0 where it has not said its pid.

        Raises:
            StorageError: the lock file cannot be read.
        """
        try:
            with self.lock_file.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return self._named_pid()
        except OSError as error:
            raise storage_error("read", self.lock_file, error) from error
        return None

    def _named_pid(self) -> int:
        try:
            return int(self.lock_file.read_text())
        except (OSError, ValueError):
            return 0

    def _busy(self) -> HomeBusyError:
        pid = self._named_pid()
        return HomeBusyError(
            f"{f'process {pid}' if pid else 'another process'} is using the home {self.path}",
            hint="wait for it to end, or stop it",
            details={"pid": pid} if pid else {},
        )


def make_folder(path: Path) -> None:
    """Make a folder (and its parents) that only its owner may enter; an empty one is closed.

    Raises:
        StorageError: it cannot be made, or holds something and others may enter it.
    """
    try:
        durable.make_folder(path, FOLDER_MODE)
        if not any(path.iterdir()):
            path.chmod(FOLDER_MODE)
        mode = path.stat().st_mode
    except FileExistsError as error:
        raise StorageError(
            f"cannot make the folder {path}: a file is in its place", hint="choose another folder"
        ) from error
    except OSError as error:
        raise storage_error("make the folder", path, error) from error
    if mode & _OTHERS:
        raise _too_open(path, mode, "700")


def write_new(path: Path, data: bytes) -> None:
    """Create a file of mode 0600, durably and whole; never replaces one.

    Raises:
        FileExistsAlreadyError: it exists.
        StorageError: it cannot be written.
    """
    try:
        durable.write_new(path, data)
    except FileExistsError as error:
        raise FileExistsAlreadyError(
            f"{path} exists and is never overwritten", hint="move it away, or name another file"
        ) from error
    except OSError as error:
        raise storage_error("write", path, error) from error


def replace(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, durably, in the place of the old one.

    Raises:
        StorageError: it cannot be written; the old one stands.
    """
    try:
        durable.replace(path, data)
    except OSError as error:
        raise storage_error("write", path, error) from error


def rename(path: Path, target: Path) -> None:
    """Give a file or folder another name in the same folder, durably.

    Raises:
        StorageError: it cannot be moved.
    """
    try:
        durable.rename(path, target)
    except OSError as error:
        raise storage_error("move", path, error) from error


def settle(folder: Path) -> None:
    """Make durable what a killed process moved into place here, before something builds on it.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        durable.sync_folder(folder)
    except OSError as error:
        raise storage_error("keep", folder, error) from error


def remove_leftovers(folder: Path, *names: str) -> None:
    """Remove what killed processes wrote beside files of these names.

    Raises:
        StorageError: the folder cannot be changed.
    """
    try:
        for name in names:
            durable.remove_leftovers(folder / name)
    except OSError as error:
        raise storage_error("clear up", folder, error) from error


def is_leftover(name: str, of: str) -> bool:
    """Whether a killed process left a file of that name while it wrote the file ``of``."""
    return durable.is_leftover(name, of)


def read(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """A file's bytes.

    Raises:
        StorageError: it cannot be read, or is longer than ``max_bytes``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise storage_error("read", path, error) from error
    if len(data) > max_bytes:
        raise StorageError(f"cannot read {path}: it is longer than {max_bytes} bytes")
    return data


def read_private(path: Path, max_bytes: int = _MAX_BYTES) -> bytes:
    """The bytes of a key file, which nobody but its owner may read.

    Raises:
        StorageError: it cannot be read, or its mode lets others in.
    """
    data = read(path, max_bytes)
    mode = path.stat().st_mode
    if mode & _OTHERS:
        raise _too_open(path, mode, "600")
    return data


def storage_error(what: str, path: Path, error: OSError) -> ConfigError:
    """The system's refusal as an error of ours: what, where, why, and what to do."""
    why = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return StorageError(
        f"cannot {what} {path}: {why}",
        hint=_HINTS.get(error.errno or 0, ""),
        details={"path": str(path), "reason": why},
    )


def _too_open(path: Path, mode: int, wanted: str) -> StorageError:
    return StorageError(
        f"{path} is open to other users (mode {stat.S_IMODE(mode):04o})",
        hint=f"chmod {wanted} {path}",
        details={"path": str(path), "mode": f"{stat.S_IMODE(mode):04o}"},
    )
