"""CheckTx: whether a transaction may wait in the mempool (protocol.md section 8.1)."""

from collections.abc import Callable

from enclave.calls import JudgeReply
from enclave.errors import EnclaveError
from enigmacli.app import register
from enigmacli.app.consensus import Base
from enigmacli.app.notes import MAX_MISSES, MAX_WAIT_BLOCKS, Note, RegisterNotes
from enigmacli.app.overlay import Overlay
from enigmacli.app.params import Params
from enigmacli.app.ports import Judge
from enigmacli.app.proto_size import proto_size
from enigmacli.app.refusals import RefusedError, RegisterCode, of_enclave
from enigmacli.app.transactions import (
    check_fee,
    check_sequence,
    check_signature,
    check_timeout,
    load_account,
    pay_fee,
    read_tx,
)
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.results import TxResult
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import Tx, is_confirm


class CheckState:
    """The last committed state and the fees and sequences of what was accepted since.

    A new one is made after each commit; several waiting transactions of one sender are
    accepted in their order.
    """

    def __init__(
        self,
        base: Base,
        judge: Judge,
        notes: RegisterNotes,
        unavailable: Callable[[EnclaveError], None],
    ) -> None:
        self.base = base
        """What it stands on; another base needs another check state."""
        self._state = Overlay(base.latest)
        self._params = Params.load(self._state)
        self._height = base.height
        self._at_us = base.at_us
        self._judge = judge
        self._notes = notes
        self._unavailable = unavailable

    def check(self, raw: bytes, *, again: bool) -> TxResult:
        """Judge a transaction that is new, or ``again`` after a block.

        Raises:
            RefusedError: it may not wait (any longer).
        """
        if is_confirm(raw):
            raise RefusedError(
                RegisterCode.CONFIRM_NOT_ALLOWED,
                "confirm-not-allowed: confirms are made by proposers, not sent",
            )
        tx = read_tx(raw, self._params)
        changes = Overlay(self._state)
        self._take_fee(changes, tx, again=again)
        message = tx.register
        if message is not None:
            self._check_register(tx, message, again=again)
        self._state.absorb(changes)
        return TxResult(gas_wanted=tx.gas_limit, gas_used=tx.gas_needed)

    def _take_fee(self, changes: Overlay, tx: Tx, *, again: bool) -> None:
        check_timeout(tx, self.base.next_height)
        account = load_account(changes, tx, self._params)
        check_fee(tx, self._params)
        check_sequence(tx, account)
        if not again:
            check_signature(tx, account, self._params)
        pay_fee(changes, tx, account, self._params)

    def _check_register(self, tx: Tx, message: RaAuthenticate, *, again: bool) -> None:
        note = self._notes.find(tx.hash)
        if note is not None and note.refusal is not None:
            raise RefusedError(*note.refusal)
        if again and note is not None:
            self._recheck(tx, note)
            return
        self._check_room(tx)
        register.check_certificate(message)
        owner = self._params.owner(tx.sender)
        reply = self._ask_judge(message.certificate, owner)
        register.check_owner(self._state, reply.node_id, owner)
        self._notes.add(tx.hash, Note(self._height, reply.node_id, reply.valid_until_us))

    def _recheck(self, tx: Tx, note: Note) -> None:
        """What a block may have changed about a register that was judged before."""
        try:
            self._check_note(note)
            register.check_owner(self._state, note.node_id, self._params.owner(tx.sender))
        except RefusedError:
            self._notes.drop(tx.hash)
            raise

    def _check_note(self, note: Note) -> None:
        if note.valid_until_us < self._at_us:
            raise RefusedError(
                RegisterCode.NOT_FRESH,
                f"evidence-expired: expected block time {note.valid_until_us} us at most, "
                f"seen {self._at_us} us",
            )
        if note.misses >= MAX_MISSES:
            raise RefusedError(
                RegisterCode.POLICY_REFUSES,
                f"not-agreed: proposed {note.misses} times, always another block was decided",
            )
        if self._height - note.first_seen >= MAX_WAIT_BLOCKS:
            raise RefusedError(
                RegisterCode.NOT_FRESH, f"waited-too-long: for {MAX_WAIT_BLOCKS} blocks"
            )

    def _check_room(self, tx: Tx) -> None:
        """Refuse a register that would fill more than half of a block with its confirm."""
        confirm = register.confirm_size_bound(self._params.epoch)
        size = proto_size(len(tx.raw)) + proto_size(confirm)
        if 2 * size > self._params.block_bytes:
            raise RefusedError(
                SdkCode.TX_TOO_LARGE,
                "half-a-block: with its confirm a register may take half of a block, expected at "
                f"most {self._params.block_bytes // 2} bytes, seen {size}",
            )

    def _ask_judge(self, certificate: bytes, owner: bytes) -> JudgeReply:
        try:
            return self._judge.judge(certificate, owner, self._at_us, catch_up=True)
        except EnclaveError as error:
            refusal = of_enclave(error)
            if refusal.code == RegisterCode.ENCLAVE_UNAVAILABLE:
                self._unavailable(error)
            raise refusal from error
