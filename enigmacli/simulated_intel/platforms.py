"""SIMULATION ONLY: which simulated platforms the simulated Intel has provisioned.

Intel knows its platforms because it made their keys; here a platform is known once its
quoting key was named to the service.
"""

from pathlib import Path
from typing import Any, Final

from enclave import canonical_json, durable
from enigmacli.errors import StorageError

FILE_NAME: Final = "platforms.json"
KEY_BYTES: Final = 32
MAX_PLATFORMS: Final = 512
"""Keeps the file within the size of canonical JSON."""


class Platforms:
    """The provisioned quoting keys, durable from the moment :meth:`add` returns.

    Args:
        path: the file that keeps them; it need not exist yet.

    Raises:
        StorageError: the file cannot be read, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = _load(path)

    def __contains__(self, key: bytes) -> bool:
        """Whether this quoting key was provisioned."""
        return key in self._keys

    def __len__(self) -> int:
        """How many platforms are known."""
        return len(self._keys)

    def add(self, key: bytes) -> None:
        """Provision a platform; a known one stays as it is.

        Args:
            key: 32 bytes, the Ed25519 public key of its simulated quoting enclave.

        Raises:
            StorageError: the file cannot be written, or is full.
        """
        if key in self._keys:
            return
        if len(self._keys) == MAX_PLATFORMS:
            raise StorageError(f"no more than {MAX_PLATFORMS} simulated platforms")
        keys = self._keys | {key}
        document = {"platforms": sorted(one.hex() for one in keys), "simulation": True}
        try:
            durable.replace(self._path, canonical_json.encode(document))
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error}") from error
        self._keys = keys


def _load(path: Path) -> frozenset[bytes]:
    try:
        document: Any = canonical_json.loads(path.read_bytes())
        return frozenset(_key(text) for text in document["platforms"])
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"the list of platforms in {path} is damaged") from error


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_BYTES:
        raise ValueError("a quoting key has 32 bytes")
    return key
