from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import QuoteFormatError
from enclave.evidence.sgx_report import SIZE, SgxReport
from tests.enclave import simulated_pki as pki

RESERVED = ((20, 32), (96, 128), (160, 192), (262, 304))


def test_the_members_stand_where_intel_puts_them() -> None:
    body = bytearray(SIZE)
    body[0:16] = b"c" * 16
    body[16:20] = b"\x01\x02\x00\x00"
    body[48:56] = b"\x05" + bytes(7)
    body[56:64] = b"\xe7" + bytes(7)
    body[64:96] = b"e" * 32
    body[128:160] = b"s" * 32
    body[256:258] = b"\x34\x12"
    body[258:260] = b"\x78\x56"
    body[320:384] = b"d" * 64
    body[32:48] = b"x" * 16
    body[304:320] = b"f" * 16
    body[192:256] = b"k" * 64
    body[260:262] = b"\xbc\x9a"
    for start, end in RESERVED:
        body[start:end] = bytes(range(start % 256, start % 256 + end - start))

    report = SgxReport.parse(bytes(body))

    assert report == SgxReport(
        b"c" * 16, 0x0201, 5, 0xE7, b"e" * 32, b"s" * 32, 0x1234, 0x5678, b"d" * 64,
        b"x" * 16, b"f" * 16, b"k" * 64, 0x9ABC, b"".join(body[a:b] for a, b in RESERVED),
    )  # fmt: skip


def test_a_debug_enclave_is_told_from_another() -> None:
    debug = SgxReport.parse(pki.quote_body(flags=0x07)[48:])
    production = SgxReport.parse(pki.quote_body(flags=0xFD)[48:])

    assert debug.is_debug
    assert not production.is_debug


@given(st.binary(max_size=2 * SIZE) | st.binary(min_size=SIZE, max_size=SIZE))
def test_any_bytes_give_a_report_or_a_format_error(body: bytes) -> None:
    try:
        report = SgxReport.parse(body)
    except QuoteFormatError:
        assert len(body) != SIZE
    else:
        assert report.mr_enclave == body[64:96]
