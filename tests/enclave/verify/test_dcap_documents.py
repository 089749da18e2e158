from collections.abc import Callable
from typing import Any

import pytest

from enigmacli.simulated_intel.tcb_documents import Finding
from tests.enclave.verify.dcap_evidence import accepted, refused
from tests.simulators.dcap_factory import SGX_V3, TDX_V4

Changes = dict[str, Any]

BOTH = ("tcb_info", "qe_identity")


def rule_of(document: str, what: str) -> str:
    return f"dcap-{document.replace('_', '-')}-{what}"


@pytest.mark.parametrize("document", BOTH)
@pytest.mark.parametrize(
    "served",
    [
        lambda text: text.replace(":", ": "),
        lambda text: text.replace('"version":', '"version":1', 1),
        lambda text: text[:-1] + " }",
    ],
)
def test_a_document_is_refused_that_is_not_what_was_signed(
    document: str, served: Callable[[str], str]
) -> None:
    changes: Changes = {f"{document}_served": served}

    assert refused(SGX_V3, **changes) == rule_of(document, "signature")


@pytest.mark.parametrize("document", BOTH)
@pytest.mark.parametrize("signer", ["pck", "platform-ca", "root", "other"])
def test_a_document_is_refused_that_another_key_signed(document: str, signer: str) -> None:
    changes: Changes = {f"{document}_signed_by": signer}

    assert refused(TDX_V4, **changes) == rule_of(document, "signature")


@pytest.mark.parametrize("document", BOTH)
@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, b"\x01" * 32 + bytes(32)])
def test_a_signature_out_of_range_is_refused_before_it_is_tried(
    document: str, signature: bytes
) -> None:
    changes: Changes = {f"{document}_signature": lambda _: signature}

    assert refused(SGX_V3, **changes) == f"dcap-signature-range-{document.replace('_', '-')}"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"tcb_info": {"version": 2}}, "dcap-tcb-info-version"),
        ({"tcb_info": {"id": "TDX"}, "collateral": {}}, "dcap-collateral-tee"),
        ({"tcb_info": {"id": "QE"}}, "dcap-tcb-info-id"),
        ({"tcb_info": {"tcbType": 1}}, "dcap-tcb-type"),
        ({"tcb_info": {"new": 1}}, "dcap-unknown-member"),
        ({"tcb_info": {"fmspc": "01"}}, "tcb-info-malformed"),
        ({"tcb_info": {"fmspc": "000000000000"}}, "dcap-fmspc"),
        ({"tcb_info": {"pceId": "0100"}}, "dcap-pce-id"),
        ({"tcb_info": {"tcbLevels": []}}, "dcap-tcb-level-order"),
        ({"tcb_info": {"tcbEvaluationDataNumber": 18}}, "dcap-evaluation-numbers"),
        ({"qe_identity": {"tcbEvaluationDataNumber": 16}}, "dcap-evaluation-numbers"),
        ({"qe_identity": {"id": "TD_QE"}}, "dcap-qe-identity-id"),
        ({"qe_identity": {"version": 1}}, "dcap-qe-identity-version"),
        ({"qe_identity": {"new": 1}}, "dcap-unknown-member"),
        ({"qe_identity": {"mrsigner": "00"}}, "qe-identity-malformed"),
    ],
    ids=str,
)
def test_a_signed_document_is_refused_by_its_rule(changes: Changes, rule: str) -> None:
    assert refused(SGX_V3, **changes) == rule


def test_hexadecimal_is_compared_in_either_case() -> None:
    accepted(SGX_V3, tcb_info={"fmspc": b"SIM\x00\x00\x00".hex()})


def test_the_number_of_both_documents_is_told() -> None:
    verified = accepted(SGX_V3, finding=Finding(evaluation_number=21))

    assert verified.tcb_evaluation_data_number == 21


def test_nothing_of_an_unsigned_document_is_read() -> None:
    changes: Changes = {"tcb_info_served": lambda _: "{this is no JSON}"}

    assert refused(SGX_V3, **changes) == "dcap-tcb-info-signature"
