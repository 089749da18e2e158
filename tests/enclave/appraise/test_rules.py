from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from enclave.appraise.policy import STRICT_PRODUCTION, Policy
from enclave.appraise.rules import appraise
from enclave.appraise.scope import EVERYTHING, PRODUCTION_ONLY, AppraisalScope
from enclave.checks import Check
from enclave.errors import (
    AdvisoryError,
    DebugEnclaveError,
    EnclaveError,
    EvidenceKindError,
    EvidenceTooOldError,
    MeasurementNotAllowedError,
    PolicyError,
    ProductNotAllowedError,
    QuoteStatusError,
    ReportVersionError,
    SecurityVersionError,
    SignerNotAllowedError,
    TcbEvaluationError,
)
from enclave.verify.ias import VerifiedReport, verify_report
from tests.enclave import simulated_pki as pki

ADVISORY = "INTEL-SA-00334"
OTHER = bytes(32).hex()


def verified(body: bytes | None = None, **changes: Any) -> VerifiedReport:
    signed = pki.signed(pki.report(body, **changes))
    return verify_report(signed, pki.roots(), [])


def measured(**members: Any) -> Policy:
    return pki.policy(measurements=[{"mr_enclave": pki.MR_ENCLAVE.hex()} | members])


def accepted(
    evidence: VerifiedReport,
    policy: Policy | None = None,
    *,
    at_us: int = pki.AT_US,
    scope: AppraisalScope = EVERYTHING,
) -> Sequence[Check]:
    checks: list[Check] = []
    appraise(evidence, policy or pki.policy(), at_us, checks, scope)
    assert all(check.ok for check in checks)
    return checks


def refused(
    evidence: VerifiedReport,
    policy: Policy | None = None,
    *,
    at_us: int = pki.AT_US,
    scope: AppraisalScope = EVERYTHING,
) -> EnclaveError:
    checks: list[Check] = []
    with pytest.raises(PolicyError) as caught:
        appraise(evidence, policy or pki.policy(), at_us, checks, scope)
    assert checks[-1].id == caught.value.code
    assert caught.value.expected
    assert caught.value.seen
    return caught.value


def test_the_rules_come_in_their_order() -> None:
    assert [check.id for check in accepted(verified())] == [
        "evidence-kind-not-allowed",
        "ias-version-not-allowed",
        "quote-status-not-allowed",
        "advisory-not-allowed",
        "tcb-evaluation-too-low",
        "debug-enclave",
        "enclave-not-initialised",
        "enclave-not-64-bit",
        "provision-key-allowed",
        "launch-key-allowed",
        "reserved-bits-set",
        "xfrm-not-allowed",
        "kss-config-not-allowed",
        "measurement-not-allowed",
        "signer-not-allowed",
        "product-not-allowed",
        "security-version-too-low",
        "evidence-too-old",
    ]


def test_a_kind_that_is_not_listed_is_refused() -> None:
    error = refused(verified(), pki.policy(evidence_kinds=["dcap-sgx"]))

    assert isinstance(error, EvidenceKindError)


@pytest.mark.parametrize("version", [4, 5])
def test_versions_4_and_5_are_accepted(version: int) -> None:
    accepted(verified(version=version, tcbEvaluationDataNumber=16))


@pytest.mark.parametrize("version", [..., 2, 3, 6, 0, -4, 45, 2**62])
def test_an_absent_or_other_version_is_refused(version: Any) -> None:
    assert isinstance(refused(verified(version=version)), ReportVersionError)


def test_a_listed_status_is_accepted() -> None:
    accepted(verified(isvEnclaveQuoteStatus="SW_HARDENING_NEEDED", advisoryIDs=[ADVISORY]))


@pytest.mark.parametrize(
    "status",
    [
        "SIGNATURE_INVALID",
        "GROUP_REVOKED",
        "SIGNATURE_REVOKED",
        "KEY_REVOKED",
        "SIGRL_VERSION_MISMATCH",
        "GROUP_OUT_OF_DATE",
        "CONFIGURATION_NEEDED",
        "CONFIGURATION_AND_SW_HARDENING_NEEDED",
        "ok",
        "Ok",
        "OK ",
        "",
        "UNHEARD_OF",
    ],
)
def test_a_status_that_is_not_listed_is_refused(status: str) -> None:
    evidence = verified(isvEnclaveQuoteStatus=status, advisoryIDs=[ADVISORY])

    with pytest.raises(QuoteStatusError):
        appraise(evidence, pki.policy(), pki.AT_US, [])


def test_a_hostile_status_is_shown_short_and_printable() -> None:
    error = refused(verified(isvEnclaveQuoteStatus="\x1b[2J\n" + "x" * 5000))

    assert error.seen.isprintable()
    assert len(error.seen) < 100


def test_a_revoked_group_is_refused_with_its_platform_info() -> None:
    evidence = verified(
        isvEnclaveQuoteStatus="GROUP_REVOKED", platformInfoBlob="15020065" + "00" * 101
    )

    assert isinstance(refused(evidence), QuoteStatusError)


def test_every_advisory_must_be_listed() -> None:
    both = [ADVISORY, "INTEL-SA-00615"]
    status = "SW_HARDENING_NEEDED"

    accepted(verified(isvEnclaveQuoteStatus=status, advisoryIDs=both))
    for unlisted in ("INTEL-SA-00219", "intel-sa-00334", ADVISORY + " ", ""):
        evidence = verified(isvEnclaveQuoteStatus=status, advisoryIDs=[*both, unlisted])
        assert isinstance(refused(evidence), AdvisoryError)


def test_an_advisory_counts_with_status_ok_too() -> None:
    accepted(verified(advisoryIDs=[]))
    accepted(verified(advisoryIDs=[ADVISORY]))
    assert isinstance(refused(verified(advisoryIDs=["INTEL-SA-00219"])), AdvisoryError)


@pytest.mark.parametrize("absent", [..., []])
def test_a_status_that_needs_advisories_is_refused_without_them(absent: Any) -> None:
    evidence = verified(isvEnclaveQuoteStatus="SW_HARDENING_NEEDED", advisoryIDs=absent)

    error = refused(evidence)

    assert isinstance(error, AdvisoryError)
    assert "missing" in error.message


def test_the_evaluation_number_has_a_floor_from_version_5_on() -> None:
    accepted(verified(version=5, tcbEvaluationDataNumber=16))
    for number in (15, 0, -1, ...):
        evidence = verified(version=5, tcbEvaluationDataNumber=number)
        assert isinstance(refused(evidence), TcbEvaluationError)


def test_version_4_knows_no_evaluation_number() -> None:
    accepted(verified(version=4))


def test_a_report_without_an_evaluation_number_satisfies_a_floor_of_zero_only() -> None:
    evidence = verified(version=5)

    accepted(evidence, pki.policy(min_tcb_evaluation_data_number=0))
    error = refused(evidence, pki.policy(min_tcb_evaluation_data_number=1))
    assert isinstance(error, TcbEvaluationError)
    assert error.seen == "none"


def test_a_debug_enclave_is_refused() -> None:
    assert isinstance(refused(verified(pki.quote_body(flags=0x07))), DebugEnclaveError)


def test_a_debug_enclave_is_accepted_where_a_simulated_network_says_so() -> None:
    accepted(verified(pki.quote_body(flags=0x07)), pki.policy(allow_debug=True))


def test_a_debug_enclave_under_intels_root_is_refused_whatever_the_policy_says() -> None:
    evidence = replace(verified(pki.quote_body(flags=0x07)), simulated=False)

    assert isinstance(refused(evidence, pki.policy(allow_debug=True)), DebugEnclaveError)


def test_a_measurement_that_is_not_listed_is_refused() -> None:
    error = refused(verified(), pki.policy(measurements=[{"mr_enclave": OTHER}]))

    assert isinstance(error, MeasurementNotAllowedError)
    assert error.expected == OTHER
    assert error.seen == pki.MR_ENCLAVE.hex()


def test_an_empty_list_of_measurements_accepts_nothing() -> None:
    error = refused(verified(), pki.policy(measurements=[]))

    assert isinstance(error, MeasurementNotAllowedError)
    assert error.expected == "nothing"


def test_a_signer_is_judged_where_one_is_named() -> None:
    accepted(verified(), measured(mr_signer=pki.MR_SIGNER.hex()))
    error = refused(verified(), measured(mr_signer=OTHER))

    assert isinstance(error, SignerNotAllowedError)


def test_a_product_id_is_judged_where_one_is_named() -> None:
    accepted(verified(), measured(isv_prod_id=pki.ISV_PROD_ID))
    for other in (pki.ISV_PROD_ID - 1, pki.ISV_PROD_ID + 1, 0):
        assert isinstance(refused(verified(), measured(isv_prod_id=other)), ProductNotAllowedError)


def test_a_security_version_is_judged_where_one_is_named() -> None:
    for least in (0, pki.ISV_SVN - 1, pki.ISV_SVN):
        accepted(verified(), measured(min_isv_svn=least))
    error = refused(verified(), measured(min_isv_svn=pki.ISV_SVN + 1))

    assert isinstance(error, SecurityVersionError)


def test_one_entry_must_fit_in_all_of_its_members() -> None:
    entry = {"mr_enclave": pki.MR_ENCLAVE.hex()}
    right_signer = entry | {"isv_prod_id": 1, "mr_signer": pki.MR_SIGNER.hex()}
    right_product = entry | {"isv_prod_id": pki.ISV_PROD_ID, "mr_signer": OTHER}
    both = entry | {"isv_prod_id": pki.ISV_PROD_ID, "mr_signer": pki.MR_SIGNER.hex()}

    error = refused(verified(), pki.policy(measurements=[right_signer, right_product]))
    assert isinstance(error, ProductNotAllowedError)
    accepted(verified(), pki.policy(measurements=[right_signer, right_product, both]))


def test_evidence_just_as_old_as_allowed_is_accepted() -> None:
    limit_us = pki.AT_US + 3600 * 1_000_000

    accepted(verified(), at_us=limit_us)
    assert isinstance(refused(verified(), at_us=limit_us + 1), EvidenceTooOldError)


def test_evidence_from_a_moment_ahead_is_not_old() -> None:
    accepted(verified(), pki.policy(max_evidence_age_s=0), at_us=pki.AT_US - 1)


def test_policy_comes_before_age() -> None:
    error = refused(verified(pki.quote_body(flags=0x07)), at_us=2**62)

    assert isinstance(error, DebugEnclaveError)


def test_what_is_out_of_scope_is_reported_and_not_judged() -> None:
    evidence = verified(isvEnclaveQuoteStatus="SW_HARDENING_NEEDED", advisoryIDs=["INTEL-SA-1"])

    checks = accepted(evidence, STRICT_PRODUCTION, at_us=2**62, scope=PRODUCTION_ONLY)

    seen = {check.id: check.seen for check in checks if check.expected == "anything (not judged)"}
    assert seen["measurement-not-allowed"] == pki.MR_ENCLAVE.hex()
    assert seen["signer-not-allowed"] == pki.MR_SIGNER.hex()
    assert seen["product-not-allowed"] == str(pki.ISV_PROD_ID)
    assert seen["security-version-too-low"] == str(pki.ISV_SVN)
    assert seen["advisory-not-allowed"] == "INTEL-SA-1"
    assert seen["evidence-too-old"].endswith(" s")


@pytest.mark.parametrize(
    "evidence",
    [
        {"version": 3},
        {"isvEnclaveQuoteStatus": "GROUP_OUT_OF_DATE"},
        {"body": 0x07},
        {"body": 0x04},
    ],
    ids=["version", "status", "debug", "not initialised"],
)
def test_what_is_in_the_smaller_scope_still_decides(evidence: dict[str, Any]) -> None:
    flags = evidence.pop("body", 0x05)

    refused(
        verified(pki.quote_body(flags=flags), **evidence), STRICT_PRODUCTION, scope=PRODUCTION_ONLY
    )


def test_the_strict_production_policy_in_full_scope_accepts_nothing() -> None:
    assert isinstance(refused(verified(), STRICT_PRODUCTION), MeasurementNotAllowedError)
