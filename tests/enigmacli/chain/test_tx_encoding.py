"""One encoding of a transaction, whatever the bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli import protobuf
from enigmacli.chain import signing
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import TxInvalidError, decode_simulation, decode_tx
from enigmacli.errors import MalformedError
from tests.enigmacli.chain.tx_kit import (
    altered,
    refusal,
    signed,
)


def _reorder(raw: bytes) -> bytes:
    outer = protobuf.parse("cosmos.tx.v1beta1.TxRaw", raw)
    head = protobuf.new("cosmos.tx.v1beta1.TxRaw", body_bytes=outer.body_bytes)
    tail = protobuf.new(
        "cosmos.tx.v1beta1.TxRaw",
        auth_info_bytes=outer.auth_info_bytes,
        signatures=outer.signatures,
    )
    return bytes(tail.SerializeToString() + head.SerializeToString())


@pytest.mark.parametrize(
    "mangle",
    [
        pytest.param(_reorder, id="another order"),
        pytest.param(lambda raw: raw + b"\x22\x01x", id="unknown field"),
        pytest.param(lambda raw: b"\x0a\x00" + raw, id="a scalar twice"),
        pytest.param(lambda raw: b"\x8a\x00" + raw[1:], id="a long varint"),
    ],
)
def test_another_encoding_of_the_same_transaction_is_refused(
    mangle: Callable[[bytes], bytes],
) -> None:
    assert refusal(mangle(signed())) == ("canonical-encoding", SdkCode.TX_DECODE)


def _in_body(extra: bytes) -> bytes:
    outer = protobuf.parse("cosmos.tx.v1beta1.TxRaw", signed())
    outer.body_bytes += extra
    return bytes(outer.SerializeToString())


def _in_auth_info(extra: bytes) -> bytes:
    outer = protobuf.parse("cosmos.tx.v1beta1.TxRaw", signed())
    outer.auth_info_bytes += extra
    return bytes(outer.SerializeToString())


def _in_message(extra: bytes) -> bytes:
    def change(_: Any, body: Any, __: Any) -> None:
        body.messages[0].value += extra

    return altered(change)


def _in_public_key(extra: bytes) -> bytes:
    def change(_: Any, __: Any, auth: Any) -> None:
        auth.signer_infos[0].public_key.value += extra

    return altered(change)


@pytest.mark.parametrize("place", [_in_body, _in_auth_info, _in_message, _in_public_key])
@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"\xfa\x01\x01x", id="unknown field 31"),
        pytest.param(b"\x12\x00", id="an empty field 2, once more or by default"),
    ],
)
def test_every_level_is_checked(place: Callable[[bytes], bytes], extra: bytes) -> None:
    assert refusal(place(extra)) == ("canonical-encoding", SdkCode.TX_DECODE)


def test_an_explicit_default_is_refused() -> None:
    assert refusal(_in_body(b"\x18\x00")) == ("canonical-encoding", SdkCode.TX_DECODE)


def test_a_memo_that_is_not_utf_8_cannot_be_read() -> None:
    assert refusal(_in_body(b"\x12\x01\xff")) == ("protobuf", SdkCode.TX_DECODE)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_transaction_or_malformed(raw: bytes) -> None:
    for decode in (decode_tx, decode_simulation):
        try:
            found = decode(raw)
        except MalformedError:
            continue
        assert found.raw == raw


@given(st.data())
def test_an_altered_byte_never_decodes_to_the_same_transaction(data: st.DataObject) -> None:
    raw = signed()
    at = data.draw(st.integers(0, len(raw) - 1))
    other = bytearray(raw)
    other[at] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_tx(bytes(other))
    except MalformedError:
        return
    with pytest.raises(TxInvalidError, match="signature does not verify"):
        signing.verify_signature(found, "chain", 3)
