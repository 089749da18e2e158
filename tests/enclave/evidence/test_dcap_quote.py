import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import QuoteFormatError
from enclave.evidence.dcap_quote import DcapQuote, trim_padding
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport
from tests import corpus

GENUINE = [name for name in corpus.names("dcap") if "__" not in name]


def header(version: int, tee_type: int, key_type: int = 2) -> bytes:
    return struct.pack("<HHI", version, key_type, tee_type) + bytes(40)


def quote(version: int, tee_type: int, size: int, *, body_type: int | None = None) -> bytes:
    frame = b"" if body_type is None else struct.pack("<HI", body_type, size)
    body = bytes(range(256)) * 3
    return header(version, tee_type) + frame + body[:size] + b"\x03\0\0\0sig"


WELL_FORMED = {
    "v3 sgx": quote(3, 0x00, 384),
    "v4 sgx": quote(4, 0x00, 384),
    "v4 tdx": quote(4, 0x81, 584),
    "v5 sgx": quote(5, 0x00, 384, body_type=1),
    "v5 tdx 1.0": quote(5, 0x81, 584, body_type=2),
    "v5 tdx 1.5": quote(5, 0x81, 648, body_type=3),
}


def test_the_corpus_has_genuine_quotes() -> None:
    corpus.corpus_dir()

    assert len(GENUINE) >= 15


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_quote_says_what_is_known_of_it(name: str) -> None:
    case = corpus.load(name)
    expect = case["expect"]

    parsed = DcapQuote.parse(base64.b64decode(case["quote_b64"]))

    assert parsed.body.report_data.hex() == expect["report_data"]
    measurement = "mr_enclave" if isinstance(parsed.body, SgxReport) else "mr_td"
    assert getattr(parsed.body, measurement).hex() == expect[measurement]
    assert parsed.body.is_debug == expect.get("debug", parsed.body.is_debug)


@pytest.mark.parametrize("form", WELL_FORMED)
def test_each_version_is_read(form: str) -> None:
    parsed = DcapQuote.parse(WELL_FORMED[form])

    assert parsed.version == int(form[1])
    assert parsed.signature == b"sig"
    assert parsed.kind == ("dcap-sgx" if "sgx" in form else "dcap-tdx")


@pytest.mark.parametrize("form", WELL_FORMED)
def test_a_quote_cut_anywhere_is_refused(form: str) -> None:
    whole = WELL_FORMED[form]

    for size in range(len(whole)):
        with pytest.raises(QuoteFormatError):
            DcapQuote.parse(whole[:size])


@pytest.mark.parametrize("form", WELL_FORMED)
def test_padding_is_refused_until_it_is_trimmed(form: str) -> None:
    padded = WELL_FORMED[form] + bytes(64)

    with pytest.raises(QuoteFormatError, match="another length"):
        DcapQuote.parse(padded)
    assert trim_padding(padded) == WELL_FORMED[form]


def test_only_zeros_are_trimmed() -> None:
    tail = WELL_FORMED["v3 sgx"] + b"\0\x01"

    assert trim_padding(tail) == tail


@pytest.mark.parametrize(
    "data",
    [
        quote(2, 0x00, 384),
        quote(6, 0x00, 384),
        quote(3, 0x81, 584),
        quote(4, 0x82, 584),
        quote(5, 0x00, 584, body_type=1),
        quote(5, 0x81, 384, body_type=1),
        quote(5, 0x81, 648, body_type=2),
        quote(5, 0x81, 648, body_type=4),
        header(3, 0, key_type=0),
        header(3, 0, key_type=1),
        header(3, 0, key_type=3),
        quote(3, 0, 384)[:-7] + b"\xff\xff\xff\xff",
        b"",
    ],
)
def test_another_version_type_or_size_is_refused(data: bytes) -> None:
    with pytest.raises(QuoteFormatError):
        DcapQuote.parse(data)


def test_a_td_report_has_one_of_two_lengths() -> None:
    for size in (0, 583, 585, 647, 649):
        with pytest.raises(QuoteFormatError):
            TdReport.parse(bytes(size))


def test_the_debug_bit_of_a_trust_domain_is_read() -> None:
    body = bytearray(584)
    assert not TdReport.parse(bytes(body)).is_debug

    body[120] = 1

    assert TdReport.parse(bytes(body)).is_debug


@given(st.binary(max_size=800) | st.binary(max_size=700).map(lambda data: header(5, 0x81) + data))
def test_any_bytes_give_a_quote_or_a_format_error(data: bytes) -> None:
    try:
        parsed = DcapQuote.parse(data)
    except QuoteFormatError:
        return
    assert data.endswith(parsed.signature)
