"""Who gets coins of a faucet, how often, and for which networks there is none."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from enigmacli.app.genesis import new_genesis
from enigmacli.chain.address import encode_address
from enigmacli.chain.messages import Coin
from enigmacli.errors import ConfigError
from enigmacli.localnet.faucet import PATH, PER_MINUTE, Faucet, check_simulated
from enigmacli.simulated_intel.exchange import Request

GIFT = Coin("uscrt", 1000)
NEW = encode_address("enigma", b"n" * 20)


@dataclass
class Giver:
    """Balances in memory."""

    held: dict[str, int] = field(default_factory=dict)

    def balance(self, address: str) -> int:
        return self.held.get(address, 0)

    def send(self, address: str) -> bytes:
        self.held[address] = self.balance(address) + GIFT.amount
        return b"\xab" * 32


def faucet(giver: Giver) -> Faucet:
    return Faucet(giver, GIFT, "net-1", "enigma")


def posted(
    to: Faucet, body: bytes, *, path: str = PATH, method: str = "POST", now_s: float = 0.0
) -> tuple[int, dict[str, Any]]:
    answer = to.answer(Request(method, path, {}, {}, body, "127.0.0.1"), now_s)
    return answer.status, json.loads(answer.body)


def wish(address: str) -> bytes:
    return json.dumps({"address": address}).encode()


def test_an_address_gets_the_gift_once_until_it_is_spent() -> None:
    giver = Giver()
    to = faucet(giver)

    first, second = posted(to, wish(NEW)), posted(to, wish(NEW))
    giver.held[NEW] = 99
    third = posted(to, wish(NEW))

    assert [status for status, _ in (first, second, third)] == [200, 200, 200]
    assert [told["given"] for _, told in (first, second, third)] == [True, False, True]
    assert first[1]["tx_hash"] == "AB" * 32
    assert giver.held[NEW] == 99 + GIFT.amount


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"address": 7}', wish(NEW[:-1]), wish("other1abc"), wish(NEW.upper()),
     b'{"address": "' + b"a" * 5000 + b'"}'],
)  # fmt: skip
def test_what_names_no_address_of_the_network_gets_nothing(body: bytes) -> None:
    giver = Giver()

    status, told = posted(faucet(giver), body)

    assert (status, giver.held) == (400, {})
    assert told["reason"]


def test_only_so_many_requests_a_minute_are_looked_at() -> None:
    to = faucet(Giver())
    statuses = [posted(to, wish(NEW))[0] for _ in range(PER_MINUTE + 1)]

    later = posted(to, wish(NEW), now_s=2.0)[0]

    assert statuses == [200] * PER_MINUTE + [429]
    assert later == 200


def test_it_says_what_it_is_and_knows_one_path() -> None:
    to = faucet(Giver())

    assert posted(to, b"", path="/", method="GET")[1] == {
        "simulation": True, "chain_id": "net-1", "gift": "1000uscrt",
    }  # fmt: skip
    assert posted(to, b"", method="GET")[0] == 405
    assert posted(to, b"", path="/other")[0] == 404


def test_a_network_that_is_not_simulated_has_no_faucet() -> None:
    with pytest.raises(ConfigError, match="simulated networks only"):
        check_simulated(new_genesis("net-1", 0))
