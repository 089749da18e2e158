import json
import struct
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import CollateralFormatError
from enclave.evidence.collateral import (
    MAX_BYTES,
    QE_IDENTITY,
    TCB_INFO,
    TEE_SGX,
    TEE_TDX,
    Collateral,
    SignedDocument,
    join_signed,
    split_signed,
)
from tests import corpus
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, make

GENUINE = [name for name in corpus.names("dcap") if "__" not in name]
SIMPLE = Collateral(b"chain", b"\0crl\0", b"crl", b"tcb", b"{}", b"qe", b"{}", TEE_TDX)


def rewritten(**members: object) -> bytes:
    value = {**make(SGX_V3).collateral, **members}
    return json.dumps({name: item for name, item in value.items() if item is not ...}).encode()


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_collateral_reads_the_same_in_both_forms(name: str) -> None:
    case = corpus.load(name)

    collateral = Collateral.parse_json(json.dumps(case["collateral"]).encode())

    assert Collateral.parse_intel(collateral.encode_intel()) == collateral
    assert collateral.tee_type == (TEE_TDX if case["expect"]["tee"] == "tdx" else TEE_SGX)
    document = split_signed(TCB_INFO, collateral.tcb_info)
    assert document.text.decode() == case["collateral"]["tcb_info"]
    assert document.signature.hex() == case["collateral"]["tcb_info_signature"]
    document = split_signed(QE_IDENTITY, collateral.qe_identity)
    assert document.text.decode() == case["collateral"]["qe_identity"]


@pytest.mark.parametrize(
    "name", ["sgx_tcb_info_00906ED50000", "tdx_tcb_info", "sgx_qe_identity", "tdx_qe_identity"]
)
def test_a_body_that_intel_served_is_split_and_joined(name: str) -> None:
    body = (corpus.corpus_dir() / "pcs" / f"{name}.json").read_bytes()
    member = TCB_INFO if "tcb_info" in name else QE_IDENTITY

    document = split_signed(member, body)

    assert json.loads(document.text) == json.loads(body)[member]
    assert join_signed(member, document.text, document.signature) == body


def test_intels_form_is_eight_sizes_and_seven_blobs() -> None:
    data = SIMPLE.encode_intel()

    assert struct.unpack_from("<8I", data) == (0x81, 6, 6, 4, 4, 3, 3, 3)
    assert data[32:] == b"chain\0\0crl\0\0crl\0tcb\0{}\0qe\0{}\0"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:31],
        lambda data: data[:0],
        lambda data: b"\x01" + data[1:],
        lambda data: data[:-1] + b"x",
        lambda data: data[:8] + b"\xff\xff\xff\xff" + data[12:],
        lambda data: data + bytes(MAX_BYTES),
    ],
    ids=["short", "long", "header", "empty", "tee", "no nul", "size", "huge"],
)
def test_another_form_than_intels_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CollateralFormatError):
        Collateral.parse_intel(spoil(SIMPLE.encode_intel()))


@pytest.mark.parametrize("at", range(7))
def test_no_blob_may_be_empty(at: int) -> None:
    blobs: list[Any] = list(astuple(SIMPLE)[:7])
    blobs[at] = b""

    with pytest.raises(CollateralFormatError, match="an empty blob"):
        Collateral.parse_intel(Collateral(*blobs).encode_intel())


TEXTS = (
    "pck_crl_issuer_chain", "tcb_info_issuer_chain", "tcb_info", "qe_identity",
    "qe_identity_issuer_chain",
)  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_may_hold_a_nul(name: str) -> None:
    changes: dict[str, Any] = {name: b"a\0b"}

    with pytest.raises(CollateralFormatError, match="NUL inside"):
        Collateral.parse_intel(replace(SIMPLE, **changes).encode_intel())


@pytest.mark.parametrize(
    "members",
    [
        {"surprise": ""},
        {"pck_crl": ...},
        {"pck_crl": 5},
        {"pck_crl": "0"},
        {"pck_crl": "zz"},
        {"tcb_info": 5},
        {"tcb_info": "a\0b"},
        {"tcb_info_signature": "00" * 63},
        {"qe_identity_signature": "00" * 65},
        {"pck_crl_issuer_chain": None},
    ],
    ids=str,
)
def test_json_with_other_members_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(CollateralFormatError):
        Collateral.parse_json(rewritten(**members))


def test_json_with_a_member_twice_is_refused() -> None:
    data = make(SGX_V3).collateral_json

    with pytest.raises(CollateralFormatError, match="key twice"):
        Collateral.parse_json(data[:-1] + b', "pck_crl": ""}')


def test_a_chain_beside_the_quotes_own_is_ignored() -> None:
    plain = make(TDX_V4).collateral_json
    beside = json.dumps({**json.loads(plain), "pck_certificate_chain": "another"}).encode()

    assert Collateral.parse_json(beside) == Collateral.parse_json(plain)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"tcbInfo":{}}',
        b'{"tcbInfo":{},"signature":"' + b"0" * 127 + b'"}',
        b'{"tcbInfo":{},"signature":"' + b"g" * 128 + b'"}',
        b'{ "tcbInfo":{},"signature":"' + b"0" * 128 + b'"}',
        b'{"tcbInfo":{},"signature":"' + b"0" * 128 + b'"}\n',
        b'{"signature":"' + b"0" * 128 + b'","tcbInfo":{}}',
        b'{"enclaveIdentity":{},"signature":"' + b"0" * 128 + b'"}',
        b'{"tcbInfo":{' + b" " * MAX_BYTES + b'},"signature":"' + b"0" * 128 + b'"}',
    ],
    ids=lambda body: body[:24].decode(),
)
def test_a_body_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(CollateralFormatError):
        split_signed(TCB_INFO, body)


def test_what_is_signed_is_cut_out_byte_for_byte() -> None:
    text = b'{ "a" : "},\\"signature\\":" }'

    assert split_signed(TCB_INFO, join_signed(TCB_INFO, text, b"s" * 64)) == SignedDocument(
        text, b"s" * 64
    )


@given(st.binary(max_size=200))
def test_any_bytes_give_collateral_or_a_format_error(data: bytes) -> None:
    for parse in (Collateral.parse_intel, Collateral.parse_json):
        try:
            parse(data)
        except CollateralFormatError:
            continue


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=7, max_size=7))
def test_what_is_encoded_is_read_again(blobs: list[Any]) -> None:
    collateral = Collateral(*[blob.replace(b"\0", b"-") for blob in blobs])

    assert Collateral.parse_intel(collateral.encode_intel()) == collateral


def test_what_is_seen_is_told_as_it_is() -> None:
    with pytest.raises(CollateralFormatError) as caught:
        Collateral.parse_intel(b"")

    assert caught.value.seen == "0"
