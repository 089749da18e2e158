from typing import Any

import pytest

from enclave.evidence import simulated_dcap
from tests.enclave.verify.dcap_evidence import accepted, refused
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5
from tests.simulators.dcap_pki_factory import key
from tests.simulators.dcap_quote_factory import Form

Changes = dict[str, Any]

KEY = simulated_dcap.raw_key(key("attestation").public_key())
BOUND = simulated_dcap.encode_qe_report(simulated_dcap.TEE_SGX, KEY)[320:352]

RULES: list[tuple[str, Changes]] = [
    ("quote-malformed", {"quote": lambda quote: quote[:40]}),
    ("quote-length", {"quote": lambda quote: quote + b"\0"}),
    ("quote-key-type", {"header": {"attestation_key_type": 3}}),
    ("quote-certification-data", {"parts": {"chain_type": 3}}),
    ("quote-auth-data", {"parts": {"auth_data": bytes(33)}}),
    ("dcap-qe-vendor", {"header": {"qe_vendor_id": bytes(16)}}),
    ("dcap-signature-range-quote", {"parts": {"signature": lambda _: bytes(64)}}),
    ("dcap-signature-range-qe-report", {"parts": {"qe_signature": lambda _: b"\xff" * 64}}),
    ("dcap-attestation-key", {"parts": {"attestation_key_bytes": bytes(64)}}),
    ("dcap-attestation-key-binding", {"parts": {"bound_key": "other"}}),
    ("dcap-attestation-key-binding", {"parts": {"bound_auth_data": bytes(32)}}),
    ("dcap-qe-report-data-tail", {"qe_report": {"report_data": BOUND + bytes(31) + b"\1"}}),
    ("dcap-qe-mr-signer", {"qe_report": {"mr_signer": bytes(32)}}),
    ("dcap-qe-product", {"qe_report": {"isv_prod_id": 9}}),
    ("dcap-qe-misc-select", {"qe_report": {"misc_select": 1}}),
    ("dcap-qe-attributes", {"qe_report": {"flags": 0x25}}),
    ("dcap-qe-attributes", {"qe_report": {"flags": 0x17}}),
    ("dcap-qe-debug", {
        "qe_report": {"flags": 0x17},
        "qe_identity": {"attributesMask": "F9FFFFFFFFFFFFFF0000000000000000"},
    }),
    ("dcap-qe-report-signature", {"parts": {"qe_signed_by": "other"}}),
    ("dcap-quote-signature", {"parts": {"signature": lambda _: b"\1" * 64}}),
]  # fmt: skip


@pytest.mark.parametrize("form", [SGX_V3, TDX_V4, TDX_V5], ids=str)
@pytest.mark.parametrize(("rule", "changes"), RULES, ids=range(len(RULES)))
def test_a_quote_is_refused_by_its_rule(form: Form, rule: str, changes: Changes) -> None:
    assert refused(form, **changes) == rule


@pytest.mark.parametrize("form", [Form(4, 0), Form(5, 0), Form(3, 0x81), Form(2, 0)], ids=str)
def test_each_tee_has_its_versions(form: Form) -> None:
    assert refused(form) == "quote-version"


def test_bits_outside_the_mask_are_free() -> None:
    accepted(SGX_V3, qe_report={"flags": 0x11, "xfrm": 3})
    accepted(SGX_V3, qe_report={"misc_select": 1}, qe_identity={"miscselectMask": "FEFFFFFF"})


def test_attributes_are_those_of_qe_identity() -> None:
    mask = "FBFFFFFFFFFFFFFFFF00000000000000"
    wanted = "1100000000000000E700000000000000"
    identity = {"attributes": wanted, "attributesMask": mask}

    accepted(SGX_V3, qe_identity=identity)
    assert refused(SGX_V3, qe_identity=identity, qe_report={"xfrm": 3}) == "dcap-qe-attributes"
