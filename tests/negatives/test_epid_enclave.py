"""Cases 24 to 32: the enclave that a report is about, and what its report_data binds."""

import base64
import json
from typing import Any

import pytest

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_bootstrap, judge_registration
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.errors import BindingError, PolicyFormatError
from enigmacli.attestation.ias_answer import check_answers
from enigmacli.errors import UntrustedAnswerError
from tests import corpus
from tests.enclave import simulated_pki as pki
from tests.negatives import epid

BINDING = "binding-mismatch"
MALFORMED = "ias-report-malformed"

SAMPLE_SIGNERS = (
    "83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e",
    "9affcfae47b848ec2caf1c49b4b283531e1cc425f93582b36806e52a43d78d1a",
)
"""mr_signer of keys that are published with SDKs, as genuine debug reports carry them."""


def judged_quote(body: bytes, **members: Any) -> str:
    """What becomes of a quote body; ``members`` narrow the allowed measurement."""
    policy = measured(**members) if members else None
    return epid.judged(epid.signed(epid.report(body)), policy)


def measured(**members: Any) -> Policy:
    return pki.policy(measurements=[{"mr_enclave": pki.MR_ENCLAVE.hex()} | members])


def test_case_24_a_debug_enclave() -> None:
    assert judged_quote(epid.quote(flags=0x07)) == "debug-enclave"


def test_case_24_the_peers_debug_enclave() -> None:
    document = epid.verdict(epid.peer_file("attestation_cert_hw_v2"), at_us=2**62)

    assert (document["authentic"], document["code"]) == (True, "debug-enclave")


@pytest.mark.parametrize("number", [4, 5, 6, 7])
def test_case_24_a_genuine_debug_enclave_whose_status_is_refused_first(number: int) -> None:
    file = json.dumps(pki.comment(epid.genuine(f"integritee_test{number}"))).encode()

    assert "debug-enclave" in epid.failed_rules(epid.verdict(file, at_us=2**62))


def test_case_24_no_policy_can_allow_debug_enclaves_under_intels_root() -> None:
    with pytest.raises(PolicyFormatError, match="allow_debug"):
        epid.intel_policy(allow_debug=True)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (0x05, epid.ACCEPTED),
        (0x04, "enclave-not-initialised"),
        (0x01, "enclave-not-64-bit"),
        (0x15, "provision-key-allowed"),
        (0x25, "launch-key-allowed"),
    ],
)
def test_case_25_attributes_of_no_production_enclave(flags: int, code: str) -> None:
    assert judged_quote(epid.quote(flags=flags)) == code


def test_case_26_a_measurement_that_is_not_allowed() -> None:
    for other in (bytes(32), pki.MR_SIGNER, pki.MR_ENCLAVE[::-1]):
        assert judged_quote(epid.quote(mr_enclave=other)) == "measurement-not-allowed"


@pytest.mark.parametrize("signer", SAMPLE_SIGNERS)
def test_case_26_the_signer_of_a_sample(signer: str) -> None:
    body = epid.quote(mr_signer=bytes.fromhex(signer))

    assert judged_quote(body, mr_signer=pki.MR_SIGNER.hex()) == "signer-not-allowed"
    assert judged_quote(body) == epid.ACCEPTED, "a signer that no policy names is not judged"


def test_case_26_genuine_reports_are_of_those_sample_signers() -> None:
    corpus.corpus_dir()
    cases = [corpus.load(name) for name in corpus.names("ias") if "__" not in name]
    seen = {case["expect"]["mr_signer"] for case in cases if case["report_b64"]}

    assert seen > set(SAMPLE_SIGNERS)


def test_case_27_a_product_or_security_version_that_is_too_low() -> None:
    body = epid.quote()

    assert judged_quote(body, isv_prod_id=pki.ISV_PROD_ID) == epid.ACCEPTED
    assert judged_quote(body, isv_prod_id=pki.ISV_PROD_ID + 1) == "product-not-allowed"
    assert judged_quote(body, isv_prod_id=pki.ISV_PROD_ID - 1) == "product-not-allowed"
    assert judged_quote(body, min_isv_svn=pki.ISV_SVN) == epid.ACCEPTED
    assert judged_quote(body, min_isv_svn=pki.ISV_SVN + 1) == "security-version-too-low"


def bound(report_data: bytes) -> str:
    return judged_quote(epid.quote(report_data))


def test_case_28_another_key_is_another_node_and_nobody_else_can_take_its_evidence() -> None:
    other = b"\x0a" + bytes(31)
    data = registration_report_data(other, epid.NETWORK, epid.OWNER)
    certificate = pki.on_chain(epid.signed(epid.report(epid.quote(data))))

    reply = judge_registration(certificate, epid.OWNER, pki.policy(), epid.NETWORK, pki.AT_US)
    assert reply.node_id == other
    assert epid.judged(certificate, owner=b"\7" * 20) == BINDING


def test_case_28_bootstrap_evidence_for_another_key() -> None:
    exchange_pk, io_pk, attackers = (bytes((byte,)) + bytes(31) for byte in (9, 10, 11))
    data = bootstrap_report_data(exchange_pk, epid.NETWORK, io_pk)
    certificate = pki.on_chain(epid.signed(epid.report(epid.quote(data))))

    for keys in ((attackers, io_pk), (exchange_pk, attackers)):
        with pytest.raises(BindingError):
            judge_bootstrap(certificate, *keys, pki.policy(), epid.NETWORK, pki.AT_US)


@pytest.mark.parametrize("tail", [bytes(32), b"\1" * 32, epid.REPORT_DATA[32:63] + b"\0"])
def test_case_28_another_tail(tail: bytes) -> None:
    assert bound(epid.NODE_ID + tail) == BINDING


def test_case_28_report_data_of_zeros() -> None:
    assert bound(bytes(64)) == "bound-key-refused"
    assert bound(bytes(32) + epid.REPORT_DATA[32:]) == "bound-key-refused"


NONCE = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("seen", [NONCE[:-1] + "0", "", ...])
def test_case_29_a_nonce_that_differs_or_is_missing(seen: Any) -> None:
    quote = epid.quote()

    check_answers(epid.report(nonce=NONCE), quote=quote, nonce=NONCE)
    with pytest.raises(UntrustedAnswerError, match="nonce"):
        check_answers(epid.report(nonce=seen), quote=quote, nonce=NONCE)


def test_case_29_a_report_replayed_to_another_request() -> None:
    for asked in ("fedcba9876543210fedcba9876543210", None):
        with pytest.raises(UntrustedAnswerError, match="nonce"):
            check_answers(epid.report(nonce=NONCE), quote=epid.quote(), nonce=asked)


@pytest.mark.parametrize(
    ("nonce", "code"),
    [
        ("x" * 32, epid.ACCEPTED),
        ("x" * 33, MALFORMED),
        (7, MALFORMED),
        (None, MALFORMED),
    ],
)
def test_case_29_a_nonce_has_at_most_32_characters(nonce: Any, code: str) -> None:
    assert epid.judged_report(nonce=nonce) == code


def test_case_30_a_report_used_twice_renews_its_own_record_and_no_others() -> None:
    evidence = pki.on_chain(epid.signed())

    assert epid.judged(evidence) == epid.judged(evidence) == epid.ACCEPTED
    assert epid.judged(evidence, owner=bytes(20)) == BINDING
    assert epid.judged(evidence, owner=epid.OWNER[::-1]) == BINDING


def test_case_30_a_report_made_for_another_chain() -> None:
    assert epid.judged(network=b"m" * 32) == BINDING


def pseudonym(size: int = 128, byte: bytes = b"p") -> str:
    return base64.b64encode(byte * size).decode()


def test_case_31_linkable_quotes_are_accepted_as_unlinkable_ones_are() -> None:
    body = epid.linkable(epid.quote())

    assert epid.judged_report(body, epidPseudonym=pseudonym()) == epid.ACCEPTED
    assert epid.judged_report(body) == epid.ACCEPTED


def test_case_31_two_nodes_of_one_platform_are_accepted() -> None:
    owner = b"\7" * 20
    body = epid.quote(registration_report_data(b"\x0a" + bytes(31), epid.NETWORK, owner))
    first = epid.signed(epid.report(epid.linkable(epid.quote()), epidPseudonym=pseudonym()))
    second = epid.signed(epid.report(epid.linkable(body), id="2", epidPseudonym=pseudonym()))

    assert epid.judged(first) == epid.ACCEPTED
    assert epid.judged(second, owner=owner) == epid.ACCEPTED


@pytest.mark.parametrize("size", [0, 64, 127, 129])
def test_case_31_a_pseudonym_of_another_length(size: int) -> None:
    body = epid.linkable(epid.quote())

    assert epid.judged_report(body, epidPseudonym=pseudonym(size)) == MALFORMED


def test_case_31_a_pseudonym_that_contradicts_its_quote_or_is_no_base64() -> None:
    body = epid.linkable(epid.quote())

    assert epid.judged_report(epidPseudonym=pseudonym()) == MALFORMED
    assert epid.judged_report(body, epidPseudonym=pseudonym().rstrip("=")) == MALFORMED
    assert epid.judged_report(body, epidPseudonym=None) == MALFORMED


@pytest.mark.parametrize("sign_type", [2, 0xFFFF])
def test_case_31_a_signature_neither_linkable_nor_unlinkable(sign_type: int) -> None:
    body = epid.quote()
    spoiled = body[:2] + sign_type.to_bytes(2, "little") + body[4:]

    assert epid.judged_report(spoiled) == "quote-malformed"


def in_group(gid: int) -> bytes:
    body = epid.quote()
    return body[:4] + gid.to_bytes(4, "little") + body[8:]


def test_case_32_a_group_is_blocked_by_intel_and_by_no_list_of_a_policy() -> None:
    blocked = epid.report(in_group(0xBAD), isvEnclaveQuoteStatus="GROUP_REVOKED")

    assert epid.judged_report(in_group(0xBAD)) == epid.ACCEPTED
    assert epid.judged(epid.signed(blocked)) == "quote-status-not-allowed"
    with pytest.raises(PolicyFormatError, match="blocked_gids is unknown"):
        pki.policy(blocked_gids=["00000bad"])


def test_case_32_a_report_about_a_quote_of_another_group_answers_another_request() -> None:
    with pytest.raises(UntrustedAnswerError, match="another quote"):
        check_answers(epid.report(in_group(0xBAD)), quote=in_group(0xE16), nonce=None)
