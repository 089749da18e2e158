"""The order of a join: what costs nothing first, one transaction, then the seed.

Every phase looks before it acts, so that the flow can be run again from its beginning at any
time: after an interruption, a power cut, or when the node was away.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from enclave.calls import JudgeReply
from enclave.errors import EvidenceFormatError, PolicyError, VerificationError
from enigmacli.chain.messages import Coin
from enigmacli.chain.tx import tx_hash
from enigmacli.errors import TxRejectedError, WaitTimeoutError
from enigmacli.join import sending
from enigmacli.join.funds import wait_for_funds
from enigmacli.join.sending import Fate, Outcome
from enigmacli.registration import NodeRecord, Registry, claimed_node_id, find_registered
from enigmacli.submission import Account, Clock

PHASES: Final = ("home", "checks", "account", "key", "evidence", "verdict", "funds", "register",
                 "unseal", "receipt")  # fmt: skip
"""In their order."""

DONE: Final = "done"
KEPT: Final = "kept"
"""An earlier run did it."""


class Chain(Registry, sending.Chain, Protocol):
    """A node of the network."""

    def balance(self, address: str, denom: str) -> int:
        """Whole coins held."""
        ...


class Progress(Protocol):
    """Whom the flow tells what happens."""

    def working(self, phase: str, what: str) -> AbstractContextManager[None]:
        """Something takes time."""
        ...

    def done(self, phase: str, outcome: str, words: str) -> None:
        """A phase is over: :data:`DONE` or :data:`KEPT`, and what came of it."""
        ...


class Evidence(Protocol):
    """Evidence of this home's enclave."""

    def kept(self) -> bytes | None:
        """What an earlier run left, if it can be evidence."""
        ...

    def fetch(self) -> bytes:
        """New evidence, which is kept."""
        ...

    def judge(self, certificate: bytes) -> JudgeReply:
        """The validators' own judgement, now."""
        ...


class Purse(Protocol):
    """The account that registers."""

    @property
    def address(self) -> str:
        """bech32."""
        ...

    def price(self, certificate: bytes) -> tuple[int, Coin]:
        """Gas limit and fee of a registration with this evidence."""
        ...

    def sign(self, certificate: bytes, gas_limit: int, fee: Coin, account: Account) -> bytes:
        """The register transaction, signed; asks before."""
        ...

    def ask_for(self, needed: Coin) -> None:
        """Tell people, or ask a faucet, that the account needs coins."""
        ...


class Note(Protocol):
    """The transaction that was signed, kept in the home (:mod:`enigmacli.join`)."""

    def read(self) -> bytes | None:
        """The signed transaction that an earlier run noted."""
        ...

    def write(self, raw: bytes) -> None:
        """Keep it, durably, before it is sent."""
        ...

    def drop(self) -> None:
        """No block will hold it, or its refusal was told."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence that the validators' own code accepts."""

    certificate: bytes
    reply: JudgeReply


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything but the fee, known before it is paid."""

    judged: Judged
    gas_limit: int
    fee: Coin
    held: int
    """Coins of the fee's denomination in the account now."""


@dataclass(frozen=True, slots=True)
class Registered:
    """How this node came to be registered."""

    record: NodeRecord
    sent: bool = False
    """Whether this run signed a transaction."""


@dataclass(frozen=True, slots=True)
class Joining:
    """One node that joins.

    Attributes:
        node_id: its registration key, 32 bytes.
        owner: 20 bytes, as evidence binds it.
        timeout_s: the longest wait of each kind.
    """

    node_id: bytes
    owner: bytes
    chain: Chain
    evidence: Evidence
    purse: Purse
    note: Note
    clock: Clock
    progress: Progress
    timeout_s: float

    def rehearse(self) -> Rehearsal | NodeRecord:
        """Everything up to the fee; the record where the node is registered already.

        Raises:
            EvidenceFormatError, VerificationError, PolicyError: the network would refuse.
        """
        record = find_registered(self.chain, self.node_id, self.owner)
        if record is not None:
            return record
        judged = self._judged()
        gas_limit, fee = self.purse.price(judged.certificate)
        held = self.chain.balance(self.purse.address, fee.denom)
        return Rehearsal(judged, gas_limit, fee, held)

    def register(self) -> Registered:
        """Register, once and for one fee, or find that this was done.

        Raises:
            EvidenceFormatError, VerificationError, PolicyError: the network would refuse; no
                fee was paid.
            TxRejectedError: the chain refused, or another owner registered the node.
            WaitTimeoutError: coins or inclusion did not come in time.
            ServiceUnavailableError: the node did not answer.
        """
        found = self.found() or self._resumed()
        if found is not None:
            return found
        judged = self._judged()
        gas_limit, fee = self.purse.price(judged.certificate)
        self._wait_for_funds(fee)
        # The number before the record: were it read after, a registration that a block takes in
        # between would be missed by both looks, and its successor be paid for as well.
        account = self.chain.account(self.purse.address)
        found = self.found()
        if found is not None:
            return found
        raw = self.purse.sign(judged.certificate, gas_limit, fee, account)
        self.note.write(raw)
        outcome = self._settled(raw, "registering")
        if outcome.fate is Fate.INCLUDED:
            return self._included(outcome, self._record(), sent=True)
        found = self.found() if outcome.fate is Fate.SUPERSEDED else None
        if found is not None:  # its own doing, told by a node that keeps no list of transactions
            return Registered(found.record, sent=True)
        self.note.drop()
        raise outcome.refusal or _superseded(raw)

    def found(self) -> Registered | None:
        """That the node is registered already; ``None`` where the chain does not know it.

        Raises:
            TxRejectedError: another owner registered it.
        """
        record = find_registered(self.chain, self.node_id, self.owner)
        if record is None:
            return None
        self.progress.done("register", KEPT, f"registered since height {record.height}")
        return Registered(record)

    # --- an earlier run's transaction -------------------------------------------------------

    def _resumed(self) -> Registered | None:
        """What became of the transaction of an earlier run; ``None`` where it decided nothing."""
        raw = self.note.read()
        if raw is None:
            return None
        outcome = self._settled(raw, "looking after the transaction of an earlier run")
        record = find_registered(self.chain, self.node_id, self.owner)
        if outcome.fate is not Fate.REFUSED and record is not None:
            return self._included(outcome, record, sent=False)
        self.note.drop()
        if outcome.refusal is not None and outcome.is_paid:
            raise outcome.refusal
        return None

    def _settled(self, raw: bytes, what: str) -> Outcome:
        with self.progress.working("register", f"{what}: {tx_hash(raw).hex().upper()}"):
            return sending.settle(
                raw, self.purse.address, self.chain, self.clock, self.timeout_s
            )  # fmt: skip

    def _included(self, outcome: Outcome, record: NodeRecord, *, sent: bool) -> Registered:
        self.progress.done("register", DONE, f"included at height {outcome.height}")
        return Registered(record, sent)

    def _record(self) -> NodeRecord:
        """The proven record, which the state has as soon as the transaction is in a block."""
        record = find_registered(self.chain, self.node_id, self.owner)
        if record is None:
            raise WaitTimeoutError(
                "the register transaction is in a block, and the node does not show its record",
                hint="run the same command again, or name another node with --node",
                details={"state": "unknown"},
            )
        return record

    # --- before the fee ---------------------------------------------------------------------

    def _judged(self) -> Judged:
        """Evidence that passes: what an earlier run kept where it still does, else new."""
        kept = self.evidence.kept()
        if kept is not None and _claims(kept, self.node_id):
            try:
                judged = Judged(kept, self.evidence.judge(kept))
            except (EvidenceFormatError, VerificationError, PolicyError):
                pass  # of another time or place; new evidence has the last word
            else:
                self.progress.done("evidence", KEPT, f"{judged.reply.evidence_kind} is at hand")
                self._tell_verdict(judged)
                return judged
        with self.progress.working("evidence", "asking for evidence"):
            certificate = self.evidence.fetch()
        self.progress.done("evidence", DONE, f"{len(certificate)} bytes")
        with self.progress.working("verdict", "judging the evidence as the validators will"):
            judged = Judged(certificate, self.evidence.judge(certificate))
        self._tell_verdict(judged)
        return judged

    def _tell_verdict(self, judged: Judged) -> None:
        said = judged.reply
        self.progress.done("verdict", DONE, f"accepted: {said.evidence_kind}, {said.tcb_status}")

    def _wait_for_funds(self, fee: Coin) -> None:
        address = self.purse.address
        outcome = KEPT
        if self.chain.balance(address, fee.denom) < fee.amount:
            outcome = DONE
            self.purse.ask_for(fee)
            with self.progress.working("funds", f"waiting for {fee}"):
                wait_for_funds(self.chain, address, fee, self.clock, timeout_s=self.timeout_s)
        self.progress.done("funds", outcome, f"enough for {fee}")


def _claims(certificate: bytes, node_id: bytes) -> bool:
    try:
        return claimed_node_id(certificate) == node_id
    except EvidenceFormatError:
        return False


def _superseded(raw: bytes) -> TxRejectedError:
    name = tx_hash(raw).hex().upper()
    return TxRejectedError(
        f"another transaction of the account took the number of {name}: it was never included, "
        "and cost nothing",
        hint="run the same command again",
        details={"state": "superseded", "tx_hash": name},
    )
