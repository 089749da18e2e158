"""A backup of sealed files as a folder: the blobs by name, and the manifest beside them.

While it is written the manifest has another name, which says that the folder is unfinished
and this program's own: the same command writes it again. The last step gives it its name.
"""

import os
from pathlib import Path
from typing import Final

from enclave.calls import BackupBundle, SealedBlob
from enigmacli import home as homes
from enigmacli.errors import FileExistsAlreadyError, HomeMissingError, MalformedError

MANIFEST: Final = "manifest.json"
_UNFINISHED: Final = "manifest.json.unfinished"
_MAX_MANIFEST_BYTES: Final = 8 * 1024
_MAX_BLOB_BYTES: Final = 128 * 1024
_MAX_BLOBS: Final = 8


def write(folder: Path, bundle: BackupBundle) -> None:
    """Write a backup into a new or empty folder, or into one where writing it was cut off.

    Raises:
        FileExistsAlreadyError: the folder holds something.
        StorageError: a file cannot be written.
    """
    homes.make_folder(folder)
    names = [_plain(blob.name) for blob in bundle.blobs]
    if not _is_ours(folder):
        raise FileExistsAlreadyError(
            f"{folder} is not empty, and a backup is never overwritten", hint="name a new folder"
        )
    homes.replace(folder / _UNFINISHED, bundle.manifest)
    homes.remove_leftovers(folder, *names, _UNFINISHED)
    for name, blob in zip(names, bundle.blobs, strict=True):
        homes.replace(folder / name, blob.data)
    homes.rename(folder / _UNFINISHED, folder / MANIFEST)


def read(folder: Path) -> BackupBundle:
    """Read a backup; whether it is good, the enclave says.

    Raises:
        HomeMissingError: there is no backup in the folder.
        MalformedError: it holds more than a backup does.
        StorageError: a file cannot be read, or is too long.
    """
    if not (folder / MANIFEST).is_file():
        raise HomeMissingError(
            f"there is no backup in {folder}: {MANIFEST} is missing",
            hint="name the folder that enclave backup --out made",
        )
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise homes.storage_error("list", folder, error) from error
    names.remove(MANIFEST)
    if len(names) > _MAX_BLOBS:
        raise MalformedError(f"{folder} holds {len(names)} files, a backup at most {_MAX_BLOBS}")
    return BackupBundle(
        homes.read(folder / MANIFEST, _MAX_MANIFEST_BYTES),
        tuple(SealedBlob(name, homes.read(folder / name, _MAX_BLOB_BYTES)) for name in names),
    )


def _is_ours(folder: Path) -> bool:
    """Whether nothing is in the folder, or what an interrupted backup left there."""
    held = {path.name for path in folder.iterdir()}
    if _UNFINISHED in held and MANIFEST not in held:
        return True
    return all(homes.is_leftover(name, _UNFINISHED) for name in held)


def _plain(name: str) -> str:
    """A blob's name, which must be one of a plain file here."""
    if name in ("", ".", "..", MANIFEST, _UNFINISHED) or os.sep in name or "\0" in name:
        raise MalformedError(f"the enclave named a sealed file {name!r}")
    return name
