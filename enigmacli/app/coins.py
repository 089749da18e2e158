"""Coins in the JSON of genesis."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from enigmacli.app.json_forms import decimal, items, members, text
from enigmacli.chain.messages import Coin
from enigmacli.chain.sdk_codes import TxInvalidError
from enigmacli.errors import GenesisError

MAX_AMOUNT: Final = 2**128 - 1
"""The largest amount that an account starts with, of one denomination."""


def coins_from_value(value: Any, path: str) -> tuple[Coin, ...]:
    """Read ``[{"denom", "amount"}]``: sorted by denomination, none twice, amounts from 1.

    Raises:
        GenesisError: another form; names the path.
    """
    found = []
    for place, item in enumerate(items(value, path)):
        where = f"{path}[{place}]"
        entry = members(item, where, {"amount", "denom"})
        amount = decimal(entry["amount"], f"{where}.amount", 1, MAX_AMOUNT)
        try:
            found.append(Coin.from_parts(text(entry["denom"], f"{where}.denom"), str(amount)))
        except TxInvalidError as error:
            raise GenesisError(f"{where}: {error}") from error
    if any(before.denom >= after.denom for before, after in pairwise(found)):
        raise GenesisError(f"{path} must be sorted by denomination, none twice")
    return tuple(found)


def coins_to_value(coins: Sequence[Coin]) -> list[dict[str, str]]:
    """The JSON values of :func:`coins_from_value`."""
    return [{"amount": str(coin.amount), "denom": coin.denom} for coin in coins]
