"""SIMULATION ONLY: keys and certificates that a simulated service keeps in its folder.

They are made once, together and in one file, and used again after every restart.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from enclave import durable
from enigmacli.errors import StorageError

_PUBLIC_MODE: Final = 0o644

T = TypeVar("T")


def load_or_create(
    path: Path,
    generate: Callable[[], bytes],
    parse: Callable[[bytes], T],
    public: Callable[[T], tuple[str, bytes]],
) -> T:
    """What ``path`` keeps; new keys where there is no such file.

    Args:
        path: readable by its owner only; its folder is created with mode 0700 where missing.
        generate: makes a new file's content.
        parse: reads it.
        public: name and content of a file beside it, for whoever is to trust these keys.

    Raises:
        StorageError: the folder or file cannot be used, or the file is damaged.
    """
    try:
        durable.make_folder(path.parent)
        if not path.exists():
            _write_new(path, generate())
        durable.sync_folder(path.parent)  # the file found may be a killed process's last act
        kept = parse(path.read_bytes())
        name, data = public(kept)
        _write_new(path.parent / name, data, _PUBLIC_MODE)
    except OSError as error:
        raise StorageError(f"cannot keep simulated keys in {path.parent}: {error}") from error
    except ValueError as error:
        raise StorageError(
            f"the simulated keys in {path} are damaged: {error}",
            hint="restore the file, or start a new network with a new folder",
        ) from error
    return kept


def key_pem(key: PrivateKeyTypes) -> bytes:
    """A private key as PEM, not encrypted: it is worth nothing."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_new(path: Path, data: bytes, mode: int = durable.OWNER_ONLY) -> None:
    # a file that is there stays: it is these keys', or another process was first with its own
    if not path.exists():
        with suppress(FileExistsError):
            durable.write_new(path, data, mode)
