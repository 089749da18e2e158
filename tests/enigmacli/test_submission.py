from fractions import Fraction

import coincurve
import pytest

from enigmacli.chain import signing
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.gas import GasPrice
from enigmacli.chain.messages import Coin, MsgSend
from enigmacli.errors import (
    InsufficientFundsError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from enigmacli.submission import (
    Draft,
    Signer,
    Terms,
    draft,
    send,
    sign,
)
from tests.simulators.registering_chain import SimulatedChain, SimulatedClock

KEY = coincurve.PrivateKey(b"\x01" * 32)
PUBLIC_KEY = KEY.public_key.format()
ALICE = encode_address("enigma", address_of(PUBLIC_KEY))
BOB = encode_address("enigma", bytes(20))
SIGNER = Signer(ALICE, PUBLIC_KEY, lambda message: signing.sign(KEY, message))
TERMS = Terms(GasPrice(Fraction(25, 10_000), "uscrt"))
GIFT = MsgSend(ALICE, BOB, (Coin("uscrt", 100),))


def prepared(chain: SimulatedChain, terms: Terms = TERMS) -> Draft:
    return draft(GIFT, ALICE, chain, chain.chain_id, terms, spends=Coin("uscrt", 100))


@pytest.fixture
def chain() -> SimulatedChain:
    chain = SimulatedChain()
    chain.fund(ALICE, 1_000_000)
    return chain


def test_estimates_gas_with_a_margin_of_three_tenths(chain: SimulatedChain) -> None:
    tx = prepared(chain)

    estimate = signing.estimate_gas(GIFT)
    assert estimate * 1.3 <= tx.gas_limit <= estimate * 1.3 + 1
    assert tx.fee == Coin("uscrt", -(-tx.gas_limit * 25 // 10_000))


def test_takes_a_gas_limit_and_a_fee_as_they_are_given(chain: SimulatedChain) -> None:
    tx = prepared(chain, Terms(TERMS.price, gas_limit=77_777, fee=Coin("uscrt", 5)))

    assert (tx.gas_limit, tx.fee) == (77_777, Coin("uscrt", 5))


def test_sends_what_the_chain_accepts_and_waits_for_its_block(chain: SimulatedChain) -> None:
    chain.delay = 3
    clock = SimulatedClock()

    receipt = send(sign(prepared(chain), SIGNER), chain, "block", clock, timeout_s=10)

    assert receipt.height == 1
    assert len(clock.naps) == 3
    assert chain.balances[ALICE, "uscrt"] == 1_000_000 - 100 - prepared(chain).fee.amount


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_does_not_wait_for_a_block_in_the_other_modes(chain: SimulatedChain, mode: str) -> None:
    receipt = send(sign(prepared(chain), SIGNER), chain, mode, SimulatedClock(), timeout_s=10)

    assert receipt.height is None


def test_refuses_before_sending_where_the_account_does_not_exist() -> None:
    chain = SimulatedChain()

    with pytest.raises(InsufficientFundsError, match=ALICE) as caught:
        prepared(chain)

    assert caught.value.details["held"] == "0uscrt"
    assert not chain.sent


def test_counts_fee_and_amount_together(chain: SimulatedChain) -> None:
    fee = prepared(chain).fee.amount
    chain.fund(ALICE, fee + 99)

    with pytest.raises(InsufficientFundsError) as caught:
        prepared(chain)

    assert caught.value.details == {
        "address": ALICE,
        "needed": f"{fee + 100}uscrt",
        "held": f"{fee + 99}uscrt",
    }
    chain.fund(ALICE, fee + 100)
    assert prepared(chain).fee.amount == fee


def test_a_refusal_by_check_tx_is_passed_on(chain: SimulatedChain) -> None:
    chain.check_refusal = TxRejectedError("wrong sequence", details={"code": 32})

    with pytest.raises(TxRejectedError, match="wrong sequence"):
        send(sign(prepared(chain), SIGNER), chain, "block", SimulatedClock(), timeout_s=10)


def test_a_transaction_that_the_node_has_already_is_waited_for(chain: SimulatedChain) -> None:
    raw = sign(prepared(chain), SIGNER)
    send(raw, chain, "sync", SimulatedClock(), timeout_s=10)
    chain.check_refusal = TxRejectedError("tx already exists in cache", details={"code": 19})

    assert send(raw, chain, "block", SimulatedClock(), timeout_s=10).height == 1


def test_a_block_that_does_not_come_is_a_time_out(chain: SimulatedChain) -> None:
    chain.delay = 10**6
    clock = SimulatedClock()

    with pytest.raises(WaitTimeoutError):
        send(sign(prepared(chain), SIGNER), chain, "block", clock, timeout_s=2)

    assert clock.at_s == 1002


def test_a_node_that_is_silent_when_asked_to_send_is_named_with_the_hash(
    chain: SimulatedChain,
) -> None:
    raw = sign(prepared(chain), SIGNER)
    chain.down_for = 1

    with pytest.raises(ServiceUnavailableError) as caught:
        send(raw, chain, "sync", SimulatedClock(), timeout_s=10)

    assert len(caught.value.details["tx_hash"]) == 64


def test_an_unsigned_transaction_names_everything_its_signer_needs(chain: SimulatedChain) -> None:
    unsigned = prepared(chain).unsigned()

    assert unsigned["chain_id"] == "enigma-test"
    assert unsigned["signer"] == ALICE
    assert unsigned["account_number"] == "0"
    assert unsigned["sequence"] == "0"
    assert unsigned["message"] == "/cosmos.bank.v1beta1.MsgSend"
