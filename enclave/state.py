"""The sealed files of one home: opened for each call, changed under a lock.

Nothing is kept between calls, so that another process's change is seen at once and secrets
are in memory only while they are used. A key is never overwritten: a registration key is
created once, seeds are replaced by more seeds only, the clock bound moves forwards only.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from enclave import contents, durable
from enclave.backends import Backend
from enclave.configuration import Configuration
from enclave.contents import FILE_NAMES, Contents
from enclave.errors import SealedStateError, StateBusyError, StateWriteError
from enclave.keys import Secret
from enclave.sealing import Purpose

LOCK_FILE: Final = "lock"
LOCK_WAIT_S: Final = 2.0
"""How long a change waits for another process to finish its own."""

_LOCK_POLL_S: Final = 0.01


class SealedState:
    """One state folder, seen through one backend.

    Args:
        folder: exists.
        backend: the only one its files open with.
    """

    def __init__(self, folder: Path, backend: Backend) -> None:
        self._folder = folder
        self._backend = backend

    def open(self) -> Contents:
        """Open every sealed file; use the answer in a ``with``.

        Raises:
            SealedStateError: a file cannot be read, or does not open here.
            BackendPolicyError: the backend may not serve their network.
        """
        return contents.open_all(self.read(), self._backend)

    def read(self) -> dict[Purpose, bytes]:
        """The sealed files that exist, byte for byte.

        Raises:
            SealedStateError: a file cannot be read.
        """
        blobs = {}
        for purpose, name in FILE_NAMES.items():
            try:
                blobs[purpose] = (self._folder / name).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SealedStateError(f"{name} could not be read: {error.strerror}") from error
        return blobs

    @contextmanager
    def changing(self) -> Iterator[Contents]:
        """Open every sealed file, and keep every other process from changing one.

        Raises:
            StateBusyError: another process holds the lock and does not let go.
            StateWriteError: the lock file could not be made.
            SealedStateError: a file cannot be read, or does not open here.
            BackendPolicyError: the backend may not serve their network.
        """
        with self._locked():
            self._settle()
            with self.open() as opened:
                yield opened

    def _settle(self) -> None:
        """Clear up after a killed process, and make durable what it moved into place.

        Without this a key could be found, used, registered, and gone after a power cut.
        """
        try:
            for name in FILE_NAMES.values():
                durable.remove_leftovers(self._folder / name)
            durable.sync_folder(self._folder)
        except OSError as error:
            raise StateWriteError(f"the sealed files cannot be kept: {error.strerror}") from error

    def add_registration(self, configuration: Configuration, key: Secret) -> None:
        """Seal the registration key, which does not exist yet.

        Raises:
            BackendPolicyError: the backend may not serve that policy.
            StateWriteError: the file exists, or could not be written.
        """
        blob = contents.seal_keys(Purpose.REGISTRATION, configuration, [key], 1, self._backend)
        self.add(Purpose.REGISTRATION, blob)

    def save_seeds(
        self, configuration: Configuration, seeds: Sequence[Secret], held: Contents
    ) -> None:
        """Seal seeds; those that ``held`` names are a prefix of them.

        Raises:
            BackendPolicyError: the backend may not serve that policy.
            StateWriteError: the file could not be written.
        """
        generation = held.generation(Purpose.SEED) + 1
        blob = contents.seal_keys(Purpose.SEED, configuration, seeds, generation, self._backend)
        if held.seeds:
            self.replace(Purpose.SEED, blob)
        else:
            self.add(Purpose.SEED, blob)

    def save_clock(self, configuration: Configuration, clock_us: int, held: Contents) -> None:
        """Seal a clock bound later than the one that ``held`` names.

        Raises:
            StateWriteError: the file could not be written.
        """
        generation = held.generation(Purpose.CLOCK) + 1
        blob = contents.seal_clock(configuration, clock_us, generation, self._backend)
        self.replace(Purpose.CLOCK, blob)

    def add(self, purpose: Purpose, blob: bytes) -> None:
        """Write a sealed file that does not exist.

        Raises:
            StateWriteError: it exists, or could not be written.
        """
        self._write(durable.write_new, purpose, blob)

    def replace(self, purpose: Purpose, blob: bytes) -> None:
        """Write a sealed file over the one in place, which it includes.

        Raises:
            StateWriteError: it could not be written.
        """
        self._write(durable.replace, purpose, blob)

    def _write(self, write: Callable[[Path, bytes], None], purpose: Purpose, blob: bytes) -> None:
        name = FILE_NAMES[purpose]
        try:
            write(self._folder / name, blob)
        except OSError as error:
            raise StateWriteError(f"{name} could not be written: {error.strerror}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        deadline = time.monotonic() + LOCK_WAIT_S
        with ExitStack() as stack:
            while not self._try_lock(stack):
                if time.monotonic() > deadline:
                    raise StateBusyError("another process is changing this enclave's state")
                time.sleep(_LOCK_POLL_S)
            yield

    def _try_lock(self, stack: ExitStack) -> bool:
        try:
            stack.enter_context(durable.lock(self._folder / LOCK_FILE))
        except BlockingIOError:
            return False
        except OSError as error:
            raise StateWriteError(f"{LOCK_FILE} could not be locked: {error.strerror}") from error
        return True
