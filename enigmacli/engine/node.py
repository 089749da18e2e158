"""A running node: everything put together, from the files of a home to a clean end.

Consensus runs in the calling thread. The JSON-RPC server and the background re-check have
threads of their own; the enclave's two roles are processes that end with this one.
"""

import dataclasses
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from enclave import durable
from enclave.client import EnclaveClient
from enclave.errors import EnclaveError
from enigmacli.api import chain_methods, tx_methods
from enigmacli.api.jsonrpc import Dispatcher
from enigmacli.api.node_view import Broadcaster, NodeIdentity, NodeView
from enigmacli.api.server import RpcServer
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.application import Application
from enigmacli.app.genesis import GenesisDocument, validate
from enigmacli.app.reasons import Reason
from enigmacli.app.state import StateStore
from enigmacli.engine.app_connection import COMETBFT_VERSION, AppConnection
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore
from enigmacli.engine.broadcast import ForwardingBroadcaster, LocalBroadcaster
from enigmacli.engine.chain import Chain
from enigmacli.engine.embedded import Producer, SystemClock
from enigmacli.engine.events import (
    AppReason,
    BlockCommitted,
    Listening,
    NodeEvent,
    Report,
    Stopped,
)
from enigmacli.engine.follower import Follower
from enigmacli.engine.gate import Gate, GatedApplication
from enigmacli.engine.recheck import BackgroundRecheck
from enigmacli.engine.rpc_source import RpcSource
from enigmacli.engine.settings import NodeSettings
from enigmacli.engine.stopping import StoppedError
from enigmacli.engine.validator_key import Ed25519Key, SignedBlock, Signer
from enigmacli.errors import (
    ConfigError,
    GenesisError,
    HomeBusyError,
    HomeMissingError,
    NotBootstrappedError,
    StorageError,
)
from enigmacli.version import VERSION

STATE_FILE: Final = "state.db"
SIGN_STATE_FILE: Final = "priv_validator_state.json"
_LOCK_FILE: Final = "node.lock"
_LISTEN_ADDR: Final = "tcp://0.0.0.0:26656"
"""Named in ``status`` because clients want one; this engine has no peers."""


def run_node(settings: NodeSettings, report: Report) -> None:
    """Run a node until SIGTERM.

    Args:
        settings: of this home.
        report: told what happens, by several threads but one at a time.

    Raises:
        SeedMissingError: the enclave holds no seed, and waiting is not wanted.
        SeedMismatchError: it holds another network's.
        PortBusyError: the address to listen on is taken.
        ConfigError: files of the home are missing, malformed or contradictory.
        EnclaveError: the enclave cannot be asked, or refused.
        ChainForkError: a followed chain contradicts the own state.
        UntrustedAnswerError: the followed server lies, or is of another chain.
        Exception: the application failed while it executed a block; the process must end.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_signals(stop))
        stack.enter_context(_only_one(settings.data_dir))
        node = Node(settings, _one_at_a_time(report), stop, stack)
        with suppress(StoppedError):
            node.run()
    report(Stopped())


class Node:
    """One node's parts.

    Args:
        settings: of this home.
        report: told what happens.
        stop: ends :meth:`run`.
        stack: closes what is opened here, last opened first.
    """

    def __init__(
        self, settings: NodeSettings, report: Report, stop: threading.Event, stack: ExitStack
    ) -> None:
        self._settings = settings
        self._tell = report
        self._stop = stop
        self._genesis, keys = load_genesis(settings.genesis_file)
        self._key = Ed25519Key.load(settings.priv_validator_key_file)
        self._node_key = Ed25519Key.load(settings.node_key_file)
        self._enclave = self._start_enclave(stack)
        self._application = self._open_application(stack)
        gate = self._gate(keys)
        connection = AppConnection(GatedApplication(self._application, gate).handle)
        store = BlockStore(settings.data_dir / BLOCKS_FILE)
        stack.callback(store.close)
        self._chain = Chain(self._genesis, store, connection, self._hear)
        self._recheck = BackgroundRecheck(self._enclave, report)
        stack.callback(self._recheck.close)
        self._follower, self._broadcaster = self._follow(stack)
        self._server = RpcServer(self._dispatcher(), settings.rpc_listen)
        stack.callback(self._server.close)

    def run(self) -> None:
        """Pass the gate, catch up with the own store, serve, and go on with the chain.

        Raises:
            StoppedError: the node was told to stop.
        """
        self._server.bind()
        self._chain.start()
        self._recheck.start()
        producer = None if self._follower else self._producer()
        self._server.start()
        self._tell(Listening(f"http://{self._server.address}"))
        if self._follower:
            self._follower.run(self._stop)
        elif producer:
            producer.run(self._stop)
        self._stop.wait()

    # --- parts -----------------------------------------------------------------------------

    def _start_enclave(self, stack: ExitStack) -> EnclaveClient:
        settings = self._settings
        client = EnclaveClient.keys(
            package=settings.enclave_package,
            state=settings.enclave_dir,
            backend=settings.enclave_backend,
        )
        return stack.enter_context(client)

    def _open_application(self, stack: ExitStack) -> Application:
        policy = self._genesis.app_state.policy
        if policy is None:
            raise GenesisError("genesis has no policy", hint="enigmacli genesis set-policy")
        judge = stack.enter_context(
            EnclaveClient.judge_role(
                package=self._settings.enclave_package,
                chain_id=self._genesis.chain_id,
                policy=policy.encode(),
            )
        )
        threading.Thread(target=_start_early, args=(judge,), daemon=True).start()
        state = StateStore(self._settings.data_dir / STATE_FILE)
        stack.callback(state.close)
        return Application(state, judge, self._enclave, version=VERSION)

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

    def _follow(self, stack: ExitStack) -> tuple[Follower | None, Broadcaster]:
        settings = self._settings
        if settings.follow_url is None:
            return None, LocalBroadcaster(self._chain)
        source = RpcSource(settings.follow_url)
        stack.callback(source.close)
        follower = Follower(
            self._chain, source, self._hear, poll_interval_s=settings.poll_interval_s
        )
        return follower, ForwardingBroadcaster(source)

    def _producer(self) -> Producer:
        state, settings = self._chain.state, self._settings
        address = self._key.address
        if all(one.address != address for one in state.validators.validators):
            raise ConfigError(
                "this node's validator key is not one of the network's validators",
                hint="enigmacli start --follow URL",
            )
        signer = Signer(self._key, settings.data_dir / SIGN_STATE_FILE)
        signer.resume(SignedBlock(state.height, state.block_id.hash))
        return Producer(
            self._chain,
            signer,
            SystemClock(),
            self._hear,
            block_interval_s=settings.block_interval_s,
            empty_blocks_interval_s=settings.empty_blocks_interval_s,
        )

    def _dispatcher(self) -> Dispatcher:
        view = NodeView(
            identity=NodeIdentity(
                moniker=self._settings.moniker,
                node_id=self._node_key.address.hex(),
                listen_addr=_LISTEN_ADDR,
                version=COMETBFT_VERSION,
                validator_key=self._key.public_key,
            ),
            chain=self._chain,
            broadcaster=self._broadcaster,
            catching_up=lambda: self._follower is not None and self._follower.catching_up,
            rpc_address=lambda: f"tcp://{self._server.address}",
        )
        methods = chain_methods.methods(view) | tx_methods.methods(view)
        return Dispatcher(methods, self._report_bug)

    # --- what happens ----------------------------------------------------------------------

    def _hear(self, event: NodeEvent) -> None:
        """Pass an event on, with what the application noticed on the way to it."""
        for reason in self._application.take_reasons():
            self._tell(AppReason(describe(reason)))
        self._tell(event)
        if isinstance(event, BlockCommitted):
            for confirm in self._application.committed_confirms(event.height):
                self._recheck.add(event.height, confirm)

    def _report_bug(self, error: Exception) -> None:
        self._tell(AppReason(f"a JSON-RPC method failed: {type(error).__name__}: {error}"))


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


def _one_at_a_time(report: Report) -> Report:
    lock = threading.Lock()

    def tell(event: NodeEvent) -> None:
        with lock:
            report(event)

    return tell


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the lock of a data folder, so that two nodes never share one."""
    with ExitStack() as stack:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(durable.lock(data_dir / _LOCK_FILE))
        except BlockingIOError as error:
            raise HomeBusyError(f"another node runs on {data_dir}", hint="stop it first") from error
        except OSError as error:
            raise StorageError(f"could not lock {data_dir}: {error}") from error
        yield


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM set ``stop``; a thread other than the main one cannot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
