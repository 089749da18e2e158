import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from enclave.appraise.policy import Policy
from enclave.errors import EvidenceFormatError, PolicyFormatError
from enclave.times import parse_rfc3339
from enclave.verify.roots import TrustRoots
from enigmacli.evidence_check import (
    EvidenceVerdict,
    load_trust_root,
    parse_evidence,
    verify_evidence,
)
from tests import corpus
from tests.enclave import simulated_pki as pki


def secretnetwork(name: str) -> bytes:
    return (corpus.corpus_dir() / "secretnetwork" / name).read_bytes()


def failed(verdict: EvidenceVerdict) -> set[str]:
    return {check["id"] for check in verdict.document["checks"] if not check["ok"]}


# --- times, policies and roots --------------------------------------------------------------


def test_a_report_later_than_the_time_of_judgement_is_not_authentic() -> None:
    file = secretnetwork("attestation_cert_hw_invalid_test.der")
    made_us = parse_rfc3339("2021-11-23T12:49:38.333124Z")

    within = verify_evidence(file, at_us=made_us)
    ahead = verify_evidence(file, at_us=made_us - 1)

    assert within.exit_code == 0
    assert (ahead.exit_code, ahead.document["code"]) == (5, "evidence-in-future")


def test_a_policys_skew_counts() -> None:
    file, policy = pki.on_chain(), pki.policy(max_clock_skew_s=30)

    within = verify_evidence(file, at_us=pki.AT_US - 30_000_000, policy=policy)
    ahead = verify_evidence(file, at_us=pki.AT_US - 30_000_001, policy=policy)

    assert within.exit_code == 0
    assert (ahead.exit_code, ahead.document["code"]) == (5, "evidence-in-future")


def test_a_policy_is_judged_in_all_of_its_rules() -> None:
    case = corpus.load("ias/secretnetwork_hw_invalid_test.json")
    file = secretnetwork("attestation_cert_hw_invalid_test.der")
    made_us = parse_rfc3339(case["verify_at"])
    members = {"trust_roots": ["intel"], "simulation": False}
    listed = {"mr_enclave": case["expect"]["mr_enclave"]}

    def code(at_us: int, **changes: Any) -> str:
        policy = pki.policy(**(members | changes))
        return str(verify_evidence(file, at_us=at_us, policy=policy).document["code"])

    assert code(made_us, measurements=[listed]) == "ok"
    assert code(made_us) == "measurement-not-allowed"
    assert code(made_us + 3601 * 10**6, measurements=[listed]) == "evidence-too-old"
    assert code(made_us, measurements=[listed], evidence_kinds=[]) == "evidence-kind-not-allowed"


def test_without_a_policy_measurement_advisories_and_age_are_reported() -> None:
    file = secretnetwork("attestation_cert_hw_invalid_test.der")
    verdict = verify_evidence(file, at_us=pki.AT_US)

    seen = {check["id"]: check for check in verdict.document["checks"]}
    for rule in ("measurement-not-allowed", "advisory-not-allowed", "evidence-too-old"):
        assert seen[rule]["ok"]
        assert seen[rule]["expected"] == "anything (not judged)"
        assert seen[rule]["seen"]


def test_simulated_evidence_needs_its_root_named() -> None:
    file = pki.on_chain()

    production = verify_evidence(file, at_us=pki.AT_US)
    standing_in = verify_evidence(file, at_us=pki.AT_US, roots=load_trust_root(pki.root()))
    by_policy = verify_evidence(file, at_us=pki.AT_US, policy=pki.policy())

    assert production.document["code"] == "ias-certificate-chain"
    assert standing_in.exit_code == 0
    assert by_policy.exit_code == 0


def test_a_trust_root_may_be_pem_or_der() -> None:
    pem = x509.load_der_x509_certificate(pki.root()).public_bytes(Encoding.PEM)

    assert load_trust_root(pem) == load_trust_root(pki.root()) == pki.roots()
    intel = corpus.corpus_dir() / "roots" / "intel_ias_report_signing_ca.pem"
    assert load_trust_root(intel.read_bytes()) == TrustRoots.of_intel()


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN", b"-----" * 100])
def test_what_is_no_certificate_is_no_trust_root(data: bytes) -> None:
    with pytest.raises(PolicyFormatError):
        load_trust_root(data)


def test_the_attackers_root_behind_the_leaf_changes_nothing() -> None:
    leaf = pki.certificate(issuer_key="attacker")
    chain = b"".join(
        x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
        for der in (leaf, pki.root("attacker", "root"))
    )
    members = pki.comment(pki.signed(leaf=leaf)) | {"signing_cert": chain.decode()}

    verdict = verify_evidence(json.dumps(members).encode(), at_us=pki.AT_US, policy=pki.policy())

    assert verdict.document["code"] == "ias-certificate-chain"


@pytest.mark.parametrize("version", [..., 2, 3, 6])
def test_another_version_is_refused_by_policy(version: Any) -> None:
    file = pki.on_chain(pki.signed(pki.report(version=version)))

    verdict = verify_evidence(file, at_us=pki.AT_US, policy=pki.policy())

    assert (verdict.exit_code, verdict.document["code"]) == (6, "ias-version-not-allowed")
    assert verdict.document["claims"]["report_version"] == (None if version is ... else version)


@pytest.mark.parametrize("version", ["4", 4.0, True, None, [4]])
def test_a_version_of_another_type_is_malformed(version: Any) -> None:
    file = pki.on_chain(pki.signed(pki.report(version=version)))

    verdict = verify_evidence(file, at_us=pki.AT_US, policy=pki.policy())

    assert (verdict.exit_code, verdict.document["code"]) == (5, "ias-report-malformed")
    assert "claims" not in verdict.document
    assert verdict.document["kind"] == "epid"


# --- anything at all ---------------------------------------------------------------------------


@pytest.mark.parametrize("first", [b"{", b"-----", b"\x30", b"\x03\x00", bytes(12)])
def test_ten_megabytes_are_refused_at_once(first: bytes) -> None:
    data = first + bytes(10_000_000)

    started = time.perf_counter()
    verdict = verify_evidence(data, at_us=pki.AT_US)

    assert verdict.exit_code == 5
    assert time.perf_counter() - started < 1


def test_a_megabyte_with_a_bad_signature_is_refused_at_its_signature() -> None:
    leaf = corpus.load("ias/pdo_report.json")["signing_cert_b64"]
    big = base64.b64encode(b"{" + b"[" * 600_000).decode()
    file = json.dumps({"report": big, "signature": "AAAA", "signing_cert": leaf}).encode()

    verdict = verify_evidence(file, at_us=pki.AT_US)

    assert verdict.document["code"] == "ias-report-signature"
    assert "claims" not in verdict.document


@pytest.mark.parametrize("data", [b"", b"\n", b"hello", b"{}", b"{", b"[]", b"\x30", b"\0" * 12])
def test_a_file_that_is_no_evidence_gets_a_whole_document(data: bytes) -> None:
    document = verify_evidence(data, at_us=pki.AT_US).document

    assert document["kind"] is None
    assert document["authentic"] is False
    assert document["verdict"] == "reject"
    assert document["reason"].isprintable()
    assert failed(EvidenceVerdict(document, 5)) == {document["code"]}
    with pytest.raises(EvidenceFormatError):
        parse_evidence(data)


@given(st.binary(max_size=300), st.integers(0, 2**63 - 1))
def test_any_bytes_at_any_time_get_a_verdict(data: bytes, at_us: int) -> None:
    assert verify_evidence(data, at_us=at_us).exit_code == 5


@given(st.integers(0, 3283), st.integers(0, 255))
def test_a_changed_byte_gets_a_verdict(at: int, value: int) -> None:
    data = bytearray(secretnetwork("attestation_cert_hw_invalid_test.der"))
    data[at] = value

    verdict = verify_evidence(bytes(data), at_us=pki.AT_US)

    assert verdict.exit_code in {0, 5}
    json.dumps(verdict.document)


def test_the_policy_of_the_known_answers_is_one_to_verify_with(tmp_path: Path) -> None:
    known = corpus.load("kat/protocol_v1.json")["policy"]
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(known, indent=2))
    policy = Policy.parse_any_layout(file.read_bytes())

    verdict = verify_evidence(
        secretnetwork("attestation_cert_hw_invalid_test.der"), at_us=pki.AT_US, policy=policy
    )

    assert verdict.document["code"] == "measurement-not-allowed"
