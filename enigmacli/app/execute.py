"""Executing a block: one pure function of its bytes and the state (protocol.md section 8).

Prepare, Process and Finalize all come through :class:`BlockRun`; the first two on an overlay
that is forgotten. Nothing here needs the enclave, a seed, or the evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app import bank, register, validators
from enigmacli.app.block import Block, BlockResult, CommittedConfirm
from enigmacli.app.json_forms import MAX_INT64
from enigmacli.app.overlay import Overlay
from enigmacli.app.params import Params
from enigmacli.app.refusals import RefusedError, RegisterCode
from enigmacli.app.transactions import (
    check_fee,
    check_sequence,
    check_signature,
    check_timeout,
    load_account,
    pay_fee,
    read_tx,
)
from enigmacli.chain.messages import Message, MsgSend, RaAuthenticate, SetValidator
from enigmacli.chain.results import Event, TxResult
from enigmacli.chain.tx import ConfirmNode, Tx, is_confirm

_RESPONSES: Final = {
    ConfirmNode: "enigma.registration.v1.ConfirmNodeResponse",
    MsgSend: "cosmos.bank.v1beta1.MsgSendResponse",
    RaAuthenticate: "secret.registration.v1beta1.RaAuthenticateResponse",
    SetValidator: "enigma.validator.v1.SetValidatorResponse",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction, with the confirm behind it if it takes one, executed beside the state."""

    changes: Overlay
    tx: Tx | None
    """None where the bytes cannot be read."""
    results: tuple[TxResult, ...]
    """One, or for a register with a confirm behind it two."""
    confirm: ConfirmNode | None = None
    """Of a register that was carried out."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the messages of a transaction gave."""

    responses: tuple[Any, ...]
    events: tuple[Event, ...]
    confirm: ConfirmNode | None = None


def execute(state: Overlay, block: Block) -> BlockResult:
    """Execute a block on ``state``, which then holds the state after it."""
    run = BlockRun(state, block.height, block.at_us)
    place = 0
    while place < len(block.txs):
        attempt = run.attempt(block.txs[place], follower(block.txs, place))
        run.keep(attempt)
        place += len(attempt.results)
    return run.result()


def follower(txs: Sequence[bytes], place: int) -> bytes | None:
    """The transaction behind ``place`` if it is a confirm, well-formed or not."""
    behind = txs[place + 1] if place + 1 < len(txs) else b""
    return behind if is_confirm(behind) else None


class BlockRun:
    """A block in the course of execution."""

    def __init__(self, state: Overlay, height: int, at_us: int) -> None:
        self.params = Params.load(state)
        self._before = state
        self._state = Overlay(state)
        self._height = height
        self._at_us = at_us
        self._results: list[TxResult] = []
        self._confirms: list[CommittedConfirm] = []
        self._registers: list[int] = []
        self._gas_wanted = 0

    def attempt(self, raw: bytes, follower: bytes | None) -> Attempt:
        """Execute a transaction on top of what was kept so far; the run does not change.

        Args:
            raw: the transaction.
            follower: the one behind it if that is a confirm.
        """
        if is_confirm(raw):
            refused = _misplaced("no register stands before it").result()
            return Attempt(Overlay(self._state), None, (refused,))
        try:
            tx = read_tx(raw, self.params)
        except RefusedError as refusal:
            return Attempt(Overlay(self._state), None, (refusal.result(),))
        return self.attempt_read(tx, follower)

    def attempt_read(self, tx: Tx, follower: bytes | None) -> Attempt:
        """:meth:`attempt` of a transaction that is read already."""
        try:
            paid = self.pay(tx)
        except RefusedError as refusal:
            result = refusal.result(gas_wanted=min(tx.gas_limit, MAX_INT64))
            return Attempt(Overlay(self._state), tx, _with_refused_confirm(tx, result, follower))
        return self.attempt_paid(tx, paid, follower)

    def pay(self, tx: Tx) -> Overlay:
        """What a transaction changes before its messages are carried out.

        Raises:
            RefusedError: it cannot be paid for, or is not its account's next.
        """
        changes = Overlay(self._state)
        self._pay(changes, tx)
        return changes

    def attempt_paid(self, tx: Tx, paid: Overlay, follower: bytes | None) -> Attempt:
        """:meth:`attempt` of a transaction that was paid for, with nothing kept since.

        Args:
            tx: the transaction.
            paid: of :meth:`pay`; changed.
            follower: the raw transaction behind it if that is a confirm.
        """
        message_changes = Overlay(paid)
        try:
            outcome = self._carry_out(message_changes, tx, follower)
        except RefusedError as refusal:
            result = refusal.result(gas_wanted=tx.gas_limit, gas_used=tx.gas_needed)
            return Attempt(paid, tx, _with_refused_confirm(tx, result, follower))
        paid.absorb(message_changes)
        result = TxResult(
            data=_tx_data(tx.messages, outcome.responses),
            gas_wanted=tx.gas_limit,
            gas_used=tx.gas_needed,
            events=outcome.events,
        )
        if outcome.confirm is None:
            return Attempt(paid, tx, (result,))
        confirmed = TxResult(data=_tx_data([outcome.confirm], [_response(ConfirmNode)]))
        return Attempt(paid, tx, (result, confirmed), outcome.confirm)

    def keep(self, attempt: Attempt) -> None:
        """Make the last attempt part of the block."""
        self._state.absorb(attempt.changes)
        place = len(self._results)
        self._results += attempt.results
        if attempt.tx is None:
            return
        self._gas_wanted += attempt.tx.gas_limit
        message = attempt.tx.register
        if message is None:
            return
        self._registers.append(place)
        if attempt.confirm is not None:
            owner = self.params.owner(attempt.tx.sender)
            self._confirms.append(
                CommittedConfirm(
                    place,
                    message.certificate,
                    owner,
                    self._at_us,
                    register.to_reply(attempt.confirm),
                )
            )

    def result(self) -> BlockResult:
        """End the block: its changes go into the state that the run was started on."""
        updates = validators.updates_between(self._before, self._state)
        self._before.absorb(self._state)
        return BlockResult(
            tx_results=tuple(self._results),
            validator_updates=updates,
            confirms=tuple(self._confirms),
            registers=tuple(self._registers),
            gas_wanted=self._gas_wanted,
        )

    def simulate(self, tx: Tx) -> None:
        """Carry out the messages of a transaction and forget what they changed.

        A register is not carried out: nobody has answered it.

        Raises:
            RefusedError: a message is refused, or the sequence is another.
        """
        changes = Overlay(self._state)
        check_sequence(tx, load_account(changes, tx, self.params))
        if tx.register is None:
            self._carry_out(changes, tx, None)

    def _pay(self, state: Overlay, tx: Tx) -> None:
        check_timeout(tx, self._height)
        account = load_account(state, tx, self.params)
        check_signature(tx, account, self.params)
        check_sequence(tx, account)
        check_fee(tx, self.params)
        pay_fee(state, tx, account, self.params)

    def _carry_out(self, state: Overlay, tx: Tx, follower: bytes | None) -> _Outcome:
        responses: list[Any] = []
        events: list[Event] = []
        for message in tx.messages:
            if isinstance(message, RaAuthenticate):
                return self._register(state, tx, message, follower)
            if isinstance(message, MsgSend):
                events += bank.send(state, self.params, message)
            else:
                validators.set_validator(state, message, self._height)
            responses.append(_response(type(message)))
        return _Outcome(tuple(responses), tuple(events))

    def _register(
        self, state: Overlay, tx: Tx, message: RaAuthenticate, follower: bytes | None
    ) -> _Outcome:
        confirm = register.register(state, self.params, tx, message, follower, height=self._height)
        # the peer's form of the answer
        response = _response(RaAuthenticate, data=f"S: {confirm.encrypted_seed.hex()}")
        return _Outcome((response,), register.events(self.params, tx, confirm), confirm)


def _misplaced(why: str) -> RefusedError:
    return RefusedError(RegisterCode.CONFIRM_NOT_ALLOWED, f"confirm-not-allowed: {why}")


def _with_refused_confirm(tx: Tx, result: TxResult, follower: bytes | None) -> tuple[TxResult, ...]:
    """The results of a refused transaction; the confirm of a refused register goes with it."""
    if tx.register is None or follower is None:
        return (result,)
    return (result, _misplaced("its register was refused").result())


def _response(message: type, **values: Any) -> Any:
    return protobuf.new(_RESPONSES[message], **values)


def _tx_data(messages: Sequence[Message | ConfirmNode], responses: Sequence[Any]) -> bytes:
    """TxMsgData: one response for each message."""
    data = protobuf.new(
        "cosmos.base.abci.v1beta1.TxMsgData",
        msg_responses=[
            {"type_url": f"/{_RESPONSES[type(message)]}", "value": response.SerializeToString()}
            for message, response in zip(messages, responses, strict=True)
        ],
    )
    return bytes(data.SerializeToString())
