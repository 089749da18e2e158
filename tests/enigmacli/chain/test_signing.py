"""Signatures: low s, 64 bytes, 33-byte keys, over the SDK's sign bytes."""

from dataclasses import replace
from typing import Any

import coincurve
import pytest

from enigmacli.chain import signing
from enigmacli.chain.address import address_of
from enigmacli.chain.messages import Coin, RaAuthenticate
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import Tx, TxInvalidError, decode_tx
from tests.vector_files import vectors

KEY = coincurve.PrivateKey(b"\x07" * 32)
PUBLIC_KEY = KEY.public_key.format()
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MESSAGE = b"what is signed"


@pytest.mark.parametrize("known", vectors("cosmos_tx"))
def test_sign_bytes_and_signatures_are_those_of_the_cosmos_sdk(known: dict[str, Any]) -> None:
    tx = decode_tx(bytes.fromhex(known["raw"]))
    text = signing.sign_bytes(
        tx.body_bytes, tx.auth_info_bytes, known["chain_id"], known["account_number"]
    )

    assert text.hex() == known["sign_bytes"]
    key = coincurve.PrivateKey(bytes.fromhex(known["private_key"]))
    assert signing.sign(key, text).hex() == known["signature"]


@pytest.mark.parametrize("number", range(20))
def test_signatures_are_low_and_verify(number: int) -> None:
    signature = signing.sign(KEY, bytes([number]))

    assert len(signature) == 64
    assert int.from_bytes(signature[32:]) <= ORDER // 2
    assert signing.is_signature(PUBLIC_KEY, bytes([number]), signature)


def _high(signature: bytes) -> bytes:
    return signature[:32] + (ORDER - int.from_bytes(signature[32:])).to_bytes(32)


GOOD = signing.sign(KEY, MESSAGE)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(_high(GOOD), id="high s"),
        pytest.param(GOOD[:-1], id="63 bytes"),
        pytest.param(GOOD + b"\x00", id="65 bytes"),
        pytest.param(b"", id="empty"),
        pytest.param(bytes(64), id="zeros"),
        pytest.param(bytes(32) + GOOD[32:], id="r is zero"),
        pytest.param(GOOD[:32] + bytes(32), id="s is zero"),
        pytest.param(ORDER.to_bytes(32) + GOOD[32:], id="r is the order"),
        pytest.param(b"\xff" * 64, id="out of range"),
        pytest.param(signing.sign(KEY, b"other"), id="of another message"),
        pytest.param(signing.sign(coincurve.PrivateKey(b"\x08" * 32), MESSAGE), id="another key"),
    ],
)
def test_what_is_not_the_signature_is_refused(signature: bytes) -> None:
    assert not signing.is_signature(PUBLIC_KEY, MESSAGE, signature)


@pytest.mark.parametrize(
    "public_key",
    [
        pytest.param(KEY.public_key.format(compressed=False), id="uncompressed"),
        pytest.param(b"\x02" + b"\xff" * 32, id="not on the curve"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_key_of_another_form_verifies_nothing(public_key: bytes) -> None:
    assert not signing.is_signature(public_key, MESSAGE, GOOD)


def _tx(**changes: Any) -> Tx:
    arguments: dict[str, Any] = {
        "sign": lambda text: signing.sign(KEY, text),
        "public_key": PUBLIC_KEY,
        "chain_id": "chain",
        "account_number": 3,
        "sequence": 4,
        "gas_limit": 10,
        "fee": (Coin("uscrt", 1),),
    }
    message = RaAuthenticate(address_of(PUBLIC_KEY), b"evidence")
    return decode_tx(signing.build_and_sign(message, **arguments | changes))


@pytest.mark.parametrize(("chain_id", "number"), [("other", 3), ("chain", 4)])
def test_a_transaction_for_another_chain_or_account_does_not_verify(
    chain_id: str, number: int
) -> None:
    signing.verify_signature(_tx(), "chain", 3)

    with pytest.raises(TxInvalidError, match="check chain id, account number") as caught:
        signing.verify_signature(_tx(), chain_id, number)
    assert caught.value.sdk_code is SdkCode.UNAUTHORIZED


def test_a_transaction_with_a_high_s_does_not_verify() -> None:
    tx = replace(_tx(), signature=_high(_tx().signature))

    with pytest.raises(TxInvalidError, match="signature does not verify"):
        signing.verify_signature(tx, "chain", 3)


def test_an_estimate_covers_the_signed_transaction_and_little_more() -> None:
    message = RaAuthenticate(address_of(PUBLIC_KEY), bytes(7_000))
    estimate = signing.estimate_gas(message, memo="m")

    tx = decode_tx(
        signing.build_and_sign(
            message,
            sign=lambda text: signing.sign(KEY, text),
            public_key=PUBLIC_KEY,
            chain_id="chain",
            account_number=2**63,
            sequence=2**63 - 1,
            gas_limit=estimate,
            fee=(Coin("uscrt", 2**60),),
            memo="m",
        )
    )

    assert tx.gas_needed <= estimate <= tx.gas_needed + 1_000
