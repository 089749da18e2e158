"""Transactions: the SDK's own bytes, one refusal each, and any bytes at all."""

from collections.abc import Callable
from typing import Any

import coincurve
import pytest

from enigmacli import protobuf
from enigmacli.chain import signing, tx
from enigmacli.chain.messages import Coin, Message, MsgSend, RaAuthenticate, SetValidator
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import TxInvalidError, decode_simulation, decode_tx
from tests.enigmacli.chain.tx_kit import (
    ACCOUNT,
    ADDRESS,
    KEY,
    OTHER,
    PUBLIC_KEY,
    REGISTER,
    SEND,
    VOTE,
    altered,
    refusal,
    signed,
)
from tests.vector_files import vectors

# --- what is accepted -------------------------------------------------------------------------


@pytest.mark.parametrize("known", vectors("cosmos_tx"))
def test_transactions_of_the_cosmos_sdk_are_read(known: dict[str, Any]) -> None:
    found = decode_tx(bytes.fromhex(known["raw"]))

    message = MsgSend(known["from"], known["to"], tuple(map(Coin.parse, known["amount"])))
    assert found.messages == (message,)
    assert (found.memo, found.timeout_height) == (known["memo"], known["timeout_height"])
    assert (found.sequence, found.gas_limit) == (known["sequence"], known["gas_limit"])
    assert [str(coin) for coin in found.fee_amount] == known["fee"]
    assert found.public_key.hex() == known["public_key"]
    assert found.signature.hex() == known["signature"]
    signing.verify_signature(found, known["chain_id"], known["account_number"])


@pytest.mark.parametrize("known", vectors("cosmos_tx"))
def test_our_transactions_are_those_of_the_cosmos_sdk(known: dict[str, Any]) -> None:
    key = coincurve.PrivateKey(bytes.fromhex(known["private_key"]))

    raw = signing.build_and_sign(
        MsgSend(known["from"], known["to"], tuple(map(Coin.parse, known["amount"]))),
        sign=lambda text: signing.sign(key, text),
        public_key=key.public_key.format(),
        chain_id=known["chain_id"],
        account_number=known["account_number"],
        sequence=known["sequence"],
        gas_limit=known["gas_limit"],
        fee=tuple(map(Coin.parse, known["fee"])),
        memo=known["memo"],
        timeout_height=known["timeout_height"],
    )

    assert raw.hex() == known["raw"]


@pytest.mark.parametrize("message", [SEND, REGISTER, VOTE])
def test_each_message_comes_back_as_it_was(message: Message) -> None:
    found = decode_tx(signed(message, memo="m", timeout_height=9))

    assert found.messages == (message,)
    assert found.messages[0].value == message.encode()
    assert found.sender == ACCOUNT
    assert (found.sequence, found.memo, found.timeout_height) == (4, "m", 9)


def test_only_a_register_transaction_has_a_register() -> None:
    assert decode_tx(signed(REGISTER)).register == REGISTER
    assert decode_tx(signed(SEND)).register is None


def test_a_transfer_has_two_accounts() -> None:
    assert (SEND.sender, SEND.recipient) == (ACCOUNT, bytes(20))


def test_gas_follows_size_and_kind() -> None:
    raw = signed(REGISTER)

    assert decode_tx(raw).gas_needed == 250_000 + 10 * len(raw)
    assert decode_tx(signed(SEND)).gas_needed == 50_000 + 10 * len(signed(SEND))


def test_the_hash_is_that_of_the_raw_bytes() -> None:
    assert decode_tx(signed()).hash == tx.tx_hash(signed())


def test_several_messages_of_one_sender_are_accepted() -> None:
    def add(_: Any, body: Any, __: Any) -> None:
        body.messages.add(type_url=VOTE.type_url, value=VOTE.encode())

    assert decode_tx(altered(add)).messages == (SEND, VOTE)


def test_the_signer_may_be_named_as_fee_payer() -> None:
    def name(_: Any, __: Any, auth: Any) -> None:
        auth.fee.payer = ADDRESS

    assert decode_tx(altered(name)).sender == ACCOUNT


def test_a_fee_may_be_zero_or_empty() -> None:
    assert decode_tx(signed(fee=())).fee_amount == ()
    assert decode_tx(signed(fee=(Coin("uscrt", 0),))).fee_amount == (Coin("uscrt", 0),)


# --- refused features: one alteration, one rule, one number -----------------------------------


def _extension(_: Any, body: Any, __: Any) -> None:
    body.extension_options.add(type_url="/x.Y")


def _non_critical_extension(_: Any, body: Any, __: Any) -> None:
    body.non_critical_extension_options.add(type_url="/x.Y")


def _long_memo(_: Any, body: Any, __: Any) -> None:
    body.memo = "é" * 129


def _tip(_: Any, __: Any, auth: Any) -> None:
    auth.tip.SetInParent()


def _granter(_: Any, __: Any, auth: Any) -> None:
    auth.fee.granter = ADDRESS


def _payer(_: Any, __: Any, auth: Any) -> None:
    auth.fee.payer = OTHER


def _payer_that_is_no_address(_: Any, __: Any, auth: Any) -> None:
    auth.fee.payer = "me"


def _no_fee(_: Any, __: Any, auth: Any) -> None:
    auth.ClearField("fee")


def _no_message(_: Any, body: Any, __: Any) -> None:
    body.ClearField("messages")


def _unknown_message(_: Any, body: Any, __: Any) -> None:
    body.messages[0].type_url = "/cosmos.bank.v1beta1.MsgMultiSend"


def _confirm_message(_: Any, body: Any, __: Any) -> None:
    body.messages[0].type_url = tx.ConfirmNode.TYPE_URL


def _register_among_others(_: Any, body: Any, __: Any) -> None:
    body.messages.add(type_url=REGISTER.type_url, value=REGISTER.encode())


def _two_senders(_: Any, body: Any, __: Any) -> None:
    other = MsgSend(OTHER, ADDRESS, SEND.amount)
    body.messages.add(type_url=other.type_url, value=other.encode())


def _another_sender(_: Any, body: Any, __: Any) -> None:
    body.messages[0].value = MsgSend(OTHER, ADDRESS, SEND.amount).encode()


def _no_signer(_: Any, __: Any, auth: Any) -> None:
    auth.ClearField("signer_infos")


def _two_signers(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos.add().CopyFrom(auth.signer_infos[0])


def _amino_mode(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].mode_info.single.mode = 127


def _unspecified_mode(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].mode_info.single.mode = 0


def _multi_mode(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].mode_info.multi = b""


def _no_mode(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].ClearField("mode_info")


def _ed25519_key(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].public_key.type_url = "/cosmos.crypto.ed25519.PubKey"


def _no_key(_: Any, __: Any, auth: Any) -> None:
    auth.signer_infos[0].ClearField("public_key")


def _uncompressed_key(_: Any, __: Any, auth: Any) -> None:
    key = protobuf.new(
        "cosmos.crypto.secp256k1.PubKey", key=KEY.public_key.format(compressed=False)
    )
    auth.signer_infos[0].public_key.value = key.SerializeToString()


def _key_of_another_parity_byte(_: Any, __: Any, auth: Any) -> None:
    key = protobuf.new("cosmos.crypto.secp256k1.PubKey", key=b"\x05" + PUBLIC_KEY[1:])
    auth.signer_infos[0].public_key.value = key.SerializeToString()


def _no_signature(outer: Any, _: Any, __: Any) -> None:
    outer.ClearField("signatures")


def _two_signatures(outer: Any, _: Any, __: Any) -> None:
    outer.signatures.append(outer.signatures[0])


def _unsorted_fee(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount.add(denom="aaa", amount="1")


def _doubled_fee(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount.add(denom="uscrt", amount="1")


def _negative_fee(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount[0].amount = "-1"


def _fee_with_leading_zero(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount[0].amount = "01"


def _fee_of_257_bits(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount[0].amount = str(2**256)


def _fee_in_arabic_digits(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount[0].amount = "٣"


def _no_denomination(_: Any, __: Any, auth: Any) -> None:
    auth.fee.amount[0].denom = "u"


@pytest.mark.parametrize(
    ("change", "rule", "code"),
    [
        (_extension, "extension-options", SdkCode.UNKNOWN_EXTENSION_OPTIONS),
        (_non_critical_extension, "extension-options", SdkCode.UNKNOWN_EXTENSION_OPTIONS),
        (_long_memo, "memo-size", SdkCode.MEMO_TOO_LARGE),
        (_tip, "tip", SdkCode.NOT_SUPPORTED),
        (_granter, "fee-granter", SdkCode.NOT_SUPPORTED),
        (_payer, "fee-payer", SdkCode.NOT_SUPPORTED),
        (_payer_that_is_no_address, "address", SdkCode.INVALID_ADDRESS),
        (_no_fee, "fee-missing", SdkCode.INSUFFICIENT_FEE),
        (_no_message, "no-message", SdkCode.INVALID_REQUEST),
        (_unknown_message, "message-type", SdkCode.TX_DECODE),
        (_confirm_message, "message-type", SdkCode.TX_DECODE),
        (_register_among_others, "register-alone", SdkCode.INVALID_REQUEST),
        (_two_senders, "one-signer", SdkCode.UNAUTHORIZED),
        (_another_sender, "signer-is-sender", SdkCode.INVALID_PUBKEY),
        (_no_signer, "one-signer", SdkCode.UNAUTHORIZED),
        (_two_signers, "one-signer", SdkCode.UNAUTHORIZED),
        (_amino_mode, "sign-mode", SdkCode.NOT_SUPPORTED),
        (_unspecified_mode, "sign-mode", SdkCode.NOT_SUPPORTED),
        (_multi_mode, "sign-mode", SdkCode.NOT_SUPPORTED),
        (_no_mode, "sign-mode", SdkCode.NOT_SUPPORTED),
        (_ed25519_key, "public-key-type", SdkCode.INVALID_PUBKEY),
        (_no_key, "public-key-type", SdkCode.INVALID_PUBKEY),
        (_uncompressed_key, "public-key-form", SdkCode.INVALID_PUBKEY),
        (_key_of_another_parity_byte, "public-key-form", SdkCode.INVALID_PUBKEY),
        (_no_signature, "no-signature", SdkCode.NO_SIGNATURES),
        (_two_signatures, "one-signature", SdkCode.TOO_MANY_SIGNATURES),
        (_unsorted_fee, "coins", SdkCode.INVALID_COINS),
        (_doubled_fee, "coins", SdkCode.INVALID_COINS),
        (_negative_fee, "coins", SdkCode.INVALID_COINS),
        (_fee_with_leading_zero, "coins", SdkCode.INVALID_COINS),
        (_fee_of_257_bits, "coins", SdkCode.INVALID_COINS),
        (_fee_in_arabic_digits, "coins", SdkCode.INVALID_COINS),
        (_no_denomination, "coins", SdkCode.INVALID_COINS),
    ],
)
def test_a_refused_feature_has_its_rule_and_number(
    change: Callable[[Any, Any, Any], None], rule: str, code: SdkCode
) -> None:
    assert refusal(altered(change)) == (rule, code)


@pytest.mark.parametrize(
    ("message", "rule", "code"),
    [
        (RaAuthenticate(b"\x01" * 19, b"e"), "sender-size", SdkCode.INVALID_ADDRESS),
        (RaAuthenticate(ACCOUNT, b"e", "m"), "replace-machine-id", SdkCode.NOT_SUPPORTED),
        (SetValidator(b"", b"\x02" * 32, 1, b"\x03" * 32), "sender-size", SdkCode.INVALID_ADDRESS),
        (SetValidator(ACCOUNT, b"\x02" * 31, 1, b"\x03" * 32), "key-size", SdkCode.INVALID_REQUEST),
        (SetValidator(ACCOUNT, b"\x02" * 32, 1, b"\x03" * 33), "key-size", SdkCode.INVALID_REQUEST),
        (MsgSend(ADDRESS, "nobody", SEND.amount), "address", SdkCode.INVALID_ADDRESS),
        (MsgSend(ADDRESS.upper(), OTHER, SEND.amount), "address", SdkCode.INVALID_ADDRESS),
        (MsgSend(ADDRESS, OTHER, ()), "coins", SdkCode.INVALID_COINS),
        (MsgSend(ADDRESS, OTHER, (Coin("uscrt", 0),)), "coins", SdkCode.INVALID_COINS),
    ],
)
def test_a_message_of_wrong_form_is_refused(message: Message, rule: str, code: SdkCode) -> None:
    assert refusal(signed(message)) == (rule, code)


# --- simulation -------------------------------------------------------------------------------


def _as_cosmjs(outer: Any, _: Any, auth: Any) -> None:
    outer.signatures[0] = b""
    auth.signer_infos[0].mode_info.single.mode = 0
    auth.fee.ClearField("amount")
    auth.fee.gas_limit = 0


@pytest.mark.parametrize("change", [_as_cosmjs, _no_fee, _no_signature, _unspecified_mode])
def test_a_simulation_may_lack_what_only_signing_gives(
    change: Callable[[Any, Any, Any], None],
) -> None:
    assert decode_simulation(altered(change)).messages == (SEND,)


def test_a_simulation_may_have_an_empty_key() -> None:
    def change(_: Any, __: Any, auth: Any) -> None:
        auth.signer_infos[0].public_key.value = b""

    assert decode_simulation(altered(change)).public_key == b""


def test_an_empty_signature_is_decoded_and_never_verified() -> None:
    def change(outer: Any, _: Any, __: Any) -> None:
        outer.signatures[0] = b""

    found = decode_tx(altered(change))

    with pytest.raises(TxInvalidError, match="signature does not verify"):
        signing.verify_signature(found, "chain", 3)


@pytest.mark.parametrize("change", [_extension, _tip, _granter, _two_signers, _amino_mode, _payer])
def test_a_simulation_refuses_the_same_features(change: Callable[[Any, Any, Any], None]) -> None:
    assert refusal(altered(change), decode_simulation) == refusal(altered(change))
