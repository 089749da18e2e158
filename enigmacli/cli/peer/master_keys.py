"""The network's public keys in files, as the peer keeps them: 32 bytes in base64, one line."""

import base64
import binascii
from pathlib import Path
from typing import Final

from enigmacli import home as homes
from enigmacli.errors import ConfigError, FileExistsAlreadyError

_KEY_SIZE: Final = 32
_MAX_FILE_BYTES: Final = 1024


def read_key(path: Path) -> bytes:
    """The key in ``path``.

    Raises:
        ConfigError: the file holds no key.
        StorageError: it cannot be read.
    """
    try:
        key = base64.b64decode(homes.read(path, _MAX_FILE_BYTES).strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_SIZE:
        raise ConfigError(
            f"{path} holds no key of 32 bytes in base64",
            hint="enigmacli query register secret-network-params writes node-master-key.txt",
        )
    return key


def keep_key(path: Path, key: bytes) -> None:
    """Write ``key`` where there is no file; one that is there must hold the same key.

    Raises:
        FileExistsAlreadyError: it holds another one.
        ConfigError: it holds none.
        StorageError: it cannot be read or written.
    """
    if not path.exists():
        homes.write_new(path, base64.b64encode(key))
    elif read_key(path) != key:
        raise FileExistsAlreadyError(
            f"{path} holds another network's key, and is never overwritten",
            hint="move it away, or work in another folder",
        )
