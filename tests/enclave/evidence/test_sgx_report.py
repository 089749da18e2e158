import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import QuoteFormatError
from enclave.evidence.sgx_report import SIZE, SgxReport
from tests.enclave import simulated_pki as pki


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

    report = SgxReport.parse(bytes(body))

    assert report == SgxReport(
        b"c" * 16, 0x0201, 5, 0xE7, b"e" * 32, b"s" * 32, 0x1234, 0x5678, b"d" * 64
    )


@pytest.mark.parametrize(
    ("bit", "member"),
    [
        (0, "is_initialised"),
        (1, "is_debug"),
        (2, "is_64_bit"),
        (4, "may_use_provision_key"),
        (5, "may_use_launch_key"),
    ],
)
def test_each_attribute_bit_has_its_name(bit: int, member: str) -> None:
    with_bit = SgxReport.parse(pki.quote_body(flags=1 << bit)[48:])
    without = SgxReport.parse(pki.quote_body(flags=0xFF & ~(1 << bit))[48:])

    assert getattr(with_bit, member)
    assert not getattr(without, member)


@given(st.binary(max_size=2 * SIZE) | st.binary(min_size=SIZE, max_size=SIZE))
def test_any_bytes_give_a_report_or_a_format_error(body: bytes) -> None:
    try:
        report = SgxReport.parse(body)
    except QuoteFormatError:
        assert len(body) != SIZE
    else:
        assert report.mr_enclave == body[64:96]
