import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import CollateralFormatError
from enclave.evidence.collateral import Collateral
from enclave.evidence.foreign_collateral import parse_any
from tests import corpus
from tests.simulators.dcap_factory import SGX_V3, make

PLAIN = Collateral.parse_json(make(SGX_V3).collateral_json)


def pem(der: bytes) -> bytes:
    text = base64.encodebytes(der)
    return b"-----BEGIN X509 CRL-----\n" + text + b"-----END X509 CRL-----\n"


def test_json_and_intels_form_are_told_by_the_first_character() -> None:
    assert parse_any(make(SGX_V3).collateral_json) == PLAIN
    assert parse_any(b" \n" + make(SGX_V3).collateral_json) == PLAIN
    assert parse_any(PLAIN.encode_intel()) == PLAIN


@pytest.mark.parametrize("form", [pem, lambda der: der.hex().encode()], ids=["pem", "hex"])
def test_lists_of_older_libraries_become_der(form: Callable[[bytes], bytes]) -> None:
    older = replace(PLAIN, root_ca_crl=form(PLAIN.root_ca_crl), pck_crl=form(PLAIN.pck_crl))

    assert parse_any(older.encode_intel()) == PLAIN


def test_the_peers_own_file_is_read() -> None:
    data = (corpus.corpus_dir() / "secretnetwork" / "attestation_dcap.collateral").read_bytes()

    collateral = parse_any(data)

    assert collateral.pck_crl.startswith(b"\x30\x82")
    assert collateral.tcb_info.startswith(b'{"tcbInfo":{"version":2')


@pytest.mark.parametrize("crl", [b"-----BEGIN X509 CRL-----\nAA", pem(b"\x30") + b"x", b"3001f"])
def test_a_list_that_is_no_list_is_refused(crl: bytes) -> None:
    with pytest.raises(CollateralFormatError, match="malformed revocation list"):
        parse_any(replace(PLAIN, pck_crl=crl).encode_intel())


def test_what_is_of_no_known_form_is_left_for_the_judgement() -> None:
    other = replace(PLAIN, pck_crl=b"MIIB")

    assert parse_any(other.encode_intel()) == other


@given(st.binary(max_size=200))
def test_any_bytes_give_collateral_or_a_format_error(data: bytes) -> None:
    try:
        parse_any(data)
    except CollateralFormatError:
        return
