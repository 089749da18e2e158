import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.errors import EvidenceFormatError
from enclave.evidence.collateral import Collateral
from enclave.times import parse_rfc3339
from enigmacli.evidence_check import EvidenceVerdict, parse_evidence, verify_evidence
from tests import corpus
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, Made, make, tagged
from tests.simulators.dcap_quote_factory import Form

AT_US = parse_rfc3339("2026-11-23T10:00:00Z")

FORMS = pytest.mark.parametrize(
    "form", [SGX_V3, TDX_V4, TDX_V5], ids=["sgx-v3", "tdx-v4", "tdx-v5"]
)
GENUINE = pytest.mark.parametrize(
    "name", ["automata_quotev3", "dcapqvl_tdx_quote_eval17", "openenclave_seamldr5_eval17"]
)


def genuine(name: str) -> tuple[bytes, bytes, int]:
    """Quote, collateral in JSON, and the time at which both are acceptable."""
    case = corpus.load(f"dcap/{name}.json")
    quote = base64.b64decode(case["quote_b64"])
    return quote, json.dumps(case["collateral"]).encode(), parse_rfc3339(case["verify_at"])


def intel(collateral: bytes) -> bytes:
    return Collateral.parse_json(collateral).encode_intel()


def sizes(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "little") for part in parts) + b"".join(parts)


def judged(made: Made, **options: Any) -> EvidenceVerdict:
    return verify_evidence(made.container, at_us=AT_US, roots=made.roots, **options)


def failed(verdict: EvidenceVerdict) -> set[str]:
    return {check["id"] for check in verdict.document["checks"] if not check["ok"]}


# --- containers ----------------------------------------------------------------------------------

CONTAINERS: dict[str, Callable[[bytes, bytes], tuple[bytes, bytes | None]]] = {
    "quote and JSON": lambda quote, text: (quote, text),
    "quote and indented JSON": lambda quote, text: (
        quote,
        b"\n " + json.dumps(json.loads(text), indent=2).encode(),
    ),
    "quote and Intel's form": lambda quote, text: (quote, intel(text)),
    "tags": lambda quote, text: (tagged((2, quote), (3, intel(text))), None),
    "tags and JSON apart": lambda quote, text: (tagged((2, quote)), text),
    "tags with a token": lambda quote, text: (
        tagged((2, quote), (3, intel(text)), (4, b"token")),
        None,
    ),
    "three sizes": lambda quote, text: (sizes(b"", quote, intel(text)), None),
    "three sizes with JSON inside": lambda quote, text: (sizes(b"", quote, text), None),
}


@GENUINE
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_container_changes_nothing(name: str, container: str) -> None:
    quote, collateral, at_us = genuine(name)
    file, apart = CONTAINERS[container](quote, collateral)

    verdict = verify_evidence(file, at_us=at_us, collateral=apart)

    assert verdict == verify_evidence(quote, at_us=at_us, collateral=collateral)
    assert (verdict.exit_code, verdict.document["code"]) == (0, "ok")


def test_collateral_that_is_named_takes_the_place_of_the_one_inside() -> None:
    quote, collateral, at_us = genuine("automata_quotev3")
    other = intel(genuine("dcapqvl_sgx_quote")[1])

    inside = verify_evidence(tagged((2, quote), (3, other)), at_us=at_us)
    named = verify_evidence(tagged((2, quote), (3, other)), at_us=at_us, collateral=collateral)

    assert inside.exit_code == 5
    assert named.exit_code == 0


@pytest.mark.parametrize("collateral", [b"", b"{", b"{}", b"[]", b"junk", bytes(32), b" {"])
def test_collateral_that_is_none_leaves_the_claims(collateral: bytes) -> None:
    quote, _, at_us = genuine("automata_quotev3")

    verdict = verify_evidence(quote, at_us=at_us, collateral=collateral)

    assert (verdict.exit_code, verdict.document["authentic"]) == (5, False)
    assert verdict.document["claims"]["fmspc"] == "00606a000000"
    assert verdict.document["claims"]["status"] is None
    assert verdict.document["kind"] == "dcap-sgx"


# --- verdicts ------------------------------------------------------------------------------------


@FORMS
def test_simulated_evidence_needs_its_root_named(form: Form) -> None:
    made = make(form)

    production = verify_evidence(made.container, at_us=AT_US)
    named = judged(made)
    policy = kit.policy(form, trust_roots=[made.trust_root_entry], max_evidence_age_s=10**8)
    by_policy = verify_evidence(made.container, at_us=AT_US, policy=policy)

    assert (production.exit_code, production.document["code"]) == (5, "dcap-root")
    assert named.exit_code == 0
    assert by_policy.exit_code == 0


def test_a_policy_is_judged_in_all_of_its_rules() -> None:
    made = make(SGX_V3)

    def code(**changes: Any) -> str:
        roots = {"trust_roots": [made.trust_root_entry], "max_evidence_age_s": 10**8}
        policy = kit.policy(SGX_V3, **(roots | changes))
        verdict = verify_evidence(made.container, at_us=AT_US, policy=policy)
        assert verdict.exit_code == 6
        return str(verdict.document["code"])

    assert code(measurements=[]) == "measurement-not-allowed"
    assert code(max_evidence_age_s=1) == "evidence-too-old"
    assert code(evidence_kinds=["epid"]) == "evidence-kind-not-allowed"
    assert code(platform_tcb_statuses=[]) == "platform-status-not-allowed"
    assert code(qe_tcb_statuses=[]) == "qe-status-not-allowed"
    assert code(min_tcb_evaluation_data_number=10**6) == "tcb-evaluation-too-low"


def test_every_rule_is_shown_behind_the_first_that_failed() -> None:
    verdict = judged(make(SGX_V3, body={"flags": 0x17}))

    assert failed(verdict) == {"debug-enclave", "provision-key-allowed", "library-refuses"}
    assert verdict.document["code"] == "debug-enclave"
    assert verdict.document["authentic"]


def test_rules_that_need_no_trust_are_shown_behind_a_bad_signature() -> None:
    made = make(SGX_V3, body={"flags": 0x07}, parts={"signature": lambda _: b"\x01" * 64})

    verdict = judged(made)

    assert failed(verdict) == {"dcap-quote-signature", "debug-enclave"}
    assert (verdict.exit_code, verdict.document["code"]) == (5, "dcap-quote-signature")
    assert verdict.document["claims"]["debug"] is True


def test_a_padded_quote_inside_a_container_is_trimmed_too() -> None:
    made = make(TDX_V4, quote=lambda quote: quote + bytes(70))

    refused, trimmed = judged(made), judged(made, trim_padding=True)

    assert (refused.exit_code, refused.document["code"]) == (5, "quote-length")
    assert "--trim-padding" in refused.document["hint"]
    assert trimmed.exit_code == 0


# --- what a file says ----------------------------------------------------------------------------


@GENUINE
def test_parsing_shows_every_part_of_a_quote(name: str) -> None:
    quote, collateral, _ = genuine(name)
    expect = corpus.load(f"dcap/{name}.json")["expect"]

    document = parse_evidence(quote, collateral=collateral)

    parts = document["parts"]
    assert document["authentic"] is None
    assert document["kind"] == f"dcap-{expect['tee']}"
    assert parts["header"]["version"] == expect["quote_version"]
    assert parts["body"]["report_data"] == expect["report_data"]
    assert parts["pck_extension"]["fmspc"] == expect["fmspc"]
    chain = parts["signature"]["certification_data"]
    assert [one["subject"].rpartition("=")[2] for one in chain][::2] == [
        "Intel SGX PCK Certificate",
        "Intel SGX Root CA",
    ]
    assert parts["collateral"]["tcb_info"]["fmspc"] == expect["fmspc"]
    assert parts["collateral"]["root_ca_crl"]["issuer"].endswith("CN=Intel SGX Root CA")
    assert json.loads(json.dumps(document)) == document


def test_a_malformed_part_says_so_and_the_others_are_shown() -> None:
    made = make(SGX_V3, parts={"chain_type": 3})

    parts = parse_evidence(made.container)["parts"]

    assert parts["signature"]["error"] == "quote-certification-data"
    assert parts["pck_extension"]["error"] == "quote-certification-data"
    assert parts["header"]["version"] == 3
    assert parts["collateral"]["tcb_info"]["tcb_evaluation_data_number"]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"root_ca_crl": "00ff"}, "root_ca_crl"),
        ({"pck_crl": "3000"}, "pck_crl"),
        ({"tcb_info": "{}"}, "tcb_info"),
        ({"qe_identity": "[]"}, "qe_identity"),
        ({"tcb_info_issuer_chain": "none"}, "tcb_info_issuer_chain"),
    ],
)
def test_a_malformed_part_of_the_collateral_says_so(changes: dict[str, str], part: str) -> None:
    made = make(SGX_V3, collateral=changes)

    shown = parse_evidence(made.quote, collateral=made.collateral_json)["parts"]["collateral"]

    assert "error" in shown[part]
    assert sum("error" in value for value in shown.values()) == 1


@FORMS
@settings(max_examples=150, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_is_read_or_refused(form: Form, edits: list[tuple[int, int]]) -> None:
    data = bytearray(make(form).container)
    for at, value in edits:
        data[at % len(data)] = value
    try:
        document = parse_evidence(bytes(data))
    except EvidenceFormatError:
        return
    assert json.loads(json.dumps(document)) == document


@settings(max_examples=100, deadline=None)
@given(chain=st.binary(max_size=300), collateral=st.binary(min_size=1, max_size=300))
def test_any_bytes_in_the_place_of_certificate_and_collateral_are_named(
    chain: bytes, collateral: bytes
) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    made = make(SGX_V3, pem=lambda _: pem % base64.b64encode(chain))

    parts = parse_evidence(made.quote, collateral=collateral)["parts"]

    assert "error" in parts["signature"]["certification_data"]
    assert "error" in parts["pck_extension"]
    assert "error" in parts["collateral"]


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 5000), value=st.integers(0, 255))
def test_a_damaged_certificate_is_shown_or_named(at: int, value: int) -> None:
    quote, _, _ = genuine("automata_quotev3")
    start = quote.index(b"-----BEGIN") + 28
    der = bytearray(base64.b64decode(quote[start : quote.index(b"-----END")]))
    der[at % len(der)] = value
    pem = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    made = make(SGX_V3, pem=lambda _: pem % base64.b64encode(bytes(der)))

    document = parse_evidence(made.quote)

    assert json.loads(json.dumps(document)) == document
