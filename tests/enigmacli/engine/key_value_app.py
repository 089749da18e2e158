"""A small ABCI application for tests of the engine: bytes in, bytes out, crashes on demand.

A transaction ``key=value`` sets a value, ``power:<hex of an Ed25519 key>=<number>`` changes
a validator, ``fail=`` executes with code 7, anything without ``=`` is refused by CheckTx. What
is set is told in one event, ``set.key`` and ``set.value``; its ``set.aside`` is not to be indexed.
"""

import hashlib
import json
from typing import Any

from enigmacli import protobuf


class CrashError(Exception):
    """The process died here."""


class KeyValueApp:
    """What is committed survives a crash; what is pending does not."""

    def __init__(self) -> None:
        self.height = 0
        self.values: dict[str, str] = {}
        self.pending: tuple[int, dict[str, str]] | None = None
        self.crash_before = ""
        self.crash_after = ""
        self.seen: list[str] = []
        self.finalized: list[Any] = []
        self.refuse_proposals = 0
        self.prepare_only: int | None = None
        """How many transactions a proposal takes; the application may leave some out."""
        self.salt = ""
        self.drift = ""
        """What this version of the program, unlike the one before, adds to every value."""
        self.prepared: list[Any] = []

    def restart(self) -> "KeyValueApp":
        """The same application after the process has started again."""
        self.pending = None
        self.crash_before = self.crash_after = ""
        self.seen = []
        return self

    def handle(self, data: bytes) -> bytes:
        request = protobuf.parse("tendermint.abci.Request", data)
        kind = request.WhichOneof("value")
        self.seen.append(kind)
        if kind == self.crash_before:
            raise CrashError(kind)
        answer = getattr(self, f"_{kind}")(getattr(request, kind))
        if kind == self.crash_after:
            raise CrashError(kind)
        response = protobuf.new("tendermint.abci.Response", **{kind: answer})
        return bytes(response.SerializeToString())

    def app_hash(self, values: dict[str, str]) -> bytes:
        text = self.salt + json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).digest()

    def _info(self, _request: Any) -> Any:
        committed = self.app_hash(self.values) if self.height else b""
        return _new("ResponseInfo", last_block_height=self.height, last_block_app_hash=committed)

    def _init_chain(self, request: Any) -> Any:
        self.pending = (0, {})
        self.initial_height = request.initial_height
        return _new("ResponseInitChain", app_hash=self.app_hash({}))

    def _query(self, request: Any) -> Any:
        value = self.values.get(request.data.decode(), "")
        return _new("ResponseQuery", key=request.data, value=value.encode(), height=self.height)

    def _check_tx(self, request: Any) -> Any:
        if b"=" not in request.tx:
            return _new("ResponseCheckTx", code=3, log="no =", codespace="test")
        if request.type == 1 and request.tx.split(b"=")[0].decode() in self.values:
            return _new("ResponseCheckTx", code=4, log="set meanwhile")
        return _new("ResponseCheckTx", gas_wanted=10)

    def _prepare_proposal(self, request: Any) -> Any:
        self.prepared.append(request)
        return _new("ResponsePrepareProposal", txs=request.txs[: self.prepare_only])

    def _process_proposal(self, _request: Any) -> Any:
        if self.refuse_proposals:
            self.refuse_proposals -= 1
            return _new("ResponseProcessProposal", status=2)
        return _new("ResponseProcessProposal", status=1)

    def _finalize_block(self, request: Any) -> Any:
        self.finalized.append(request)
        values, results, updates = dict(self.values), [], []
        for tx in request.txs:
            key, _, value = tx.decode().partition("=")
            code = 7 if key == "fail" else 0
            events = [] if code else [_set_event(key, value)]
            results.append(_new("ExecTxResult", code=code, gas_used=10, events=events))
            if key.startswith("power:"):
                public_key = {"ed25519": bytes.fromhex(key.removeprefix("power:"))}
                updates.append(_new("ValidatorUpdate", pub_key=public_key, power=int(value)))
            elif key != "fail":
                values[key] = value + self.drift
        self.pending = (request.height, values)
        return _new(
            "ResponseFinalizeBlock",
            tx_results=results,
            validator_updates=updates,
            app_hash=self.app_hash(values),
        )

    def _commit(self, _request: Any) -> Any:
        if self.pending is None:
            raise CrashError("commit without a block")
        self.height, self.values = self.pending
        self.pending = None
        return _new("ResponseCommit")


def _set_event(key: str, value: str) -> Any:
    attributes = [
        {"key": "key", "value": key, "index": True},
        {"key": "value", "value": value, "index": True},
        {"key": "aside", "value": "1"},
    ]
    return _new("Event", type="set", attributes=attributes)


def _new(name: str, **values: Any) -> Any:
    return protobuf.new(f"tendermint.abci.{name}", **values)
