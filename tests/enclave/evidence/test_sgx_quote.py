import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import QuoteFormatError
from enclave.evidence.sgx_quote import LINKABLE, SIZE, EpidQuoteBody
from tests import corpus
from tests.enclave import simulated_pki as pki


def test_a_genuine_body_is_read() -> None:
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    report = json.loads(base64.b64decode(case["report_b64"]))

    quote = EpidQuoteBody.parse(base64.b64decode(report["isvEnclaveQuoteBody"]))

    assert quote.version == 2
    assert quote.sign_type == LINKABLE
    assert f"{quote.gid:08x}" == case["expect"]["gid"]
    assert quote.report.mr_enclave.hex() == case["expect"]["mr_enclave"]
    assert quote.report.report_data.hex() == case["expect"]["report_data"]


@pytest.mark.parametrize("size", [0, 431, 433, 436, 1116])
def test_a_body_has_exactly_432_bytes(size: int) -> None:
    with pytest.raises(QuoteFormatError) as caught:
        EpidQuoteBody.parse(pki.quote_body().ljust(size, b"\0")[:size])

    assert caught.value.seen == f"{size} bytes"


@pytest.mark.parametrize(("at", "value"), [(0, 0), (0, 3), (1, 1), (2, 2), (3, 1)])
def test_an_unknown_version_or_signature_type_is_refused(at: int, value: int) -> None:
    body = bytearray(pki.quote_body())
    body[at] = value

    with pytest.raises(QuoteFormatError, match="unknown"):
        EpidQuoteBody.parse(bytes(body))


@given(st.binary(min_size=SIZE, max_size=SIZE) | st.binary(max_size=SIZE + 4))
def test_any_bytes_give_a_body_or_a_format_error(body: bytes) -> None:
    try:
        quote = EpidQuoteBody.parse(body)
    except QuoteFormatError:
        return
    assert quote.report.report_data == body[368:]
