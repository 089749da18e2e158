import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence import der
from enclave.evidence.der import CertificateFrame, DerError, Reader
from tests.enclave import simulated_pki as pki


def test_a_certificate_is_cut_along_its_frame() -> None:
    frame = CertificateFrame.parse(pki.container(b"evidence"))

    (extension,) = frame.extensions
    assert extension.value == b"evidence"
    assert not extension.critical
    assert frame.subject != frame.issuer
    assert frame.inner_algorithm == frame.outer_algorithm


def test_a_critical_extension_is_told_from_another() -> None:
    frame = CertificateFrame.parse(pki.certificate())

    assert [extension.critical for extension in frame.extensions] == [True, True]


def test_a_byte_behind_the_certificate_is_refused() -> None:
    with pytest.raises(DerError, match="1 bytes too many"):
        CertificateFrame.parse(pki.container(b"evidence") + b"\0")


def test_a_certificate_cut_anywhere_is_refused() -> None:
    whole = pki.container(b"evidence")

    for size in range(len(whole)):
        with pytest.raises(DerError):
            CertificateFrame.parse(whole[:size])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "found nothing"),
        (b"\x31\x00", "found 0x31"),
        (b"\x30", "truncated"),
        (b"\x30\x01", "truncated"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (b"\x30\x81", "truncated"),
        (b"\x30\x81\x7f" + bytes(127), "not minimal"),
        (b"\x30\x82\x00\x80" + bytes(128), "not minimal"),
        (b"\x30\x85\x00\x00\x00\x00\x01\x00", "too long"),
        (b"\x30\x84\xff\xff\xff\xff\x00", "truncated"),
    ],
)
def test_a_length_has_one_encoding(data: bytes, problem: str) -> None:
    with pytest.raises(DerError, match=problem):
        Reader(data).value(der.SEQUENCE)


def test_an_element_may_not_reach_beyond_the_one_around_it() -> None:
    inside = Reader(bytes.fromhex("3003 0405 00 0000000000")).enter(der.SEQUENCE)

    with pytest.raises(DerError, match="truncated"):
        inside.value(der.OCTET_STRING)


def _sequence(*parts: bytes) -> bytes:
    body = b"".join(parts)
    size = bytes((len(body),)) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return b"\x30" + size + body


def _certificate(extensions: bytes, version: bytes = b"\xa0\x03\x02\x01\x02") -> bytes:
    empty = b"\x30\x00"
    signed = _sequence(version, b"\x02\x01\x01", *[empty] * 5, extensions)
    return _sequence(signed, empty, b"\x03\x01\x00")


def _extensions(*items: bytes) -> bytes:
    listed = _sequence(*items)
    return b"\xa3" + bytes((len(listed),)) + listed


_ITEM = bytes.fromhex("0603550403 040101")


def test_a_minimal_certificate_is_read() -> None:
    frame = CertificateFrame.parse(_certificate(_extensions(_sequence(_ITEM))))

    assert [extension.value for extension in frame.extensions] == [b"\x01"]


def test_a_certificate_without_extensions_is_read() -> None:
    assert CertificateFrame.parse(_certificate(b"")).extensions == ()


def test_the_unique_ids_of_old_certificates_are_passed_over() -> None:
    ids = b"\x81\x02\x00\x01" + b"\x82\x02\x00\x02"

    frame = CertificateFrame.parse(_certificate(ids + _extensions(_sequence(_ITEM))))

    assert [extension.value for extension in frame.extensions] == [b"\x01"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (_certificate(b"", version=b""), "expected DER tag 0xa0"),
        (_certificate(b"", version=b"\xa0\x03\x02\x01\x01"), "not of version 3"),
        (_certificate(_extensions(_sequence(_ITEM), _sequence(_ITEM))), "twice"),
        (_certificate(_extensions(_sequence(_ITEM, b"\x05\x00"))), "too many"),
        (_certificate(_extensions() + b"\x05\x00"), "too many"),
        (
            _certificate(_extensions(_sequence(bytes.fromhex("0603550403 010100 040101")))),
            "only be TRUE",
        ),
        (_sequence(_sequence(), b"\x30\x00", b"\x03\x02\x01\x00"), "whole number of bytes"),
        (_sequence(_sequence(), b"\x30\x00", b"\x03\x00"), "whole number of bytes"),
    ],
)
def test_another_frame_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(DerError, match=problem):
        CertificateFrame.parse(data)


@given(st.binary(max_size=300) | st.binary(max_size=200).map(_sequence))
def test_any_bytes_give_a_frame_or_a_der_error(data: bytes) -> None:
    try:
        frame = CertificateFrame.parse(data)
    except DerError:
        return
    assert frame.signed in data


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_gives_a_frame_or_a_der_error(at: int, value: int) -> None:
    data = bytearray(pki.container(b"evidence"))
    data[at] = value
    try:
        CertificateFrame.parse(bytes(data))
    except DerError:
        assert data != pki.container(b"evidence")
