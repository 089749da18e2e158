"""Proposing a block, and voting on one (protocol.md sections 8.2 and 8.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from enclave.errors import EnclaveError, NotYetValidError
from enigmacli.app import register
from enigmacli.app.block import Block, BlockResult, CommittedConfirm
from enigmacli.app.execute import Attempt, BlockRun, follower
from enigmacli.app.notes import RegisterNotes
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.params import Params
from enigmacli.app.ports import Admitter
from enigmacli.app.proto_size import proto_size
from enigmacli.app.reasons import DroppedFromProposal, EnclaveUnavailable, ProposalRefused, Reason
from enigmacli.app.refusals import RefusedError, RegisterCode, of_enclave
from enigmacli.app.transactions import read_tx
from enigmacli.chain.tx import Tx, is_confirm, tx_hash


class _DropError(Exception):
    """A transaction stays out of this proposal."""


@dataclass(slots=True)
class Preparation:
    """A proposal in the making."""

    state: Overlay
    """Before the block; after :meth:`prepare` the state behind it."""
    height: int
    at_us: int
    max_tx_bytes: int
    admitter: Admitter | None
    notes: RegisterNotes
    txs: list[bytes] = field(default_factory=list)
    """The block."""
    reasons: list[Reason] = field(default_factory=list)
    _dropped_senders: set[bytes] = field(default_factory=set)
    _registers: list[bytes] = field(default_factory=list)
    _size: int = 0
    _gas: int = 0

    def prepare(self, candidates: Sequence[bytes]) -> BlockResult:
        """Choose ``txs`` from those that wait, in their order; what they come to as a block."""
        run = BlockRun(self.state, self.height, self.at_us)
        for raw in candidates:
            try:
                self._take(run, raw)
            except _DropError as drop:
                self.reasons.append(DroppedFromProposal(self.height, tx_hash(raw), str(drop)))
        self.notes.propose(self.height, self._registers)
        return run.result()

    def _take(self, run: BlockRun, raw: bytes) -> None:
        """Add a transaction, and for a register its confirm, if Process will accept them."""
        if is_confirm(raw):
            raise _DropError("a confirm does not wait in a mempool")
        try:
            tx = read_tx(raw, run.params)
        except RefusedError as refusal:
            raise _DropError(refusal.log) from refusal
        if tx.sender in self._dropped_senders:
            raise _DropError("an earlier transaction of the same sender was left out")
        try:
            self._take_readable(run, tx)
        except _DropError:
            self._dropped_senders.add(tx.sender)
            raise

    def _take_readable(self, run: BlockRun, tx: Tx) -> None:
        if self._gas + tx.gas_limit > run.params.max_gas:
            raise _DropError("no gas is left in the block")
        self._check_size([tx.raw])
        if tx.register is None:
            self._keep(run, run.attempt_read(tx, None), [tx.raw])
            return
        if len(self._registers) >= run.params.policy.max_registrations_per_block:
            raise _DropError("the block has as many registrations as the policy allows")
        try:  # a register that fails on its own must not cost the enclave a call
            paid = run.pay(tx)
        except RefusedError as refusal:
            raise _DropError(refusal.log) from refusal
        pair = [tx.raw, self._admit(tx, tx.register.certificate, run.params)]
        self._check_size(pair)
        self._keep(run, run.attempt_paid(tx, paid, pair[1]), pair)
        self._registers.append(tx.hash)

    def _keep(self, run: BlockRun, attempt: Attempt, raws: Sequence[bytes]) -> None:
        first = attempt.results[0]
        # what pays its fee may fail; a register may not
        if first.code and (len(raws) > 1 or not first.gas_used):
            raise _DropError(first.log)
        run.keep(attempt)
        self.txs += raws
        self._size += sum(proto_size(len(raw)) for raw in raws)
        self._gas += first.gas_wanted

    def _check_size(self, raws: Sequence[bytes]) -> None:
        if self._size + sum(proto_size(len(raw)) for raw in raws) > self.max_tx_bytes:
            raise _DropError("no room is left in the block")

    def _admit(self, tx: Tx, certificate: bytes, params: Params) -> bytes:
        """The confirm for a register transaction."""
        if self.admitter is None:
            raise _DropError("the own enclave is unavailable")
        try:
            reply = self.admitter.admit(certificate, params.owner(tx.sender), self.at_us)
        except NotYetValidError as error:  # its time will come
            raise _DropError(f"not yet valid: {error}") from error
        except EnclaveError as error:
            refusal = of_enclave(error)
            if refusal.code == RegisterCode.ENCLAVE_UNAVAILABLE:
                self.admitter = None  # each further call might take as long
                self.reasons.append(EnclaveUnavailable("prepare_proposal", refusal.log))
            else:
                self.notes.refuse(tx.hash, refusal)
            raise _DropError(refusal.log) from error
        return register.make_confirm(tx.raw, reply)


def refuse_proposal(
    state: Reader, block: Block, admitter: Admitter | None, execute: Callable[[], BlockResult]
) -> ProposalRefused | None:
    """Why this node votes against a block, None if it does not.

    Cheap rules come first; the enclave is asked only about a block that keeps all of them.

    Args:
        state: before the block.
        block: as proposed.
        admitter: the own enclave.
        execute: what the block comes to on that state.
    """
    params = Params.load(state)
    size = sum(proto_size(len(raw)) for raw in block.txs)
    if size > params.block_bytes:
        return _over(block, "bytes", params.block_bytes, size)
    result = execute()
    if result.gas_wanted > params.max_gas:
        return _over(block, "gas", params.max_gas, result.gas_wanted)
    most = params.policy.max_registrations_per_block
    if len(result.registers) > most:
        return _over(block, "registrations", most, len(result.registers))
    return _refuse_pairs(block, result) or _refuse_answers(block, result.confirms, admitter)


def _over(block: Block, what: str, most: int, seen: int) -> ProposalRefused:
    detail = f"{what}: expected at most {most}, seen {seen}"
    return ProposalRefused(block.height, "limit", detail)


def _refuse_pairs(block: Block, result: BlockResult) -> ProposalRefused | None:
    """A register that fails or has no confirm, or a confirm that does not belong."""
    for place in result.registers:
        outcome = result.tx_results[place]
        if outcome.code:
            paired = follower(block.txs, place) is not None
            rule = "register-fails" if paired or not outcome.gas_used else "pairing"
            return ProposalRefused(block.height, rule, outcome.log, place)
    for place, raw in enumerate(block.txs):
        if is_confirm(raw) and result.tx_results[place].code:
            detail = result.tx_results[place].log
            return ProposalRefused(block.height, "pairing", detail, place)
    return None


def _refuse_answers(
    block: Block, confirms: Sequence[CommittedConfirm], admitter: Admitter | None
) -> ProposalRefused | None:
    """A confirm that is not, byte for byte, what the own enclave answers."""
    for committed in confirms:
        place = committed.place
        if admitter is None:
            detail = "this node has no enclave"
            return ProposalRefused(block.height, "enclave-unavailable", detail, place)
        try:
            reply = admitter.admit(committed.certificate, committed.owner, block.at_us)
        except EnclaveError as error:
            refusal = of_enclave(error)
            missing = refusal.code == RegisterCode.ENCLAVE_UNAVAILABLE
            rule = "enclave-unavailable" if missing else "register-refused"
            return ProposalRefused(block.height, rule, refusal.log, place)
        expected = register.make_confirm(block.txs[place], reply)
        if expected != block.txs[place + 1]:
            detail = f"expected {expected.hex()}, seen {block.txs[place + 1].hex()}"
            return ProposalRefused(block.height, "confirm-differs", detail, place + 1)
    return None
