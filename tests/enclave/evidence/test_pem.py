import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence.pem import MAX_BYTES, MAX_CERTIFICATES, PemError, split_chain


def pem(der: bytes, end: bytes = b"\n") -> bytes:
    text = base64.encodebytes(der).replace(b"\n", end)
    return b"-----BEGIN CERTIFICATE-----" + end + text + b"-----END CERTIFICATE-----" + end


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_chain_is_split_whatever_its_line_ends(end: bytes) -> None:
    assert split_chain(pem(b"one" * 60, end) + pem(b"two", end)) == (b"one" * 60, b"two")


def test_the_last_line_end_may_be_missing() -> None:
    assert split_chain(pem(b"one").rstrip()) == (b"one",)


def test_nothing_gives_no_certificates() -> None:
    assert split_chain(b"") == ()


@pytest.mark.parametrize(
    "text",
    [
        b"x" + pem(b"one"),
        pem(b"one") + b"x",
        pem(b"one") + b"\0",
        pem(b"one") + b"-----BEGIN CERTIFICATE-----\n",
        pem(b"on").replace(b"=", b""),
        pem(b"ab").replace(b"YWI=", b"YWJ="),
        b"-----BEGIN CERTIFICATE-----\nb_-e\n-----END CERTIFICATE-----\n",
        pem(b"one") * (MAX_CERTIFICATES + 1),
        pem(b"one") + b"\n" * MAX_BYTES,
        b"-----BEGIN CERTIFICATE-----\n" + b"A" * (MAX_BYTES - 40),
    ],
    ids=range(10),
)
def test_what_is_no_chain_is_refused(text: bytes) -> None:
    with pytest.raises(PemError):
        split_chain(text)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(pem))
def test_any_bytes_give_a_chain_or_a_pem_error(text: bytes) -> None:
    try:
        split_chain(text)
    except PemError:
        return
