"""Balances and transfers."""

import hashlib
from collections.abc import Sequence
from typing import Final

from enigmacli.app import layout
from enigmacli.app.auth import ensure_account
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.params import Params
from enigmacli.app.refusals import RefusedError
from enigmacli.chain.messages import Coin, MsgSend
from enigmacli.chain.results import Event, EventAttribute
from enigmacli.chain.sdk_codes import SdkCode

FEE_COLLECTOR: Final = hashlib.sha256(b"fee_collector").digest()[:20]
"""The account that fees go to (cosmos-sdk ``x/auth/types``, NewModuleAddress); it has no key."""


def balance(state: Reader, address: bytes, denom: str) -> int:
    """What an account owns of one denomination."""
    return int(state.get(layout.BANK, layout.balance(address, denom)) or b"0")


def balances(state: Reader, address: bytes) -> tuple[Coin, ...]:
    """All that an account owns, sorted by denomination."""
    prefix = layout.balances(address)
    entries = state.scan(layout.BANK, prefix)
    return tuple(Coin(key[len(prefix) :].decode(), int(entries[key])) for key in entries)


def set_balance(state: Overlay, address: bytes, coin: Coin) -> None:
    """Make an account own exactly ``coin`` of its denomination."""
    key = layout.balance(address, coin.denom)
    if coin.amount:
        state.set(layout.BANK, key, str(coin.amount).encode())
    else:
        state.delete(layout.BANK, key)


def move(state: Overlay, payer: bytes, payee: bytes, coins: Sequence[Coin]) -> None:
    """Take coins from one account and give them to another.

    Raises:
        RefusedError: the payer has less.
    """
    for coin in coins:
        held = balance(state, payer, coin.denom)
        if held < coin.amount:
            raise RefusedError(
                SdkCode.INSUFFICIENT_FUNDS,
                f"insufficient-funds: expected at least {coin}, seen {held}{coin.denom}",
            )
        set_balance(state, payer, Coin(coin.denom, held - coin.amount))
        received = balance(state, payee, coin.denom) + coin.amount
        set_balance(state, payee, Coin(coin.denom, received))


def send(state: Overlay, params: Params, message: MsgSend) -> tuple[Event, ...]:
    """Carry out a transfer; an unknown recipient becomes an account.

    Raises:
        RefusedError: the sender has less, or the recipient is the fee collector.
    """
    recipient = message.recipient
    if recipient == FEE_COLLECTOR:
        raise RefusedError(
            SdkCode.UNAUTHORIZED, "blocked-recipient: the fee collector receives fees only"
        )
    ensure_account(state, recipient, params.prefix)
    move(state, message.sender, recipient, message.amount)
    return (
        Event(
            "transfer",
            (
                EventAttribute("recipient", message.to_address, index=True),
                EventAttribute("sender", message.from_address, index=True),
                EventAttribute("amount", ",".join(map(str, message.amount)), index=True),
            ),
        ),
    )
