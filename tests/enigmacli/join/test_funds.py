"""Waiting for coins, and asking a faucet for them."""

import json
from dataclasses import dataclass, field

import httpx
import pytest

from enigmacli.attestation.service_client import ServiceClient
from enigmacli.chain.messages import Coin
from enigmacli.errors import (
    ConfigError,
    MalformedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from enigmacli.join.faucet import ask, check_allowed
from enigmacli.join.funds import wait_for_funds
from tests.simulators.registering_chain import SimulatedClock

FEE = Coin("uscrt", 1000)


@dataclass
class Bank:
    """Holds nothing until ``at_s``; does not answer in between."""

    clock: SimulatedClock
    at_s: float
    away: tuple[float, float] = (0, 0)
    asked: list[float] = field(default_factory=list)

    def balance(self, address: str, denom: str) -> int:
        assert (address, denom) == ("enigma1new", "uscrt")
        self.asked.append(self.clock.at_s)
        if self.away[0] <= self.clock.at_s < self.away[1]:
            raise ServiceUnavailableError("the node did not answer")
        return 1000 if self.clock.at_s >= self.at_s else 999


def wait(bank: Bank) -> None:
    wait_for_funds(bank, "enigma1new", FEE, bank.clock, timeout_s=10)


def test_an_account_that_can_pay_waits_for_nothing() -> None:
    clock = SimulatedClock()

    wait(Bank(clock, 0))

    assert clock.naps == []


def test_coins_are_waited_for_even_while_the_node_is_away() -> None:
    clock = SimulatedClock()
    due = clock.at_s + 5

    wait(Bank(clock, due, (clock.at_s + 1, clock.at_s + 3)))

    assert due <= clock.at_s < due + 3


def test_the_end_of_the_wait_names_account_and_amount() -> None:
    clock = SimulatedClock()

    with pytest.raises(WaitTimeoutError) as caught:
        wait(Bank(clock, clock.at_s + 60))

    assert caught.value.details == {
        "state": "no-funds", "address": "enigma1new", "needed": "1000uscrt", "held": "999uscrt",
    }  # fmt: skip
    assert "tx bank send FROM enigma1new 1000uscrt" in caught.value.hint


def client(status: int, body: bytes) -> ServiceClient:
    def handle(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"address": "enigma1new"}
        return httpx.Response(status, stream=httpx.ByteStream(body))

    transport = httpx.MockTransport(handle)
    return ServiceClient("faucet", "http://127.0.0.1:1", transport=transport)


def test_people_are_told_what_the_faucet_says_that_it_did() -> None:
    sent = ask(client(200, b'{"given": true, "amount": "7uscrt"}'), "enigma1new")
    not_sent = ask(client(200, b'{"given": false, "amount": "7uscrt"}'), "enigma1new")

    assert (sent, not_sent) == ("the faucet sent 7uscrt", "the faucet sent nothing of 7uscrt")


def test_a_faucet_that_refuses_is_refused_by_name() -> None:
    with pytest.raises(ServiceRefusedError, match="no address of this network"):
        ask(client(400, b'{"reason": "no address of this network"}'), "enigma1new")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"a":' * 500, b"7"])
def test_nonsense_of_a_faucet_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        ask(client(200, body), "enigma1new")


def test_a_faucet_is_for_simulated_networks() -> None:
    check_allowed("http://127.0.0.1:1", simulation=True)
    check_allowed("", simulation=False)

    with pytest.raises(ConfigError, match="simulated networks only"):
        check_allowed("http://127.0.0.1:1", simulation=False)
