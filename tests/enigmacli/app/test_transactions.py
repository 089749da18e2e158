"""What every transaction passes before its message, and transfers (protocol.md section 7)."""

import hashlib
from dataclasses import replace
from typing import Any

from enigmacli import protobuf
from enigmacli.chain.address import encode_address
from enigmacli.chain.gas import gas_needed
from enigmacli.chain.messages import Coin, MsgSend
from enigmacli.chain.signing import encode_tx
from tests.enigmacli.app.chain import ALICE, BOB, CAROL, FUNDS, Chain, genesis, policy

FEE_OF_400000 = 1_000  # at 0.0025


def outcome(result: Any) -> tuple[str, int]:
    return result.codespace, result.code


def only(response: Any) -> Any:
    (result,) = response.tx_results
    return result


def test_a_transfer_moves_coins_and_costs_its_fee() -> None:
    chain = Chain().start()

    result = only(chain.decide([chain.send(ALICE, BOB, 5)]))

    assert result.code == 0
    assert chain.balance(ALICE) == FUNDS - 5 - FEE_OF_400000
    assert chain.balance(BOB) == FUNDS + 5
    assert chain.account(ALICE)[1] == 1


def test_fees_go_to_the_standard_module_account() -> None:
    chain = Chain().start()
    chain.decide([chain.send(ALICE, BOB)])
    collector = encode_address("enigma", hashlib.sha256(b"fee_collector").digest()[:20])

    request = protobuf.new("cosmos.bank.v1beta1.QueryAllBalancesRequest", address=collector)
    answer = chain.query("/cosmos.bank.v1beta1.Query/AllBalances", request.SerializeToString())

    found = protobuf.parse("cosmos.bank.v1beta1.QueryAllBalancesResponse", answer.value)
    assert [(coin.denom, coin.amount) for coin in found.balances] == [("uscrt", "1000")]


def test_results_carry_the_formulas_gas_the_limit_and_the_response() -> None:
    chain = Chain().start()
    raw = chain.send(ALICE, BOB)

    result = only(chain.decide([raw]))

    assert (result.gas_wanted, result.gas_used) == (400_000, gas_needed(len(raw), 0))
    data = protobuf.parse("cosmos.base.abci.v1beta1.TxMsgData", result.data)
    assert [one.type_url for one in data.msg_responses] == ["/cosmos.bank.v1beta1.MsgSendResponse"]


def test_a_transfer_to_an_unknown_address_creates_the_account() -> None:
    chain = Chain().start()
    stranger = bytes(range(20))

    chain.decide([chain.send(ALICE, stranger, 7), chain.send(BOB, bytes(20), 7)])

    text = encode_address("enigma", stranger)
    request = protobuf.new("cosmos.auth.v1beta1.QueryAccountRequest", address=text)
    answer = chain.query("/cosmos.auth.v1beta1.Query/Account", request.SerializeToString())
    response = protobuf.parse("cosmos.auth.v1beta1.QueryAccountResponse", answer.value)
    account = protobuf.parse("cosmos.auth.v1beta1.BaseAccount", response.account.value)
    assert (account.address, account.account_number, account.sequence) == (text, 5, 0)


def test_the_public_key_is_kept_at_first_use() -> None:
    chain = Chain().start()
    chain.decide([chain.send(ALICE, BOB)])

    stored = chain.store.get("accounts", b"\x01" + ALICE.address)

    account = protobuf.parse("cosmos.auth.v1beta1.BaseAccount", stored)
    key = protobuf.parse("cosmos.crypto.secp256k1.PubKey", account.pub_key.value)
    assert account.pub_key.type_url == "/cosmos.crypto.secp256k1.PubKey"
    assert key.key == ALICE.public_key


def unchanged(chain: Chain, raw: bytes, code: int) -> None:
    """The transaction is refused with this code and changes nothing at all."""
    before = chain.decide([]).app_hash

    result = only(chain.decide([raw]))

    assert outcome(result) == ("sdk", code), result.log
    assert (result.gas_used, result.data, len(result.events)) == (0, b"", 0)
    assert chain.app_hashes[-1] == before


def test_bytes_that_are_no_transaction_get_code_2() -> None:
    unchanged(Chain().start(), b"\xff\xff", 2)


def test_an_encoding_that_is_not_canonical_gets_code_2() -> None:
    chain = Chain().start()
    raw = protobuf.parse("cosmos.tx.v1beta1.TxRaw", chain.send(ALICE, BOB))
    padded = encode_tx(raw.body_bytes + b"\x12\x00", raw.auth_info_bytes, raw.signatures[0])

    unchanged(chain, padded, 2)


def test_a_signature_for_another_chain_gets_code_4() -> None:
    chain = Chain().start()
    unchanged(chain, chain.send(ALICE, BOB, chain_id="other"), 4)


def test_a_forged_signature_gets_code_4() -> None:
    chain = Chain().start()
    raw = chain.send(ALICE, BOB)

    unchanged(chain, raw[:-1] + bytes([raw[-1] ^ 1]), 4)


def test_another_sequence_gets_code_32() -> None:
    chain = Chain().start()
    unchanged(chain, chain.send(ALICE, BOB, after=1), 32)


def test_the_same_transaction_again_gets_code_32() -> None:
    chain = Chain().start()
    raw = chain.send(ALICE, BOB)
    chain.decide([raw])

    unchanged(chain, raw, 32)


def test_a_fee_below_the_policys_price_gets_code_13() -> None:
    chain = Chain().start()
    unchanged(chain, chain.send(ALICE, BOB, fee=FEE_OF_400000 - 1), 13)


def test_a_fee_is_rounded_up_to_whole_coins() -> None:
    chain = Chain().start()

    # 400,001 x 0.0025 = 1000.0025
    unchanged(chain, chain.send(ALICE, BOB, gas=400_001, fee=1_000), 13)
    assert only(chain.decide([chain.send(ALICE, BOB, gas=400_001, fee=1_001)])).code == 0


def test_a_fee_in_another_denomination_is_none() -> None:
    chain = Chain(genesis(network_policy=policy(min_gas_price="0.0025other"))).start()
    unchanged(chain, chain.send(ALICE, BOB), 13)


def test_no_fee_is_needed_where_the_price_is_zero() -> None:
    chain = Chain(genesis(network_policy=policy(min_gas_price="0uscrt"))).start()

    assert only(chain.decide([chain.send(ALICE, BOB, fee=0)])).code == 0


def test_a_sender_who_cannot_pay_the_fee_gets_code_5() -> None:
    chain = Chain().start()
    unchanged(chain, chain.send(ALICE, BOB, fee=FUNDS + 1), 5)


def test_a_gas_limit_below_the_formula_gets_code_11() -> None:
    chain = Chain().start()
    needed = gas_needed(len(chain.send(ALICE, BOB, gas=53_000)), 0)

    unchanged(chain, chain.send(ALICE, BOB, gas=needed - 1), 11)
    assert only(chain.decide([chain.send(ALICE, BOB, gas=needed)])).code == 0


def test_a_gas_limit_above_the_blocks_gets_code_11() -> None:
    chain = Chain(genesis(max_gas=300_000)).start()
    unchanged(chain, chain.send(ALICE, BOB, gas=300_001), 11)
    assert only(chain.decide([chain.send(ALICE, BOB, gas=300_000)])).code == 0


def test_the_largest_gas_limit_does_not_overflow_the_result() -> None:
    chain = Chain().start()

    result = only(chain.decide([chain.send(ALICE, BOB, gas=2**64 - 1, fee=1)]))

    assert result.code == 11
    assert result.gas_wanted == 2**63 - 1


def test_a_transaction_counts_up_to_its_timeout_height() -> None:
    chain = Chain().start()
    chain.decide([])

    assert only(chain.decide([chain.send(ALICE, BOB, timeout_height=2)])).code == 0
    unchanged(chain, chain.send(ALICE, BOB, timeout_height=2), 30)


def test_an_unknown_sender_gets_code_9() -> None:
    document = genesis({BOB: 10})
    state = document.app_state
    without_alice = replace(
        state,
        accounts=tuple(one for one in state.accounts if one != ALICE.address),
        balances=tuple(one for one in state.balances if one.address != ALICE.address),
    )
    raw = Chain().start().send(ALICE, BOB)

    unchanged(Chain(replace(document, app_state=without_alice)).start(), raw, 9)


def test_a_recipient_of_another_prefix_gets_code_7() -> None:
    chain = Chain().start()
    text = encode_address("cosmos", BOB.address)
    unchanged(chain, chain.sign(ALICE, MsgSend(ALICE.bech32, text, (Coin("uscrt", 1),))), 7)


def test_a_transaction_that_is_too_long_gets_code_21() -> None:
    chain = Chain().start()
    unchanged(chain, bytes(68 * 1024 + 1), 21)


def kept_fee(chain: Chain, raw: bytes, codespace: str, code: int) -> None:
    """The message fails: fee and sequence stay, everything else is undone."""
    before, sequence = chain.balance(ALICE), chain.account(ALICE)[1]

    result = only(chain.decide([raw]))

    assert outcome(result) == (codespace, code), result.log
    assert (result.gas_wanted, result.gas_used) == (400_000, gas_needed(len(raw), 0))
    assert (result.data, len(result.events)) == (b"", 0)
    assert chain.balance(ALICE) == before - FEE_OF_400000
    assert chain.account(ALICE)[1] == sequence + 1


def test_a_transfer_of_more_than_is_there_keeps_fee_and_sequence() -> None:
    chain = Chain().start()
    chain.decide([])

    kept_fee(chain, chain.send(ALICE, BOB, FUNDS), "sdk", 5)

    assert chain.balance(BOB) == FUNDS


def test_nothing_may_be_sent_to_the_fee_collector() -> None:
    chain = Chain().start()
    chain.decide([])
    collector = hashlib.sha256(b"fee_collector").digest()[:20]

    kept_fee(chain, chain.send(ALICE, collector), "sdk", 4)


def test_a_later_message_that_fails_undoes_the_earlier_ones() -> None:
    chain = Chain().start()
    chain.decide([])
    small = MsgSend(ALICE.bech32, BOB.bech32, (Coin("uscrt", 5),))
    large = MsgSend(ALICE.bech32, CAROL.bech32, (Coin("uscrt", FUNDS),))

    kept_fee(chain, chain.sign_all(ALICE, [small, large]), "sdk", 5)

    assert chain.balance(BOB) == FUNDS
    assert chain.balance(CAROL) == FUNDS


def test_several_messages_give_several_responses() -> None:
    chain = Chain().start()
    messages = [
        MsgSend(ALICE.bech32, one.bech32, (Coin("uscrt", 5),)) for one in (BOB, CAROL, ALICE)
    ]

    result = only(chain.decide([chain.sign_all(ALICE, messages)]))

    data = protobuf.parse("cosmos.base.abci.v1beta1.TxMsgData", result.data)
    assert (result.code, len(data.msg_responses), len(result.events)) == (0, 3, 3)
    assert chain.balance(ALICE) == FUNDS - 10 - FEE_OF_400000


def test_transactions_of_one_sender_follow_each_other_in_a_block() -> None:
    chain = Chain().start()

    response = chain.decide([chain.send(ALICE, BOB, after=place) for place in range(3)])

    assert [one.code for one in response.tx_results] == [0, 0, 0]
    assert chain.account(ALICE)[1] == 3
