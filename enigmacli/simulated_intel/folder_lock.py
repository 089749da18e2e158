"""One process per folder of a simulated service."""

from contextlib import ExitStack
from pathlib import Path

from enclave import durable
from enigmacli.errors import HomeBusyError, StorageError


def lock_folder(stack: ExitStack, path: Path) -> None:
    """Hold a folder until ``stack`` unwinds.

    Args:
        stack: releases the lock.
        path: the lock's file, in that folder; it names its holder's process id.

    Raises:
        HomeBusyError: another service uses the folder.
        StorageError: the lock's file cannot be used.
    """
    try:
        stack.enter_context(durable.lock(path))
    except BlockingIOError as error:
        raise HomeBusyError(
            f"another simulated attestation service uses {path.parent}",
            hint=f"its process id is in {path}",
        ) from error
    except OSError as error:
        raise StorageError(f"cannot lock {path}: {error}") from error
