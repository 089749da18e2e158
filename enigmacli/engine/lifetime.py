"""What holds for a running node of any engine: one per data folder, ended by a signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from enclave import durable
from enigmacli.engine.events import NodeEvent, Report
from enigmacli.errors import HomeBusyError, StorageError

_LOCK_FILE: Final = "node.lock"


def one_at_a_time(report: Report) -> Report:
    """A report that threads may call at once; the one behind it hears one event at a time."""
    lock = threading.Lock()

    def tell(event: NodeEvent) -> None:
        with lock:
            report(event)

    return tell


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the lock of a data folder, so that two nodes never share one."""
    with ExitStack() as stack:
        try:
            durable.make_folder(data_dir)
            stack.enter_context(durable.lock(data_dir / _LOCK_FILE))
        except BlockingIOError as error:
            raise HomeBusyError(f"another node runs on {data_dir}", hint="stop it first") from error
        except OSError as error:
            raise StorageError(f"could not lock {data_dir}: {error}") from error
        yield


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM set ``stop``; a thread other than the main one cannot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
