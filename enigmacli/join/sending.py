"""One registration and one fee: what became of a signed register transaction.

An account's transactions are numbered, and a chain includes one of a number at most. So a
transaction that was noted is offered again, byte for byte, until a block holds it or another
one has taken its number; only then, or when a node refuses it before any block holds it, may
another one be signed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
from enigmacli.chain.queries import check_code
from enigmacli.chain.sdk_codes import CODESPACE, SdkCode
from enigmacli.chain.tx import decode_tx
from enigmacli.errors import (
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from enigmacli.registration import Backoff
from enigmacli.submission import Account, Clock

OFFER_AGAIN_S: Final = 5.0
"""How often a transaction that no block holds is offered again: a node may have lost it."""

_BACKOFF: Final = Backoff(first_s=0.05, most_s=1.0)
_FOR_NOW: Final = frozenset(
    {
        (CODESPACE, int(SdkCode.TX_IN_MEMPOOL_CACHE)),
        (CODESPACE, int(SdkCode.MEMPOOL_IS_FULL)),
        ("register", 10),  # protocol.md section 7: the enclave of that node is unavailable
    }
)
"""Refusals that say nothing about the transaction itself."""

_WRONG_NUMBER: Final = (CODESPACE, int(SdkCode.WRONG_SEQUENCE))


class Chain(Protocol):
    """A node of the network, as far as a transaction's fate goes."""

    def account(self, address: str) -> Account:
        """:class:`NotFoundError` where there is none."""
        ...

    def broadcast(self, raw: bytes, *, check: bool) -> BroadcastAnswer:
        """Hand over a transaction; :class:`TxRejectedError` where the node refuses it."""
        ...

    def find_tx(self, tx_hash: bytes) -> TxAnswer | None:
        """The transaction in its block; ``None`` where no block holds it."""
        ...


class Fate(StrEnum):
    """What became of a transaction."""

    INCLUDED = "included"
    REFUSED = "refused"
    """By a block's execution, for a fee, or by a node, for none."""
    SUPERSEDED = "superseded"
    """Another transaction of the account has its number: no block will ever hold it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of a transaction, and what goes with it."""

    fate: Fate
    height: int | None = None
    """Of its block."""
    refusal: TxRejectedError | None = None

    @property
    def is_paid(self) -> bool:
        """Whether a block took the fee."""
        return self.height is not None


_STATES: Final = {
    "not-included": ("no block holds it yet", "the same command again goes on waiting"),
    "unknown": (
        "the node does not answer, so it is not known whether a block holds it",
        "run the same command again, or with another --node: no second fee is paid",
    ),
}


def settle(raw: bytes, address: str, chain: Chain, clock: Clock, timeout_s: float) -> Outcome:
    """Offer a transaction, and stay with it until its fate is known.

    Args:
        raw: signed, and noted where it survives this process.
        address: of its account, bech32.
        chain: a node of the network.
        clock: the source of time and of waiting.
        timeout_s: the longest wait.

    Raises:
        WaitTimeoutError: the fate is not known in time; ``details["state"]`` is
            ``not-included`` or ``unknown``.
    """
    offering = _Offering(raw, address, chain)
    deadline = clock.monotonic() + timeout_s
    next_offer = clock.monotonic()
    for pause in _BACKOFF.pauses():
        now = clock.monotonic()
        try:
            outcome = offering.look()
            if outcome is None and now >= next_offer:
                outcome = offering.offer()
                next_offer = now + OFFER_AGAIN_S
            state = "not-included"
        except ServiceUnavailableError:
            outcome, state, next_offer = None, "unknown", now
        if outcome is not None:
            return outcome
        if now >= deadline:
            raise _timed_out(offering.hash, state, timeout_s)
        clock.sleep(min(pause, max(deadline - now, 0.0)))
    raise AssertionError("pauses end")


class _Offering:
    """One transaction, offered to one node."""

    def __init__(self, raw: bytes, address: str, chain: Chain) -> None:
        self._raw = raw
        self._address = address
        self._chain = chain
        tx = decode_tx(raw)
        self.hash = tx.hash
        self._sequence = tx.sequence
        self._was_overtaken = False

    def look(self) -> Outcome | None:
        """The fate that a block decided; ``None`` where none holds the transaction."""
        found = self._chain.find_tx(self.hash)
        if found is None:
            return None
        try:
            check_code(found.result.code, found.result.codespace, found.result.log, self.hash)
        except TxRejectedError as refusal:
            return Outcome(Fate.REFUSED, found.height, refusal)
        return Outcome(Fate.INCLUDED, found.height)

    def offer(self) -> Outcome | None:
        """Offer the same bytes; ``None`` where they wait for a block now."""
        try:
            self._chain.broadcast(self._raw, check=True)
        except TxRejectedError as refusal:
            told = refusal.details
            code = told.get("codespace"), told.get("code")
            return None if code in _FOR_NOW else self._look_behind(refusal, code)
        return None

    def _look_behind(self, refusal: TxRejectedError, code: tuple[object, object]) -> Outcome | None:
        """Whether a refusal is about the transaction, or about its number.

        A number that the state has free and the node does not is one of a transaction that
        waits there. One that is used up was used by this transaction or by another one; the list
        of transactions may come a moment after the state, so that it is looked at twice.
        """
        if self._is_number_free():
            return None if code == _WRONG_NUMBER else Outcome(Fate.REFUSED, None, refusal)
        found = self.look()
        if found is None and self._was_overtaken:
            return Outcome(Fate.SUPERSEDED)
        self._was_overtaken = True
        return found

    def _is_number_free(self) -> bool:
        try:
            return self._chain.account(self._address).sequence <= self._sequence
        except (NotFoundError, ServiceRefusedError):
            return True


def _timed_out(tx_hash: bytes, state: str, timeout_s: float) -> WaitTimeoutError:
    what, hint = _STATES[state]
    name = tx_hash.hex().upper()
    return WaitTimeoutError(
        f"the register transaction {name} was sent, and after {timeout_s:g} s {what}",
        hint=hint,
        details={"state": state, "tx_hash": name, "timeout_s": timeout_s},
    )
