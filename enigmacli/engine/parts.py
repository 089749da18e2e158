"""What a node of any engine is made of: enclave, judge, application, gate, re-check."""

import dataclasses
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from enclave.client import EnclaveClient
from enclave.errors import EnclaveError
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.application import Application
from enigmacli.app.genesis import GenesisDocument, validate
from enigmacli.app.reasons import Reason
from enigmacli.app.state import StateStore
from enigmacli.engine.answers import OwnAnswers
from enigmacli.engine.events import AppReason, BlockCommitted, NodeEvent, Report
from enigmacli.engine.gate import Gate, GatedApplication
from enigmacli.engine.genesis_guard import check_unchanged
from enigmacli.engine.recheck import BackgroundRecheck
from enigmacli.engine.settings import NodeSettings
from enigmacli.errors import (
    GenesisError,
    HomeMissingError,
    NotBootstrappedError,
    StorageError,
)
from enigmacli.version import VERSION

STATE_FILE: Final = "state.db"


class NodeParts:
    """One node's parts, without what orders its transactions.

    Args:
        settings: of this home.
        report: told what happens, one event at a time.
        stop: ends every wait.
        stack: closes what is opened here, last opened first.

    Raises:
        ConfigError: files of the home are missing, malformed or contradictory.
    """

    def __init__(
        self, settings: NodeSettings, report: Report, stop: threading.Event, stack: ExitStack
    ) -> None:
        self._settings = settings
        self._tell = report
        self._stop = stop
        self._counts: Counter[str] = Counter()
        self.genesis, keys = load_genesis(settings.genesis_file)
        self._enclave = self._start_enclave(stack)
        self._answers = OwnAnswers(self._enclave)
        self._application = self._open_application(stack)
        self.handle = GatedApplication(self._application, self._gate(keys)).handle
        """The application behind its gate, as bytes."""
        self.recheck = BackgroundRecheck(self._answers, report)
        stack.callback(self.recheck.close)

    def hear(self, event: NodeEvent) -> None:
        """Pass an event on, with what the application noticed on the way to it."""
        for reason in self._application.take_reasons():
            self._counts[reason.kind] += 1
            self._tell(AppReason(describe(reason), reason.kind, self._counts[reason.kind]))
        self._tell(event)
        if isinstance(event, BlockCommitted):
            for confirm in self._application.committed_confirms(event.height):
                self.recheck.add(event.height, confirm)

    def _start_enclave(self, stack: ExitStack) -> EnclaveClient:
        settings = self._settings
        client = EnclaveClient.keys(
            package=settings.enclave_package,
            state=settings.enclave_dir,
            backend=settings.enclave_backend,
        )
        return stack.enter_context(client)

    def _open_application(self, stack: ExitStack) -> Application:
        policy = self.genesis.app_state.policy
        if policy is None:
            raise GenesisError("genesis has no policy", hint="enigmacli genesis set-policy")
        judge = stack.enter_context(
            EnclaveClient.judge_role(
                package=self._settings.enclave_package,
                chain_id=self.genesis.chain_id,
                policy=policy.encode(),
            )
        )
        threading.Thread(target=_start_early, args=(judge,), daemon=True).start()
        state = StateStore(self._settings.data_dir / STATE_FILE)
        stack.callback(state.close)
        check_unchanged(self._settings.data_dir, self.genesis, state.meta.height)
        return Application(state, judge, self._answers, version=VERSION)

    def _gate(self, keys: NetworkKeys) -> Gate:
        settings = self._settings
        return Gate(
            self._enclave,
            keys,
            self._tell,
            self._stop,
            unseal=settings.unseal if settings.wait_for_seed else None,
            interval_s=settings.seed_poll_interval_s,
        )


def load_genesis(path: Path) -> tuple[GenesisDocument, NetworkKeys]:
    """A genesis file that a chain may start from, and the network's keys in it.

    Raises:
        HomeMissingError: there is no such file.
        StorageError: it cannot be read.
        GenesisError: it is malformed or incomplete.
        NotBootstrappedError: it lacks the network's keys.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise HomeMissingError(f"{path} does not exist", hint="enigmacli init MONIKER") from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error}") from error
    document = GenesisDocument.parse(data)
    validate(document)
    if document.app_state.keys is None:
        raise NotBootstrappedError("genesis has no network keys", hint="enigmacli bootstrap")
    return document, document.app_state.keys


def describe(reason: Reason) -> str:
    """A reason of the application as one line."""
    values = {field.name: getattr(reason, field.name) for field in dataclasses.fields(reason)}
    shown = (
        f"{name}={value.hex() if isinstance(value, bytes) else value}"
        for name, value in values.items()
    )
    return " ".join((reason.kind, *shown))


def _start_early(judge: EnclaveClient) -> None:
    """Have the judge's process ready before the first transaction comes."""
    try:
        judge.status()
    except EnclaveError:
        return  # CheckTx tries again, and says so if it fails
