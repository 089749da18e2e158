"""The application behind ABCI 2.0: bytes in, bytes out (CometBFT 0.38).

Three sides share one object. Consensus (InitChain, Prepare, Process, Finalize, Commit) works
on overlays above the store; CheckTx on an overlay of its own, which each commit renews; Query
on the last committed state.
"""

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from enclave.errors import EnclaveError
from enigmacli.app import abci_messages as abci
from enigmacli.app.block import CommittedConfirm
from enigmacli.app.check import CheckState
from enigmacli.app.consensus import Consensus
from enigmacli.app.notes import RegisterNotes
from enigmacli.app.ports import Admitter, Judge
from enigmacli.app.queries import answer
from enigmacli.app.reasons import EnclaveUnavailable, Reason, RequestFailed
from enigmacli.app.refusals import INTERNAL, RefusedError
from enigmacli.app.state import StateStore
from enigmacli.chain.results import TxResult
from enigmacli.chain.sdk_codes import CODESPACE, SdkCode

APP_VERSION: Final = 1
"""Of the rules of consensus."""

_MAX_REASONS: Final = 1_000  # an engine that never asks must not cost memory without end
_RECHECK: Final = 1


class Application:
    """The replicated state machine of one node.

    Query may be asked from any thread at any time; CheckTx from one thread at a time; all
    other requests from one thread at a time, which may be another one.
    """

    def __init__(
        self, store: StateStore, judge: Judge, admitter: Admitter | None, *, version: str = ""
    ) -> None:
        """Stand on a state.

        Args:
            store: the node's state.
            judge: judges evidence for CheckTx.
            admitter: the enclave with keys; without one the node neither starts a chain nor
                votes for a block with registrations.
            version: of the program, shown by Info.
        """
        self._store = store
        self._judge = judge
        self._version = version
        self.reasons: deque[Reason] = deque(maxlen=_MAX_REASONS)
        """What is worth a log line, oldest first; see :meth:`take_reasons`."""
        self._notes = RegisterNotes()
        self._consensus = Consensus(store, admitter, self._notes, self.reasons.append)
        self._checks: CheckState | None = None

    def handle(self, request: bytes) -> bytes:
        """Answer one encoded ABCI ``Request`` with one encoded ``Response``.

        Raises:
            Exception: whatever goes wrong in InitChain, FinalizeBlock and Commit, or with the
                request itself; the process must end.
        """
        kind, message = abci.read_request(request)
        return abci.write_response(kind, _ANSWERS[kind](self, message))

    def take_reasons(self) -> tuple[Reason, ...]:
        """What was noted since the last call, oldest first; for the log and the counters."""
        taken = []
        while self.reasons:
            taken.append(self.reasons.popleft())
        return tuple(taken)

    def committed_confirms(self, height: int) -> tuple[CommittedConfirm, ...]:
        """The admissions of block ``height`` if it is the last committed one, else nothing."""
        return self._consensus.committed_confirms(height)

    # --- any side ---------------------------------------------------------------------------

    def _echo(self, request: Any) -> Any:
        return abci.new("ResponseEcho", message=request.message)

    def _flush(self, _: Any) -> Any:
        return abci.new("ResponseFlush")

    def _info(self, _: Any) -> Any:
        meta = self._store.latest().meta()
        return abci.new(
            "ResponseInfo",
            data="enigmacli",
            version=self._version,
            app_version=APP_VERSION,
            last_block_height=meta.height,
            last_block_app_hash=meta.app_hash,
        )

    # --- query ------------------------------------------------------------------------------

    def _query(self, request: Any) -> Any:
        try:
            found = answer(
                self._store.latest(),
                request.path,
                request.data,
                height=request.height,
                prove=request.prove,
            )
        except RefusedError as refusal:
            return abci.new(
                "ResponseQuery",
                code=refusal.code,
                codespace=refusal.codespace,
                log=refusal.log,
                key=request.data if request.path.startswith("/store/") else b"",
            )
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 -- an exception here would stop the node
            self._note_failure("query", error)
            return abci.new("ResponseQuery", code=INTERNAL, codespace=CODESPACE, log="internal")
        ops = [{"type": op.type, "key": op.key, "data": op.data} for op in found.proof]
        return abci.new(
            "ResponseQuery",
            key=found.key,
            value=found.value,
            height=found.height,
            **({"proof_ops": {"ops": ops}} if ops else {}),
        )

    # --- mempool ----------------------------------------------------------------------------

    def _check_tx(self, request: Any) -> Any:
        try:
            result = self._check(request.tx, again=request.type == _RECHECK)
        except RefusedError as refusal:
            result = refusal.result()
        except (MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 -- an exception here would stop the node
            self._note_failure("check_tx", error)
            result = TxResult(code=INTERNAL, codespace=CODESPACE, log="internal")
        return abci.from_result("ResponseCheckTx", result)

    def _check(self, raw: bytes, *, again: bool) -> TxResult:
        base = self._consensus.check_base()
        if base is None:
            raise RefusedError(SdkCode.INVALID_HEIGHT, "no-genesis: the chain has not started yet")
        if self._checks is None or self._checks.base is not base:
            self._checks = CheckState(base, self._judge, self._notes, self._note_unavailable)
        return self._checks.check(raw, again=again)

    def _note_unavailable(self, error: EnclaveError) -> None:
        self.reasons.append(EnclaveUnavailable("check_tx", f"{error.code}: {error}"))

    def _note_failure(self, request: str, error: Exception) -> None:
        self.reasons.append(RequestFailed(request, f"{type(error).__name__}: {error}"))

    # --- consensus --------------------------------------------------------------------------

    def _init_chain(self, request: Any) -> Any:
        return self._consensus.init_chain(request)

    def _prepare_proposal(self, request: Any) -> Any:
        return self._consensus.prepare_proposal(request)

    def _process_proposal(self, request: Any) -> Any:
        return self._consensus.process_proposal(request)

    def _finalize_block(self, request: Any) -> Any:
        return self._consensus.finalize_block(request)

    def _commit(self, _: Any) -> Any:
        return self._consensus.commit()

    def _extend_vote(self, _: Any) -> Any:
        return abci.new("ResponseExtendVote")

    def _verify_vote_extension(self, request: Any) -> Any:
        accept = not request.vote_extension
        return abci.new("ResponseVerifyVoteExtension", status=1 if accept else 2)

    # --- snapshots: none are offered or taken ------------------------------------------------

    def _list_snapshots(self, _: Any) -> Any:
        return abci.new("ResponseListSnapshots")

    def _offer_snapshot(self, _: Any) -> Any:
        return abci.new("ResponseOfferSnapshot", result=3)

    def _load_snapshot_chunk(self, _: Any) -> Any:
        return abci.new("ResponseLoadSnapshotChunk")

    def _apply_snapshot_chunk(self, _: Any) -> Any:
        return abci.new("ResponseApplySnapshotChunk", result=2)


_ANSWERS: Final[Mapping[str, Callable[[Application, Any], Any]]] = MappingProxyType(
    {
        kind: getattr(Application, f"_{kind}")
        for kind in (
            "echo",
            "flush",
            "info",
            "init_chain",
            "query",
            "check_tx",
            "commit",
            "list_snapshots",
            "offer_snapshot",
            "load_snapshot_chunk",
            "apply_snapshot_chunk",
            "prepare_proposal",
            "process_proposal",
            "extend_vote",
            "verify_vote_extension",
            "finalize_block",
        )
    }
)
