import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence.crl import MAX_BYTES, CrlFrame
from enclave.evidence.der import DerError
from enigmacli.simulated_intel.sgx_extension import element
from tests import corpus
from tests.simulators.dcap_factory import SGX_V3, make

WHOLE = bytes.fromhex(make(SGX_V3).collateral["pck_crl"])


@pytest.mark.parametrize("name", ["IntelSGXRootCA.der", "pck_crl_processor_der.der"])
def test_a_genuine_list_is_cut_along_its_frame(name: str) -> None:
    data = (corpus.corpus_dir() / "pcs" / name).read_bytes()

    frame = CrlFrame.parse(data)

    assert data.endswith(frame.signature)
    assert frame.issuer in frame.signed
    assert frame.inner_algorithm == frame.outer_algorithm


def test_a_list_cut_anywhere_or_longer_is_refused() -> None:
    CrlFrame.parse(WHOLE)

    for size in range(len(WHOLE)):
        with pytest.raises(DerError):
            CrlFrame.parse(WHOLE[:size])
    with pytest.raises(DerError):
        CrlFrame.parse(WHOLE + b"\0")


def test_an_enormous_list_is_refused_unread() -> None:
    with pytest.raises(DerError, match="more than"):
        CrlFrame.parse(bytes(MAX_BYTES + 1))


def test_only_version_2_is_read() -> None:
    assert WHOLE.count(b"\x02\x01\x01") == 2  # version, and the number 1 of this list

    with pytest.raises(DerError, match="version 2"):
        CrlFrame.parse(WHOLE.replace(b"\x02\x01\x01", b"\x02\x01\x00", 1))


def test_a_signature_is_a_whole_number_of_bytes() -> None:
    inside = element(0x30, element(0x02, b"\x01"), element(0x30), element(0x30))

    with pytest.raises(DerError, match="whole number"):
        CrlFrame.parse(element(0x30, inside, element(0x30), element(0x03, b"\x01\x80")))


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda data: element(0x30, data)))
def test_any_bytes_give_a_frame_or_a_der_error(data: bytes) -> None:
    try:
        CrlFrame.parse(data)
    except DerError:
        return
