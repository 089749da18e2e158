"""A node whose transactions CometBFT orders: one process of ours, one of CometBFT's.

The application and its gate stand behind an ABCI socket; consensus, blocks and JSON-RPC are
CometBFT's. Either process ends with the other: ours watches CometBFT, and CometBFT is killed
with our main thread, kill -9 included. Where the operator runs CometBFT, this node only
serves the socket, over as many lives of CometBFT as come.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import socket
from typing import Final

from enigmacli import protobuf
from enigmacli.abci.listening import listen_at, listen_in
from enigmacli.abci.server import AbciServer
from enigmacli.chain.rpc import RpcClient
from enigmacli.engine.cometbft_home import (
    SOCKET,
    Addresses,
    CometbftSettings,
    refuse_embedded_chain,
    write_home,
)
from enigmacli.engine.cometbft_process import CometbftProcess, find_program, real_address
from enigmacli.engine.events import (
    AbciListening,
    BlockCommitted,
    EngineLog,
    Listening,
    NodeEvent,
    Report,
    Stopped,
)
from enigmacli.engine.lifetime import one_at_a_time, only_one, stopped_by_signals
from enigmacli.engine.parts import NodeParts
from enigmacli.engine.settings import NodeSettings
from enigmacli.engine.stopping import StoppedError, sleep_until_stopped
from enigmacli.errors import ConfigError, EnigmaError

_LOOK_AGAIN_S: Final = 0.05
_RPC_TIMEOUT_S: Final = 2.0


class CometbftStoppedError(ConfigError):
    """CometBFT ended by itself."""

    code = "engine-stopped"


def run_cometbft_node(settings: NodeSettings, own: CometbftSettings, report: Report) -> None:
    """Run a node on a CometBFT of its own until SIGTERM; to be called in the main thread.

    Args:
        settings: of this home.
        own: of CometBFT.
        report: told what happens, by several threads but one at a time.

    Raises:
        SeedMissingError: the enclave holds no seed, and waiting is not wanted.
        SeedMismatchError: it holds another network's.
        PortBusyError: an address to listen on is taken.
        CometbftStoppedError: CometBFT ended by itself.
        ConfigError: there is no CometBFT, or files of the home are missing or contradictory.
        EnclaveError: the enclave cannot be asked, or refused.
        Exception: the application failed while it executed a block; the process must end.
    """
    program = find_program(own.program)
    _run(settings, report, lambda node: node.run(program, own))


def serve_external_cometbft(settings: NodeSettings, address: str, report: Report) -> None:
    """Serve the application to a CometBFT that the operator runs, until SIGTERM.

    Nothing is written but the node's own data, and CometBFT may come, go and come back.

    Args:
        settings: of this home.
        address: where CometBFT finds the application: ``unix:///PATH`` or ``tcp://HOST:PORT``.
        report: told what happens, by several threads but one at a time.

    Raises:
        SeedMissingError, SeedMismatchError, PortBusyError, ConfigError, EnclaveError,
        Exception: as above.
    """
    _run(settings, report, lambda node: node.serve(address))


def _run(settings: NodeSettings, report: Report, run: "Callable[[_Node], None]") -> None:
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(stopped_by_signals(stop))
        stack.enter_context(only_one(settings.data_dir))
        refuse_embedded_chain(settings.data_dir)
        node = _Node(settings, one_at_a_time(report), stop, stack)
        with suppress(StoppedError):
            run(node)
    report(Stopped())


class _Node:
    def __init__(
        self, settings: NodeSettings, report: Report, stop: threading.Event, stack: ExitStack
    ) -> None:
        self._settings = settings
        self._tell = report
        self._stop = stop
        self._stack = stack
        self._parts = NodeParts(settings, report, stop, stack)
        self._failure: Exception | None = None

    def run(self, program: Path, own: CometbftSettings) -> None:
        """Serve the application to CometBFT while both are well.

        Raises:
            StoppedError: the node was told to stop.
            Exception: CometBFT ended, or the application failed.
        """
        rpc, p2p = real_address(self._settings.rpc_listen), real_address(own.p2p.listen)
        write_home(own, self._settings, Addresses(rpc, p2p))
        self._start_server(listen_in(own.folder, SOCKET))
        process = CometbftProcess(program, own.folder, self._log)
        self._stack.callback(process.stop)
        url = f"http://{rpc}"
        self._watch(process, until=lambda: _answers(url))
        self._tell(Listening(url))
        self._watch(process)

    def serve(self, address: str) -> None:
        """Serve the application to whatever CometBFT comes.

        Raises:
            StoppedError: the node was told to stop.
            Exception: the application failed.
        """
        self._start_server(listen_at(address))
        self._tell(AbciListening(address))
        while True:
            self._look()

    def _start_server(self, listening: socket) -> None:
        handle = BlockWatch(self._parts.handle, self._parts.hear).handle
        server = AbciServer(handle, listening, self._fail)
        self._stack.callback(server.close)
        self._parts.recheck.start()
        server.start()

    def _watch(self, process: CometbftProcess, until: Callable[[], bool] | None = None) -> None:
        while True:
            self._look()
            ended = process.exit_code
            if ended is not None:
                raise CometbftStoppedError(
                    f"CometBFT ended by itself with code {ended}",
                    hint="its last lines are in the details",
                    details={"log": process.last_words},
                )
            if until is not None and until():
                return

    def _look(self) -> None:
        sleep_until_stopped(self._stop, _LOOK_AGAIN_S)
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: Exception) -> None:
        self._failure = error

    def _log(self, level: str, text: str) -> None:
        self._tell(EngineLog(level, text))


class BlockWatch:
    """Reports the blocks that pass by on their way to the application."""

    def __init__(self, handle: Callable[[bytes], bytes], hear: Callable[[NodeEvent], None]) -> None:
        self._handle = handle
        self._hear = hear
        self._finalized: BlockCommitted | None = None

    def handle(self, request: bytes) -> bytes:
        """Answer ``request`` as the application does."""
        answer = self._handle(request)
        asked = protobuf.parse("tendermint.abci.Request", request)
        kind = asked.WhichOneof("value")
        if kind == "finalize_block":
            block = asked.finalize_block
            found = protobuf.parse("tendermint.abci.Response", answer).finalize_block
            self._finalized = BlockCommitted(
                block.height, block.hash, found.app_hash, len(block.txs)
            )
        elif kind == "commit" and self._finalized is not None:
            self._hear(self._finalized)
            self._finalized = None
        return answer


def _answers(url: str) -> bool:
    """Whether the JSON-RPC server is up, and has a block to speak of."""
    try:
        with RpcClient(url, _RPC_TIMEOUT_S) as rpc:
            return rpc.status().latest_block_height > 0
    except EnigmaError:
        return False
