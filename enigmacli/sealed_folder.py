"""Put the enclave's folder aside: moved whole to a dated name, never deleted."""

from datetime import datetime
from pathlib import Path

from enigmacli import home as homes
from enigmacli.home import Home


def contents(home: Home) -> list[str]:
    """The names of the files in the enclave's folder, sorted.

    Raises:
        StorageError: the folder cannot be read.
    """
    try:
        return sorted(path.name for path in home.enclave_dir.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise homes.storage_error("list", home.enclave_dir, error) from error


def dated(home: Home, now: datetime) -> Path:
    """A free name beside the folder, made of the time: ``enclave-20261123T031600Z``.

    Args:
        home: the home.
        now: in UTC.
    """
    base = home.enclave_dir.with_name(f"{home.enclave_dir.name}-{now:%Y%m%dT%H%M%SZ}")
    candidate, number = base, 1
    while candidate.exists():
        number += 1
        candidate = base.with_name(f"{base.name}-{number}")
    return candidate


def move(home: Home, target: Path) -> None:
    """Rename the enclave's folder to ``target``, and make an empty one in its place.

    The caller holds the home's lock, so no node works in the folder.

    Raises:
        StorageError: the folder cannot be moved.
    """
    homes.rename(home.enclave_dir, target)
    homes.make_folder(home.enclave_dir)
