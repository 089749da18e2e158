import base64
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.dcap_errors import QuoteAuthDataError, QuoteCertificationError, QuoteLengthError
from enclave.errors import QuoteFormatError
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from tests import corpus

GENUINE = [name for name in corpus.names("dcap") if "__" not in name]


def signature(
    version: int, *, auth: bytes = bytes(32), kind: int = 5, outer: int = 6, chain: bytes = b"pem"
) -> bytes:
    inner = b"r" * 384 + b"q" * 64 + struct.pack("<H", len(auth)) + auth
    inner += struct.pack("<HI", kind, len(chain)) + chain
    wrapped = inner if version == 3 else struct.pack("<HI", outer, len(inner)) + inner
    return b"s" * 64 + b"k" * 64 + wrapped


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_quotes_signature_is_cut_into_its_parts(name: str) -> None:
    quote = DcapQuote.parse(base64.b64decode(corpus.load(name)["quote_b64"]))

    parts = DcapSignature.parse(quote.signature, quote.version)

    assert parts.pck_chain.startswith(b"-----BEGIN CERTIFICATE-----")
    assert len(parts.qe_report) == 384
    assert parts.auth_data == bytes(range(32))


@pytest.mark.parametrize("version", [3, 4, 5])
def test_each_version_gives_the_same_parts(version: int) -> None:
    parts = DcapSignature.parse(signature(version), version)

    assert parts == DcapSignature(b"s" * 64, b"k" * 64, b"r" * 384, b"q" * 64, bytes(32), b"pem")


@pytest.mark.parametrize("version", [3, 4])
def test_a_signature_cut_anywhere_is_refused(version: int) -> None:
    whole = signature(version)

    for size in range(len(whole)):
        with pytest.raises(QuoteFormatError):
            DcapSignature.parse(whole[:size], version)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda version: signature(version) + b"\0", QuoteLengthError),
        (lambda version: signature(version, kind=1), QuoteCertificationError),
        (lambda version: signature(version, kind=3), QuoteCertificationError),
        (lambda version: signature(version, kind=6), QuoteCertificationError),
        (lambda version: signature(version, auth=bytes(31)), QuoteAuthDataError),
        (lambda version: signature(version, auth=bytes(33)), QuoteAuthDataError),
        (lambda version: signature(version, auth=b""), QuoteAuthDataError),
    ],
)
def test_each_part_has_its_form(
    version: int, change: Callable[[int], bytes], error: type[QuoteFormatError]
) -> None:
    with pytest.raises(QuoteFormatError) as caught:
        DcapSignature.parse(change(version), version)
    assert type(caught.value) is error


def test_the_outer_data_of_version_4_is_the_quoting_enclaves_report() -> None:
    with pytest.raises(QuoteCertificationError):
        DcapSignature.parse(signature(4, outer=5), 4)


@given(st.binary(max_size=700), st.sampled_from([3, 4, 5]))
def test_any_bytes_give_parts_or_a_format_error(data: bytes, version: int) -> None:
    try:
        parts = DcapSignature.parse(data, version)
    except QuoteFormatError:
        return
    assert data.endswith(parts.pck_chain)
