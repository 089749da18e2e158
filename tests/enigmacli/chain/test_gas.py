from fractions import Fraction

import pytest

from enigmacli.chain.gas import GasPrice, fee_for, gas_needed
from enigmacli.chain.messages import Coin
from enigmacli.errors import MalformedError


def test_gas_is_the_formula() -> None:
    assert gas_needed(0, registers=0) == 50_000
    assert gas_needed(8_000, registers=1) == 50_000 + 80_000 + 200_000


@pytest.mark.parametrize(
    ("gas", "price", "amount"),
    [
        (100_000, "0.0025uscrt", 250),
        (100_001, "0.0025uscrt", 251),
        (1, "0.000000000000000001uscrt", 1),
        (50_000, "0uscrt", 0),
        (50_000, "1uscrt", 50_000),
        (3, "0.333333333333333333uscrt", 1),
    ],
)
def test_a_fee_is_rounded_up_exactly(gas: int, price: str, amount: int) -> None:
    assert fee_for(gas, GasPrice.parse(price)) == Coin("uscrt", amount)


def test_a_price_is_an_exact_fraction() -> None:
    assert GasPrice.parse("0.0025uscrt") == (Fraction(1, 400), "uscrt")


@pytest.mark.parametrize(
    "text",
    ["", "uscrt", "0.0025", ".5uscrt", "1.uscrt", "-1uscrt", "0.0000000000000000001uscrt",
     "1 uscrt", "1uscrt\n", "1us", "٣uscrt", "1uscrt!"],
)  # fmt: skip
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        GasPrice.parse(text)
