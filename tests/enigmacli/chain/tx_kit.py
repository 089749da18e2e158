"""Transactions to decode: signed as a wallet would, or altered in one place."""

from collections.abc import Callable
from typing import Any

import coincurve
import pytest

from enigmacli import protobuf
from enigmacli.chain import signing
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.messages import Coin, Message, MsgSend, RaAuthenticate, SetValidator
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import Tx, TxInvalidError, decode_tx

KEY = coincurve.PrivateKey(b"\x01" * 32)
PUBLIC_KEY = KEY.public_key.format()
ACCOUNT = address_of(PUBLIC_KEY)
ADDRESS = encode_address("enigma", ACCOUNT)
OTHER = encode_address("enigma", bytes(20))
SEND = MsgSend(ADDRESS, OTHER, (Coin("uscrt", 5),))
REGISTER = RaAuthenticate(ACCOUNT, b"evidence")
VOTE = SetValidator(ACCOUNT, b"\x02" * 32, 10, b"\x03" * 32)


def signed(message: Message = SEND, **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "sign": lambda text: signing.sign(KEY, text),
        "public_key": PUBLIC_KEY,
        "chain_id": "chain",
        "account_number": 3,
        "sequence": 4,
        "gas_limit": 100_000,
        "fee": (Coin("uscrt", 250),),
    }
    return signing.build_and_sign(message, **arguments | changes)


def altered(change: Callable[[Any, Any, Any], None], message: Message = SEND) -> bytes:
    """A well-encoded transaction whose parts ``change`` has altered (outer, body, auth)."""
    outer = protobuf.parse("cosmos.tx.v1beta1.TxRaw", signed(message))
    body = protobuf.parse("cosmos.tx.v1beta1.TxBody", outer.body_bytes)
    auth = protobuf.parse("cosmos.tx.v1beta1.AuthInfo", outer.auth_info_bytes)
    change(outer, body, auth)
    outer.body_bytes = body.SerializeToString()
    outer.auth_info_bytes = auth.SerializeToString()
    return bytes(outer.SerializeToString())


def refusal(raw: bytes, decode: Callable[[bytes], Tx] = decode_tx) -> tuple[str, SdkCode]:
    with pytest.raises(TxInvalidError) as caught:
        decode(raw)
    error = caught.value
    assert error.details == {"rule": error.rule, "codespace": "sdk", "code": int(error.sdk_code)}
    return error.rule, error.sdk_code
