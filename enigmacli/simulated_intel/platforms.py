"""SIMULATION ONLY: which simulated platforms the simulated Intel has provisioned.

Intel knows its platforms because it made their keys; here a platform is known once its
key was named to the service: the quoting key of its simulated quoting enclave for EPID, the
key of its simulated PCE for DCAP.
"""

from pathlib import Path
from typing import Any, Final

from enclave import canonical_json, durable
from enigmacli.errors import StorageError

FILE_NAME: Final = "platforms.json"
KEY_BYTES: Final = 32
"""Of an Ed25519 public key, which stands for an EPID platform."""
MAX_PLATFORMS: Final = 480
"""Keeps the file within the size of canonical JSON, with keys of 64 bytes."""


class Platforms:
    """The provisioned keys, durable from the moment :meth:`add` returns.

    Args:
        path: the file that keeps them; it need not exist yet.
        key_bytes: how long a key is, at most 64.

    Raises:
        StorageError: the file cannot be read, or is damaged.
    """

    def __init__(self, path: Path, key_bytes: int = KEY_BYTES) -> None:
        self._path = path
        self._keys = _load(path, key_bytes)

    def __contains__(self, key: bytes) -> bool:
        """Whether this key was provisioned."""
        return key in self._keys

    def __len__(self) -> int:
        """How many platforms are known."""
        return len(self._keys)

    def listed(self) -> list[bytes]:
        """The keys in ascending order."""
        return sorted(self._keys)

    def add(self, key: bytes) -> None:
        """Provision a platform; a known one stays as it is.

        Args:
            key: the public key that stands for it.

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


def _load(path: Path, key_bytes: int) -> frozenset[bytes]:
    try:
        document: Any = canonical_json.loads(path.read_bytes())
        return frozenset(_key(text, key_bytes) for text in document["platforms"])
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"the list of platforms in {path} is damaged") from error


def _key(text: str, key_bytes: int) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != key_bytes:
        raise ValueError(f"a platform's key has {key_bytes} bytes")
    return key
