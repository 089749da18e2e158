"""The trusted package, this home's enclave, and backups of its sealed files.

An enclave that has made nothing yet is not started: its first start would make the
simulated platform's key.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from enclave import calls
from enclave.client import EnclaveClient
from enclave.errors import EnclaveError
from enigmacli import backup_folder, trusted_package
from enigmacli.doctor.facts import Backup, Held, Sealed, Trusted
from enigmacli.doctor.subject import Subject
from enigmacli.errors import EnigmaError
from enigmacli.home import Home

_CALL_TIMEOUT_S: Final = 4.0
_NS_PER_US: Final = 1_000
_MOST_BACKUPS: Final = 4
_PLATFORM_KEY: Final = "platform.key"


def probe(subject: Subject) -> Trusted:
    """Start the enclave where it has something to say, and let it open what there is."""
    folder = Home(subject.home).enclave_dir
    measured, fault = _measured(package_of(subject))
    sealed = tuple(sorted(path.name for path in folder.glob("*.sealed")))
    is_new = not sealed and not (folder / _PLATFORM_KEY).exists()
    found = Trusted(is_new, measured, fault, sealed_names=sealed)
    backups = _newest(subject)
    if is_new or fault:
        why = "there is no enclave here to open it"
        return replace(found, backups=tuple(Backup(*backup, why) for backup in backups))
    with _enclave(subject) as enclave:
        return replace(
            _asked(enclave, found, subject),
            backups=tuple(_opened(enclave, *backup) for backup in backups),
        )


def package_of(subject: Subject) -> Path | None:
    """The folder that contains the trusted package; None: the installed one."""
    path = subject.config.enclave.path
    return Path(path).expanduser().absolute() if path else None


def _measured(package: Path | None) -> tuple[str, str]:
    """The measurement of the package, or why there is none."""
    try:
        return trusted_package.measure_package(package).hex(), ""
    except EnigmaError as error:
        return "", error.message


@contextmanager
def _enclave(subject: Subject) -> Iterator[EnclaveClient]:
    if subject.enclave is not None:
        yield subject.enclave()
        return
    with EnclaveClient.keys(
        package=package_of(subject),
        state=Home(subject.home).enclave_dir,
        backend=subject.config.enclave.backend,
    ) as enclave:
        yield enclave


def _asked(enclave: EnclaveClient, found: Trusted, subject: Subject) -> Trusted:
    try:
        status: calls.StatusReply = enclave.call(calls.Status(), _CALL_TIMEOUT_S)
        files: calls.SealReply = enclave.call(calls.Seal(), _CALL_TIMEOUT_S)
    except EnclaveError as error:
        return replace(found, fault=str(error), fault_code=error.code)
    held = Held(
        measurement=status.measurement.hex(),
        backend=status.backend,
        simulation=status.simulation,
        network_id=status.network_id.hex(),
        node_id=status.node_id.hex(),
        seeds=status.seeds,
        files=_sealed(files.files),
        sent_tx=_sent_tx(subject, status.node_id),
    )
    return replace(found, held=held)


def _sent_tx(subject: Subject, node_id: bytes) -> str:
    noted = subject.noted(node_id) if subject.noted and node_id else None
    return noted.hex().upper() if noted else ""


def _newest(subject: Subject) -> list[tuple[Path, int]]:
    """Folders of backups and when each was written: the named ones, else the newest found."""
    folders = subject.backups or tuple(_found(subject.home))
    dated = []
    for folder in folders:
        try:
            written_ns = (folder / backup_folder.MANIFEST).stat().st_mtime_ns
        except OSError:
            written_ns = 0
        dated.append((folder, written_ns // _NS_PER_US))
    return sorted(dated, key=lambda one: one[1], reverse=True)[:_MOST_BACKUPS]


def _found(home: Path) -> Iterator[Path]:
    """Folders in the home and beside it that look like a backup of sealed files."""
    for parent in (home, home.parent):
        for manifest in sorted(parent.glob(f"*/{backup_folder.MANIFEST}")):
            if any(manifest.parent.glob("*.sealed")):
                yield manifest.parent


def _opened(enclave: EnclaveClient, folder: Path, made_us: int) -> Backup:
    try:
        bundle = backup_folder.read(folder)
        answer: calls.SealReply = enclave.call(calls.VerifyBackup(bundle), _CALL_TIMEOUT_S)
    except (EnigmaError, EnclaveError) as error:
        return Backup(folder, made_us, str(error))
    return Backup(folder, made_us, "", _sealed(answer.files))


def _sealed(files: Sequence[calls.SealedFile]) -> tuple[Sealed, ...]:
    return tuple(
        Sealed(file.name, file.purpose, file.generation, file.sha256.hex()) for file in files
    )
