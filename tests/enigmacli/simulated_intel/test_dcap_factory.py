"""The tests' own evidence: sound by default for the engine, unsound where it is told to be."""

from typing import Any

import dcap_qvl  # type: ignore[import-untyped]
import pytest

from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enigmacli.simulated_intel.tcb_documents import Finding
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, TDX_V5, Made, make
from tests.simulators.dcap_pki_factory import is_sgx_extension, serial_of
from tests.simulators.dcap_quote_factory import Form

FORMS = (SGX_V3, TDX_V4, TDX_V5)


def verified(made: Made) -> tuple[str, list[str]]:
    collateral = dcap_qvl.QuoteCollateralV3.from_json(made.collateral_json.decode())
    now = int(AT.timestamp())
    report = dcap_qvl.verify_with_root_ca(made.quote, collateral, made.root_der, now)
    return report.status, report.advisory_ids


@pytest.mark.parametrize("form", FORMS)
def test_what_nobody_changed_is_up_to_date(form: Form) -> None:
    assert verified(make(form)) == ("UpToDate", [])


@pytest.mark.parametrize("form", FORMS)
def test_the_same_call_gives_the_same_bytes(form: Form) -> None:
    assert make(form) == make(form)


@pytest.mark.parametrize("form", FORMS)
def test_the_container_holds_quote_and_collateral(form: Form) -> None:
    made = make(form)

    parsed = parse_on_chain(made.container)
    assert parsed == QuoteWithCollateral(made.quote, made.collateral_intel)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (Finding("SWHardeningNeeded", ("INTEL-SA-00615",)), "SWHardeningNeeded"),
        (Finding(qe_status="OutOfDate", qe_advisory_ids=("INTEL-SA-00615",)), "OutOfDate"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_the_documents_give_status_and_advisories(
    form: Form, finding: Finding, expected: str
) -> None:
    assert verified(make(form, finding=finding)) == (expected, ["INTEL-SA-00615"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": {"flags": 0x07}}, "Debug mode"),
        ({"header": {"qe_vendor_id": bytes(16)}}, "vendor"),
        ({"certificates": {"pck": {"claims": {"fmspc": b"otherf"}}}}, "Fmspc mismatch"),
        ({"certificates": {"pck": {"signed_by": "stranger"}}}, "UnknownIssuer|InvalidSignature"),
        ({"certificates": {"pck": {"extensions": lambda all_: [
            *all_, *filter(is_sgx_extension, all_)]}}}, "more than once"),
        ({"pck_crl": {"revoked": (serial_of("pck"),)}}, "CertRevoked"),
        ({"tcb_info_signed_by": "stranger"}, "Signature is invalid for tcb_info"),
        ({"tcb_info_served": lambda text: text + " "}, "Signature is invalid for tcb_info"),
        ({"qe_identity_signature": lambda _: bytes(64)}, "Signature is invalid for qe_identity"),
        ({"parts": {"bound_key": "stranger"}}, "QE report hash mismatch"),
        ({"parts": {"qe_signed_by": "stranger"}}, "Signature is invalid for qe_report"),
        ({"quote": lambda quote: quote[:600]}, "decode"),
        ({"finding": Finding("Revoked")}, "Revoked"),
    ],
)  # fmt: skip
def test_what_is_changed_is_refused_for_that_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        verified(make(SGX_V3, **changes))
