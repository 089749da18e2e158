import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.times import format_rfc3339, parse_rfc3339
from enigmacli.attestation import pcs_request
from enigmacli.attestation.pcs_answer import (
    PcsAnswer,
    certificate_window,
    crl_window,
    decode_crl,
    evaluation_number,
    read_answer,
    served_numbers,
    window,
)
from enigmacli.attestation.pcs_request import Edition
from enigmacli.errors import EnigmaError, MalformedError
from tests.corpus import corpus_dir
from tests.enigmacli.attestation.recorded_pcs import SGX_FMSPC, RecordedPcs

SGX_TCB = pcs_request.tcb_info("sgx", SGX_FMSPC, Edition())


def crl() -> bytes:
    return (corpus_dir() / "pcs/pck_crl_processor_der.der").read_bytes()


def test_a_crl_in_pem_is_the_same_as_in_der() -> None:
    text = base64.encodebytes(crl())

    assert decode_crl(b"-----BEGIN X509 CRL-----\n%s-----END X509 CRL-----\n" % text) == crl()


@pytest.mark.parametrize("ca", ["processor", "platform"])
def test_the_pem_that_intel_serves_is_read(ca: str) -> None:
    held = crl_window(decode_crl((corpus_dir() / f"pcs/pck_crl_{ca}.pem").read_bytes()))

    assert format_rfc3339(held.start_us).startswith("2025-05-27T")


def test_a_crl_in_hexadecimal_is_the_same_as_in_der() -> None:
    assert decode_crl(crl().hex().encode()) == crl()
    assert decode_crl(crl().hex().upper().encode() + b"\n") == crl()


def test_a_crl_in_der_is_left_alone() -> None:
    assert decode_crl(crl()) == crl()


def test_base64_without_its_armour_is_no_crl() -> None:
    with pytest.raises(MalformedError, match="neither DER"):
        decode_crl(base64.b64encode(crl()))


@pytest.mark.parametrize("body", [b"", b"3", b"00aa", b"-----BEGIN X509 CRL-----\n%%\n", b"\x31"])
def test_what_is_no_crl_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_crl(body)


@given(st.binary(max_size=200))
def test_any_bytes_give_der_or_an_error(body: bytes) -> None:
    with suppress(MalformedError):
        assert decode_crl(body)[:1] == b"0"


@given(st.binary(max_size=200), st.dictionaries(st.just("tcb-info-issuer-chain"), st.text()))
def test_any_answer_is_read_or_refused(body: bytes, headers: dict[str, str]) -> None:
    with suppress(EnigmaError):
        read_answer(SGX_TCB, headers, body)


def test_a_document_holds_from_its_issue_date_to_its_next_update() -> None:
    held = window(SGX_TCB, RecordedPcs().server().get(SGX_TCB))

    assert held is not None
    assert held.end_us is not None
    assert format_rfc3339(held.start_us) == "2025-05-27T19:31:07Z"
    assert format_rfc3339(held.end_us) == "2025-06-26T19:31:07Z"


def test_a_document_holds_no_longer_than_the_certificates_that_come_with_it() -> None:
    request = pcs_request.qe_identity("sgx", Edition())
    answer = RecordedPcs().server().get(request)
    far = answer.body.replace(b'"nextUpdate":"2025-06-', b'"nextUpdate":"2035-06-')
    assert far != answer.body

    held = window(request, PcsAnswer(far, answer.chain))

    assert held is not None
    assert held.end_us == parse_rfc3339("2032-05-06T09:25:00Z")


def test_what_is_asked_for_once_carries_no_dates_that_a_cache_could_use() -> None:
    request = pcs_request.evaluation_numbers("sgx")

    assert window(request, RecordedPcs().server().get(request)) is None


def test_the_evaluation_number_is_read() -> None:
    assert evaluation_number(SGX_TCB, RecordedPcs().server().get(SGX_TCB)) == 17


@pytest.mark.parametrize("inner", ["{}", '{"tcbEvaluationDataNumber":"17"}',
                                   '{"tcbEvaluationDataNumber":true}'])  # fmt: skip
def test_without_an_evaluation_number_a_document_is_malformed(inner: str) -> None:
    with pytest.raises(MalformedError, match="no TCB evaluation number"):
        evaluation_number(SGX_TCB, PcsAnswer(f'{{"tcbInfo":{inner}}}'.encode(), ()))


@pytest.mark.parametrize("inner", ["{}", '{"issueDate":5}', '{"issueDate":"2025-06-26"}'])
def test_without_dates_a_document_is_malformed(inner: str) -> None:
    with pytest.raises(MalformedError, match="no issueDate"):
        window(SGX_TCB, PcsAnswer(f'{{"tcbInfo":{inner}}}'.encode(), ()))


def test_what_is_no_crl_or_certificate_has_no_dates() -> None:
    with pytest.raises(MalformedError, match="CRL is malformed"):
        crl_window(b"0\x00")
    with pytest.raises(MalformedError, match="certificate is malformed"):
        certificate_window(b"0\x00")


def test_the_numbers_that_intel_serves_are_read_newest_first() -> None:
    request = pcs_request.evaluation_numbers("sgx")

    assert served_numbers(request, RecordedPcs().server().get(request)) == (19, 18, 17)


@pytest.mark.parametrize(
    "inner",
    [
        "{}",
        '{"tcbEvalNumbers":5}',
        '{"tcbEvalNumbers":[5]}',
        '{"tcbEvalNumbers":[{"tcbEvaluationDataNumber":"5"}]}',
    ],
)
def test_what_is_no_list_of_numbers_is_malformed(inner: str) -> None:
    body = f'{{"tcbEvaluationDataNumbers":{inner}}}'.encode()

    with pytest.raises(MalformedError, match="another form"):
        served_numbers(pcs_request.evaluation_numbers("sgx"), PcsAnswer(body, ()))
