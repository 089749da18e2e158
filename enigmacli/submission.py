"""One message, one transaction: price it, see that it can be paid, sign it, send it.

Source of order and modes: the Cosmos SDK's ``tx`` commands (``client/tx``). Nothing is sent
before the account is known to hold fee and amount, because a failed transaction may cost
its fee all the same.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol

from enigmacli.chain import signing
from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
from enigmacli.chain.gas import GasPrice, fee_for
from enigmacli.chain.messages import Coin, Message
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import tx_hash
from enigmacli.errors import (
    InsufficientFundsError,
    NotFoundError,
    ServiceUnavailableError,
    TxRejectedError,
)

GAS_ADJUSTMENT: Final = Fraction(13, 10)
"""``--gas auto`` takes the estimate times this (protocol.md section 7)."""

MODES: Final = ("sync", "async", "block")


class Account(Protocol):
    """An account as the chain knows it."""

    @property
    def number(self) -> int:
        """Fixed when the account was made."""
        ...

    @property
    def sequence(self) -> int:
        """That its next transaction must carry."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that was sent and not refused."""

    tx_hash: bytes
    height: int | None = None
    """Of its block; ``None`` where inclusion was not waited for."""
    gas_used: int = 0


class Chain(Protocol):
    """A node of the network, as far as sending goes."""

    def account(self, address: str) -> Account:
        """:class:`NotFoundError` where there is none."""
        ...

    def balance(self, address: str, denom: str) -> int:
        """Whole coins held."""
        ...

    def broadcast(self, raw: bytes, *, check: bool) -> BroadcastAnswer:
        """Hand over a transaction; with ``check`` the node's CheckTx is waited for."""
        ...

    def wait_for_tx(
        self,
        tx_hash: bytes,
        deadline: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> TxAnswer:
        """Ask until a block holds the transaction, and refuse one that failed."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """The account that signs and pays."""

    address: str
    """bech32."""
    public_key: bytes
    """33 bytes, compressed secp256k1."""
    sign: Callable[[bytes], bytes]
    """Given the sign bytes, the 64-byte signature."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the sender is ready to pay, and by when."""

    price: GasPrice
    gas_limit: int | None = None
    """``None`` estimates."""
    fee: Coin | None = None
    """``None`` takes the price."""
    gas_adjustment: Fraction = GAS_ADJUSTMENT
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A priced transaction, not yet signed."""

    message: Message
    signer: str
    """bech32."""
    chain_id: str
    account_number: int
    sequence: int
    gas_limit: int
    fee: Coin
    memo: str

    def unsigned(self) -> dict[str, Any]:
        """What ``--generate-only`` prints: the sign document's parts, bytes in base64."""
        body = signing.encode_body(self.message, memo=self.memo)
        return {
            "chain_id": self.chain_id,
            "account_number": str(self.account_number),
            "sequence": str(self.sequence),
            "signer": self.signer,
            "message": self.message.type_url,
            "fee": str(self.fee),
            "gas_limit": str(self.gas_limit),
            "body_bytes": base64.b64encode(body).decode(),
        }


def draft(
    message: Message,
    signer: str,
    chain: Chain,
    chain_id: str,
    terms: Terms,
    *,
    spends: Coin | None = None,
) -> Draft:
    """Price a transaction and see that its account can pay it.

    Args:
        message: what it says.
        signer: bech32 address of the account that pays.
        chain: a node of the network.
        chain_id: of the network.
        terms: gas, price and fee.
        spends: what the message itself takes from the account, if anything.

    Raises:
        InsufficientFundsError: the account does not exist, or holds too little.
        ServiceUnavailableError: the node did not answer.
    """
    gas, fee = price(message, terms)
    account = _check_funds(chain, signer, fee, spends)
    return Draft(message, signer, chain_id, account.number, account.sequence, gas, fee, terms.memo)


def price(message: Message, terms: Terms) -> tuple[int, Coin]:
    """The gas limit and the fee of a transaction, whoever sends it."""
    gas = terms.gas_limit
    if gas is None:
        estimate = signing.estimate_gas(message, memo=terms.memo, denom=terms.price.denom)
        gas = math.ceil(estimate * terms.gas_adjustment)
    return gas, terms.fee or fee_for(gas, terms.price)


def _check_funds(chain: Chain, signer: str, fee: Coin, spends: Coin | None) -> Account:
    needed = {fee.denom: fee.amount}
    if spends is not None:
        needed[spends.denom] = needed.get(spends.denom, 0) + spends.amount
    try:
        account = chain.account(signer)
    except NotFoundError as error:
        raise _cannot_pay(signer, Coin(fee.denom, needed[fee.denom]), 0) from error
    for denom, amount in sorted(needed.items()):
        held = chain.balance(signer, denom)
        if held < amount:
            raise _cannot_pay(signer, Coin(denom, amount), held)
    return account


def _cannot_pay(signer: str, needed: Coin, held: int) -> InsufficientFundsError:
    return InsufficientFundsError(
        f"account {signer} holds {held}{needed.denom} and needs {needed}; nothing was sent",
        hint=f"send it coins: enigmacli tx bank send FROM {signer} AMOUNT",
        details={"address": signer, "needed": str(needed), "held": f"{held}{needed.denom}"},
    )


def sign(tx: Draft, signer: Signer) -> bytes:
    """The raw, signed transaction."""
    return signing.build_and_sign(
        tx.message,
        sign=signer.sign,
        public_key=signer.public_key,
        chain_id=tx.chain_id,
        account_number=tx.account_number,
        sequence=tx.sequence,
        gas_limit=tx.gas_limit,
        fee=(tx.fee,),
        memo=tx.memo,
    )


class Clock(Protocol):
    """The only source of time and of waiting."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        ...


def send(raw: bytes, chain: Chain, mode: str, clock: Clock, *, timeout_s: float) -> Receipt:
    """Hand a signed transaction over, and in mode ``block`` wait for its block.

    Args:
        raw: the signed transaction.
        chain: a node of the network.
        mode: one of :data:`MODES`; ``async`` does not even wait for CheckTx.
        clock: the source of time and of waiting.
        timeout_s: the longest wait for the block.

    Raises:
        TxRejectedError: CheckTx, or the block's execution, refused it.
        WaitTimeoutError: no block held it in time; it may still come.
        ServiceUnavailableError: the node did not answer; whether it took it is not known.
    """
    digest = tx_hash(raw)
    try:
        chain.broadcast(raw, check=mode != "async")
    except ServiceUnavailableError as error:
        error.details.setdefault("tx_hash", digest.hex().upper())
        raise
    except TxRejectedError as error:
        if error.details.get("code") != SdkCode.TX_IN_MEMPOOL_CACHE:
            raise
        # the node has it already: an earlier call was cut off after it was handed over
    if mode != "block":
        return Receipt(digest)
    deadline = clock.monotonic() + timeout_s
    found = chain.wait_for_tx(digest, deadline, clock.monotonic, clock.sleep)
    return Receipt(digest, found.height, found.result.gas_used)
