"""Gas and fees: a formula, so that nothing has to be measured (protocol.md section 7)."""

import math
import re
from fractions import Fraction
from typing import Final, NamedTuple

from enigmacli.chain.messages import Coin
from enigmacli.errors import MalformedError

BASE: Final = 50_000
PER_BYTE: Final = 10
PER_REGISTER: Final = 200_000

_PRICE: Final = re.compile(r"(?P<whole>\d{1,18})(\.(?P<places>\d{1,18}))?(?P<denom>[a-zA-Z].*)")


class GasPrice(NamedTuple):
    """What one unit of gas costs."""

    amount: Fraction
    denom: str

    @classmethod
    def parse(cls, text: str) -> "GasPrice":
        """Read ``0.0025uscrt``.

        Raises:
            MalformedError: ``text`` is not a decimal of at most 18 places with a denomination.
        """
        found = _PRICE.fullmatch(text)
        if not found or not text.isascii():
            raise MalformedError(f"{text[:40]!r} is no gas price, like 0.0025uscrt")
        places = found["places"] or ""
        Coin.from_parts(found["denom"], "0")
        return cls(Fraction(int(found["whole"] + places), 10 ** len(places)), found["denom"])


def gas_needed(tx_size_bytes: int, registers: int) -> int:
    """Gas of a transaction with that many raw bytes and register messages."""
    return BASE + PER_BYTE * tx_size_bytes + PER_REGISTER * registers


def fee_for(gas: int, price: tuple[Fraction, str]) -> Coin:
    """The least fee for that gas: the product, rounded up to whole coins."""
    amount, denom = price
    return Coin(denom, math.ceil(gas * amount))
