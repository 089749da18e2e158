"""The confirm transaction: known answers, and its one encoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli import protobuf
from enigmacli.chain.tx import (
    ConfirmNode,
    TxInvalidError,
    encode_confirm,
    is_confirm,
    parse_confirm,
    tx_hash,
)
from tests import corpus

CONFIRM = ConfirmNode(b"\x01" * 32, b"\x02" * 32, b"\x03" * 48, 0, "epid", b"\x04" * 32, "OK")


def _known() -> list[tuple[ConfirmNode, str]]:
    return [
        (
            ConfirmNode(
                register_tx_hash=tx_hash(bytes.fromhex(one["register_tx"])),
                node_id=bytes.fromhex(one["node_id"]),
                encrypted_seed=bytes.fromhex(one["encrypted_seed"]),
                epoch=one["epoch"],
                evidence_kind=one["evidence_kind"],
                measurement=bytes.fromhex(one["measurement"]),
                tcb_status=one["tcb_status"],
            ),
            one["tx"],
        )
        for one in corpus.load("kat/protocol_v1.json")["confirm"]
    ]


def test_confirms_have_the_known_bytes() -> None:
    known = _known()

    assert len(known) >= 2
    assert [encode_confirm(confirm).hex() for confirm, _ in known] == [text for _, text in known]


def test_known_confirms_are_read() -> None:
    for confirm, text in _known():
        assert parse_confirm(bytes.fromhex(text)) == confirm
        assert is_confirm(bytes.fromhex(text))


def _altered(**changes: Any) -> bytes:
    outer = protobuf.parse("cosmos.tx.v1beta1.TxRaw", encode_confirm(CONFIRM))
    body = protobuf.parse("cosmos.tx.v1beta1.TxBody", outer.body_bytes)
    for name, value in changes.items():
        target = outer if name in {"auth_info_bytes", "signatures"} else body
        if isinstance(value, list):
            getattr(target, name).extend(value)
        else:
            setattr(target, name, value)
    outer.body_bytes = body.SerializeToString()
    return bytes(outer.SerializeToString())


@pytest.mark.parametrize(
    "raw",
    [
        _altered(auth_info_bytes=b"x"),
        _altered(signatures=[b"x"]),
        _altered(signatures=[b""]),
        _altered(memo="x"),
        _altered(timeout_height=1),
        _altered(messages=[protobuf.new("google.protobuf.Any", type_url="/x.Y")]),
        encode_confirm(CONFIRM) + b"\x22\x01x",
        b"\x0a\x00" + encode_confirm(CONFIRM),
    ],
)
def test_anything_beside_the_message_is_refused_but_recognised(raw: bytes) -> None:
    assert is_confirm(raw)
    with pytest.raises(TxInvalidError):
        parse_confirm(raw)


def test_an_explicit_default_inside_the_message_is_refused() -> None:
    body = protobuf.new(
        "cosmos.tx.v1beta1.TxBody",
        messages=[{"type_url": ConfirmNode.TYPE_URL, "value": CONFIRM.encode() + b"\x20\x00"}],
    )
    raw = protobuf.new("cosmos.tx.v1beta1.TxRaw", body_bytes=body.SerializeToString())

    with pytest.raises(TxInvalidError):
        parse_confirm(raw.SerializeToString())


def test_another_message_is_no_confirm() -> None:
    body = protobuf.new("cosmos.tx.v1beta1.TxBody", messages=[{"type_url": "/x.Y"}])
    raw = protobuf.new("cosmos.tx.v1beta1.TxRaw", body_bytes=body.SerializeToString())

    assert not is_confirm(raw.SerializeToString())
    with pytest.raises(TxInvalidError, match="exactly one message, its own"):
        parse_confirm(raw.SerializeToString())


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x0a\x01\xff"])
def test_what_cannot_be_read_is_no_confirm(raw: bytes) -> None:
    assert not is_confirm(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_confirm_or_refused(raw: bytes) -> None:
    try:
        confirm = parse_confirm(raw)
    except TxInvalidError:
        return
    assert encode_confirm(confirm) == raw
    assert is_confirm(raw)
