"""Backups: byte-for-byte copies of sealed files, with a manifest of their hashes.

A backup opens only where the files themselves would: in the same code on the same platform.
It is never encrypted under anything known outside an enclave (protocol.md section 3).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from enclave import canonical_json, contents
from enclave.backends import Backend
from enclave.calls import BackupBundle, SealedBlob
from enclave.contents import FILE_NAMES, Contents
from enclave.errors import BackupConflictError, BackupError, SealedStateError
from enclave.keys import Secret
from enclave.sealing import Purpose

FORMAT: Final = "enigma/sealed-backup/v1"

_PURPOSES: Final = {name: purpose for purpose, name in FILE_NAMES.items()}
_ORDER: Final = tuple(FILE_NAMES.values())
"""Of the manifest; a folder gives its files in another one."""


def make_bundle(blobs: dict[Purpose, bytes]) -> BackupBundle:
    """Copies of sealed files that have just been opened, and their manifest.

    Raises:
        BackupError: there is nothing to back up.
    """
    if not blobs:
        raise BackupError("there is no sealed file to back up")
    files = tuple(SealedBlob(FILE_NAMES[purpose], data) for purpose, data in blobs.items())
    return BackupBundle(_manifest(files), files)


def open_bundle(bundle: BackupBundle, backend: Backend) -> tuple[dict[Purpose, bytes], Contents]:
    """Check a backup's manifest and open every file in it.

    Raises:
        BackupError: torn, altered, or not of this code on this platform.
        BackendPolicyError: the backend may not serve its network.
    """
    blobs = {}
    for blob in bundle.blobs:
        purpose = _PURPOSES.get(blob.name)
        if purpose is None or purpose in blobs:
            raise BackupError("the backup holds a file that does not belong", seen=ascii(blob.name))
        blobs[purpose] = blob.data
    _check_manifest(bundle)
    try:
        return blobs, contents.open_all(blobs, backend)
    except SealedStateError as error:
        raise BackupError(f"the backup does not open here: {error}") from error


def choose(backup: Contents, held: Contents) -> list[Purpose]:
    """Which of a backup's files are missing here, or hold more than those in place.

    Raises:
        BackupConflictError: a key differs from the one in place, or the networks do.
    """
    if backup.configuration and held.configuration:
        expected, seen = held.configuration.network_id, backup.configuration.network_id
        if expected != seen:
            raise BackupConflictError(
                "the backup belongs to another network", expected=expected.hex(), seen=seen.hex()
            )
    chosen = []
    if _chooses_registration(backup.registration, held.registration):
        chosen.append(Purpose.REGISTRATION)
    if _chooses_seeds(backup.seeds, held.seeds):
        chosen.append(Purpose.SEED)
    if backup.clock_us > held.clock_us:
        chosen.append(Purpose.CLOCK)
    return chosen


def _chooses_registration(backup: Secret | None, held: Secret | None) -> bool:
    if backup is None or held is None:
        return backup is not None
    if backup != held:
        raise BackupConflictError("the backup holds another registration key than this enclave")
    return False


def _chooses_seeds(backup: Sequence[Secret], held: Sequence[Secret]) -> bool:
    if any(ours != theirs for ours, theirs in zip(held, backup, strict=False)):
        raise BackupConflictError("the backup holds other seeds than this enclave")
    return len(backup) > len(held)


def _manifest(files: Sequence[SealedBlob]) -> bytes:
    return canonical_json.encode(
        {
            "format": FORMAT,
            "files": [
                {
                    "name": file.name,
                    "purpose": str(_PURPOSES[file.name]),
                    "sha256": hashlib.sha256(file.data).hexdigest(),
                }
                for file in sorted(files, key=lambda file: _ORDER.index(file.name))
            ],
        }
    )


def _check_manifest(bundle: BackupBundle) -> None:
    expected = _manifest(bundle.blobs)
    if bundle.manifest == expected:
        return
    try:
        manifest: Any = canonical_json.loads(bundle.manifest)
    except ValueError as error:
        raise BackupError(f"the backup's manifest is malformed: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupError("the backup's manifest has another format", expected=FORMAT)
    raise BackupError("the backup's files are not those of its manifest: torn or altered")
