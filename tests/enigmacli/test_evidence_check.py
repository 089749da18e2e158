import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.times import parse_rfc3339
from enigmacli.evidence_check import (
    EvidenceVerdict,
    parse_evidence,
    verify_evidence,
)
from tests import corpus
from tests.enclave import simulated_pki as pki

CASES = corpus.names("ias")

CODES = {
    "body_byte_flipped": "ias-report-signature",
    "leaf_forged_same_dn": "ias-certificate-chain",
    "reserialised": "ias-report-signature",
    "signature_swapped": "ias-report-signature",
    "status_forged_ok": "ias-report-signature",
    "trailing_newline": "ias-report-signature",
    "chain_time_after_leaf_expiry": "ias-certificate-time",
    "chain_time_before_leaf": "ias-certificate-time",
    "mobilecoin_ias_ok": "ias-unsigned",
    "mobilecoin_ias_with_pib": "ias-unsigned",
    "pdo_report_as_filed": "ias-report-signature",
    "pdo_report_bad_signature": "ias-report-signature",
    "secretnetwork_invalid": "container-malformed",
    "secretnetwork_sw": "evidence-missing",
}
"""Of everything in the corpus that is not authentic, by mutation or by name."""

REASONS = {
    "AVR version is not 4 or 5": "ias-version-not-allowed",
    "debug enclave": "debug-enclave",
}


def short(name: str) -> str:
    return name.removeprefix("ias/").removesuffix(".json")


def is_authentic(name: str) -> bool:
    return bool(corpus.load(name)["expect"]["authentic"])


def as_file(case: dict[str, Any]) -> bytes:
    """The original file where the case has one, else the JSON form."""
    if case.get("container_b64"):
        return base64.b64decode(case["container_b64"])
    members = {
        "report": case["report_b64"],
        "signature": case["signature_b64"],
        "signing_cert": case["signing_cert_b64"],
    }
    return json.dumps(members).encode()


def verify_case(name: str) -> EvidenceVerdict:
    case = corpus.load(name)
    at_us = parse_rfc3339(case["verify_at"])
    chain_at_us = at_us if "__chain_time_" in name else None
    return verify_evidence(as_file(case), at_us=at_us, chain_at_us=chain_at_us)


def secretnetwork(name: str) -> bytes:
    return (corpus.corpus_dir() / "secretnetwork" / name).read_bytes()


def failed(verdict: EvidenceVerdict) -> set[str]:
    return {check["id"] for check in verdict.document["checks"] if not check["ok"]}


def test_the_corpus_has_cases() -> None:
    corpus.corpus_dir()

    assert len(CASES) >= 89


@pytest.mark.parametrize("name", CASES)
def test_every_case_gets_its_verdict(name: str) -> None:
    case = corpus.load(name)
    authentic = case["expect"]["authentic"]
    accept = case.get("strict_production", {}).get("verdict") == "accept"

    verdict = verify_case(name)

    assert verdict.exit_code == (0 if accept else 6 if authentic else 5)
    assert verdict.document["schema"] == 1
    assert verdict.document["authentic"] is authentic
    assert verdict.document["verdict"] == ("accept" if accept else "reject")
    assert (verdict.document["code"] == "ok") is accept


@pytest.mark.parametrize("name", [name for name in CASES if "__" not in name])
def test_every_case_gets_its_claims(name: str) -> None:
    expect = corpus.load(name)["expect"]

    document = verify_case(name).document

    if "version" not in expect:
        assert "claims" not in document
        return
    claims = document["claims"]
    assert document["kind"] == "epid"
    assert claims["report_version"] == expect["version"]
    assert claims["status"] == expect["quote_status"]
    same = ("advisory_ids", "debug", "mr_enclave", "mr_signer", "isv_prod_id", "isv_svn")
    for key in (*same, "report_data", "sign_type", "gid"):
        assert claims[key] == expect[key]


@pytest.mark.parametrize("name", [name for name in CASES if not is_authentic(name)])
def test_what_is_not_authentic_is_refused_for_its_own_reason(name: str) -> None:
    case, _, mutation = short(name).partition("__")

    document = verify_case(name).document

    assert document["code"] == CODES[mutation or case]


@pytest.mark.parametrize("name", [name for name in CASES if is_authentic(name)])
def test_authentic_evidence_is_refused_for_all_of_its_reasons(name: str) -> None:
    reasons = corpus.load(name)["strict_production"].get("reasons", [])

    assert failed(verify_case(name)) == {
        REASONS.get(reason, "quote-status-not-allowed") for reason in reasons
    }


def test_the_first_failed_check_in_order_names_the_code() -> None:
    verdict = verify_case("ias/integritee_test4.json")

    assert verdict.document["code"] == "ias-version-not-allowed"
    assert verdict.document["reason"] == (
        "the report's API version is not accepted, expected 4 or 5, seen 3"
    )


def test_checks_that_need_no_trust_are_shown_behind_a_failed_signature() -> None:
    verdict = verify_case("ias/pdo_report_as_filed.json")

    assert verdict.document["code"] == "ias-report-signature"
    assert failed(verdict) == {
        "ias-report-signature",
        "ias-version-not-allowed",
        "quote-status-not-allowed",
        "debug-enclave",
    }


def test_a_document_is_json_of_plain_types() -> None:
    for name in CASES[:20]:
        document = verify_case(name).document
        assert json.loads(json.dumps(document)) == document
        for check in document["checks"]:
            assert set(check) == {"id", "ok", "expected", "seen"}


def test_the_claims_are_those_of_the_interface() -> None:
    claims = verify_case("ias/oasis_avr_v4_sw_hardening.json").document["claims"]

    assert set(claims) >= {
        "report_version", "quote_version", "status", "advisory_ids", "debug", "mr_enclave",
        "mr_signer", "isv_prod_id", "isv_svn", "report_data", "timestamp", "fmspc",
        "platform_status", "qe_status", "tcb_evaluation_data_number",
    }  # fmt: skip
    assert claims["quote_version"] == 2
    assert claims["timestamp"] == "2020-05-11T09:21:15.454051Z"


# --- files of the peer, as they lie there ---------------------------------------------------


def _peer_files() -> list[str]:
    return [
        "attestation_cert_hw_invalid_test.der",
        "attestation_cert_hw_v2",
        "attestation_cert_out_of_date.der",
        "attestation_cert_sw_config_needed.der",
        "attestation_cert_hw_old",
        "tls_ra_cert_v3.der",
    ]


@pytest.mark.parametrize("name", _peer_files())
def test_a_file_of_the_peer_says_its_report_data(name: str) -> None:
    listed = {item["file"]: item for item in corpus.load("secretnetwork/expected.json")["files"]}

    document = parse_evidence(secretnetwork(name))

    assert document["kind"] == "epid"
    assert document["claims"]["report_data"] == listed[name]["report_data"]
    assert document["authentic"] is None


@pytest.mark.parametrize(
    ("name", "exit_code", "code"),
    [
        ("attestation_cert_hw_invalid_test.der", 0, "ok"),
        ("attestation_cert_hw_v2", 6, "debug-enclave"),
        ("attestation_cert_out_of_date.der", 6, "quote-status-not-allowed"),
        ("attestation_cert_sw_config_needed.der", 6, "quote-status-not-allowed"),
        ("attestation_cert_hw_old", 6, "debug-enclave"),
        ("tls_ra_cert_v3.der", 6, "ias-version-not-allowed"),
        ("attestation_cert_sw", 5, "evidence-missing"),
        ("attestation_cert_sw.combined", 5, "evidence-missing"),
        ("attestation_cert_invalid", 5, "container-malformed"),
        ("attestation_dcap.quote", 5, "evidence-missing"),
        ("attestation_dcap.collateral", 5, "quote-key-type"),
        ("expected.json", 5, "evidence-missing"),
    ],
)
def test_a_file_of_the_peer_gets_its_verdict(name: str, exit_code: int, code: str) -> None:
    verdict = verify_evidence(secretnetwork(name), at_us=pki.AT_US)

    assert (verdict.exit_code, verdict.document["code"]) == (exit_code, code)


def test_the_same_certificate_in_pem_gets_the_same_verdict() -> None:
    der = secretnetwork("attestation_cert_hw_invalid_test.der")
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)

    for text in (pem, pem.replace(b"\n", b"\r\n"), pem.strip()):
        assert verify_evidence(text, at_us=pki.AT_US) == verify_evidence(der, at_us=pki.AT_US)


def test_the_certificate_header_is_read_as_received() -> None:
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    headers = case["http_headers"]
    members = {
        "report": case["report_b64"],
        "signature": headers["X-IASReport-Signature"],
        "signing_cert": headers["X-IASReport-Signing-Certificate"],
    }

    verdict = verify_evidence(json.dumps(members).encode(), at_us=pki.AT_US)

    assert verdict.document["code"] == "debug-enclave"
    assert verdict.document["authentic"]


def test_a_plus_sign_lost_on_the_way_is_not_repaired() -> None:
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    header = case["http_headers"]["X-IASReport-Signing-Certificate"].replace("%2B", "%20")
    members = {
        "report": case["report_b64"],
        "signature": case["signature_b64"],
        "signing_cert": header,
    }

    assert verify_evidence(json.dumps(members).encode(), at_us=pki.AT_US).exit_code == 5
