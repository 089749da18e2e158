import base64
import json
from typing import Any

import pytest

from enclave.checks import Check
from enclave.errors import EvidenceFormatError, VerificationError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral
from enclave.times import parse_rfc3339
from enclave.verify.dcap import VerifiedQuote, verify_quote
from enclave.verify.roots import TrustRoots
from tests import corpus

CASES = corpus.names("dcap")
AUTHENTIC = [name for name in CASES if "__" not in name and "own_" not in name]
AUTHENTIC = [name for name in AUTHENTIC if "future_pck_crl" not in name]


def verify(case: dict[str, Any], checks: list[Check]) -> VerifiedQuote:
    collateral = Collateral.parse_json(json.dumps(case["collateral"]).encode()).encode_intel()
    evidence = QuoteWithCollateral(base64.b64decode(case["quote_b64"]), collateral)
    at_us = parse_rfc3339(case["verify_at"])
    return verify_quote(evidence, TrustRoots.of_intel(), checks, at_us=at_us, max_clock_skew_s=0)


def test_the_corpus_is_there_and_has_both_sides() -> None:
    corpus.corpus_dir()

    authentic = [name for name in CASES if corpus.load(name)["expect"]["authentic"]]
    assert authentic == AUTHENTIC
    assert len(authentic) >= 12
    assert len(CASES) - len(authentic) >= 40


@pytest.mark.parametrize("name", AUTHENTIC)
def test_authentic_evidence_is_verified_and_its_statuses_found(name: str) -> None:
    case = corpus.load(name)
    expect = case["expect"]

    checks: list[Check] = []
    verified = verify(case, checks)

    assert all(check.ok for check in checks)
    assert verified.accepted_by_engine == ("reject_reason" not in expect)
    assert verified.status == expect["tcb_status"]
    assert verified.platform_status == expect.get("platform_status")
    assert verified.qe_status == expect.get("qe_status", verified.qe_status)
    if expect["advisory_ids"] is not None:
        assert list(verified.advisory_ids) == expect["advisory_ids"]
    assert verified.fmspc.hex() == expect.get("fmspc", verified.fmspc.hex())
    said = json.loads(case["collateral"]["tcb_info"])
    assert verified.tcb_evaluation_data_number == said["tcbEvaluationDataNumber"]
    assert not verified.simulated


REFUSED_BY = {
    "after_next_update": "dcap-tcb-info-time",
    "as_captured_padded": "quote-length",
    "attestation_key_replaced": "dcap-attestation-key-binding",
    "before_issue_date": "dcap-tcb-info-time",
    "fmspc_other_platform": "dcap-fmspc",
    "report_byte_flipped": "dcap-quote-signature",
    "tcb_info_reserialised": "dcap-tcb-info-signature",
    "tcb_info_signature_swapped": "dcap-tcb-info-signature",
    "trailing_junk": "quote-length",
    "trailing_zero": "quote-length",
    "truncated_after_report": "quote-malformed",
    "truncated_one": "quote-length",
    "oasis_quote_v4_future_pck_crl": "dcap-crl-time",
    "oasis_quote_v4_trailing_future_pck_crl": "dcap-crl-time",
    "secretnetwork_dcap_own_collateral": "dcap-tcb-info-version",
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in AUTHENTIC])
def test_evidence_that_is_not_authentic_is_refused_by_its_rule(name: str) -> None:
    base, _, mutation = name.removeprefix("dcap/").removesuffix(".json").partition("__")

    with pytest.raises((EvidenceFormatError, VerificationError)) as caught:
        verify(corpus.load(name), [])

    assert caught.value.code == REFUSED_BY[mutation or base]


@pytest.mark.parametrize("name", AUTHENTIC)
def test_a_flipped_bit_of_the_quote_is_refused(name: str) -> None:
    case = dict(corpus.load(name))
    quote = base64.b64decode(case["quote_b64"])
    for at in range(0, len(quote) - 1, 97):
        spoiled = bytearray(quote)
        spoiled[at] ^= 0x01
        case["quote_b64"] = base64.b64encode(bytes(spoiled)).decode()
        with pytest.raises((EvidenceFormatError, VerificationError)):
            verify(case, [])


def test_the_rules_come_in_their_order() -> None:
    checks: list[Check] = []
    verify(corpus.load("dcap/dcapqvl_sgx_quote.json"), checks)

    ids = [check.id for check in checks]
    assert len(set(ids)) == len(ids)
    order = [
        "quote-version", "dcap-qe-vendor", "dcap-signature-range-quote",
        "dcap-signature-range-qe-report", "dcap-collateral-tee", "dcap-root-pck",
        "dcap-certificate-signature-pck-ca", "dcap-certificate-signature-pck", "dcap-pck-role-pck",
        "dcap-sgx-extension-pck", "dcap-cpu-svn-pck", "dcap-crl-issuer-crl-ca",
        "dcap-tcb-signer-role-tcb-signer", "dcap-crl-signature-root-crl",
        "dcap-crl-signature-pck-crl", "dcap-pck-revoked-pck", "dcap-pck-ca-revoked-pck-ca",
        "dcap-tcb-signer-revoked-tcb-signer", "dcap-tcb-info-signature",
        "dcap-qe-identity-signature", "dcap-evaluation-numbers", "dcap-fmspc", "dcap-pce-id",
        "dcap-attestation-key", "dcap-attestation-key-binding", "dcap-qe-debug",
        "dcap-tcb-info-time", "dcap-crl-time-root-crl", "dcap-certificate-time-pck",
        "dcap-validity-disjoint", "dcap-qe-report-signature", "dcap-quote-signature",
        "dcap-engine-refused", "dcap-engine-disagrees",
    ]  # fmt: skip
    assert [name for name in ids if name in order] == order
    assert all(check.expected and check.seen for check in checks)
