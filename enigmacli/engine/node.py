"""A running node: everything put together, from the files of a home to a clean end.

Consensus runs in the calling thread. The JSON-RPC server and the background re-check have
threads of their own; the enclave's two roles are processes that end with this one.
"""

import threading
from contextlib import ExitStack, suppress
from typing import Final

from enigmacli.api import chain_methods, search_methods, tx_methods
from enigmacli.api.jsonrpc import Dispatcher
from enigmacli.api.node_view import Broadcaster, NodeIdentity, NodeView
from enigmacli.api.server import RpcServer
from enigmacli.engine.app_connection import COMETBFT_VERSION, AppConnection
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore
from enigmacli.engine.broadcast import ForwardingBroadcaster, LocalBroadcaster
from enigmacli.engine.chain import Chain
from enigmacli.engine.embedded import Producer, SystemClock
from enigmacli.engine.events import AppReason, Listening, Report, Stopped
from enigmacli.engine.follower import Follower
from enigmacli.engine.lifetime import one_at_a_time, only_one, stopped_by_signals
from enigmacli.engine.parts import NodeParts
from enigmacli.engine.rpc_source import RpcSource
from enigmacli.engine.settings import NodeSettings
from enigmacli.engine.stopping import StoppedError
from enigmacli.engine.validator_key import Ed25519Key, SignedBlock, Signer
from enigmacli.errors import ConfigError

SIGN_STATE_FILE: Final = "priv_validator_state.json"
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
        stack.enter_context(stopped_by_signals(stop))
        stack.enter_context(only_one(settings.data_dir))
        node = Node(settings, one_at_a_time(report), stop, stack)
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
        self._parts = NodeParts(settings, report, stop, stack)
        self._key = Ed25519Key.load(settings.priv_validator_key_file)
        self._node_key = Ed25519Key.load(settings.node_key_file)
        store = BlockStore(settings.data_dir / BLOCKS_FILE)
        stack.callback(store.close)
        self._chain = Chain(
            self._parts.genesis, store, AppConnection(self._parts.handle), self._parts.hear
        )
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
        self._parts.recheck.start()
        producer = None if self._follower else self._producer()
        self._server.start()
        self._tell(Listening(f"http://{self._server.address}"))
        if self._follower:
            self._follower.run(self._stop)
        elif producer:
            producer.run(self._stop)
        self._stop.wait()

    # --- parts -----------------------------------------------------------------------------

    def _follow(self, stack: ExitStack) -> tuple[Follower | None, Broadcaster]:
        settings = self._settings
        if settings.follow_url is None:
            return None, LocalBroadcaster(self._chain)
        source = RpcSource(settings.follow_url)
        stack.callback(source.close)
        follower = Follower(
            self._chain, source, self._parts.hear, poll_interval_s=settings.poll_interval_s
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
            self._parts.hear,
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
        methods |= search_methods.methods(view)
        return Dispatcher(methods, self._report_bug)

    def _report_bug(self, error: Exception) -> None:
        self._tell(AppReason(f"a JSON-RPC method failed: {type(error).__name__}: {error}"))
