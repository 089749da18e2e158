from collections.abc import Sequence
from typing import Any

import pytest

from enclave.appraise.policy import STRICT_PRODUCTION, TCB_STATUSES, Policy
from enclave.appraise.rules import appraise_dcap
from enclave.appraise.scope import EVERYTHING, PRODUCTION_ONLY, AppraisalScope
from enclave.checks import Check
from enclave.errors import (
    AdvisoryError,
    DebugEnclaveError,
    EnclaveError,
    EvidenceKindError,
    EvidenceTooOldError,
    LibraryRefusalError,
    MeasurementNotAllowedError,
    NoTcbLevelError,
    PlatformStatusError,
    PolicyError,
    QeStatusError,
    TcbEvaluationError,
)
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import SGX_V3, TDX_V4
from tests.simulators.dcap_quote_factory import Form

FORMS = pytest.mark.parametrize("form", kit.FORMS.values(), ids=list(kit.FORMS))

AROUND = [
    "evidence-kind-not-allowed",
    "no-platform-tcb-level",
    "platform-status-not-allowed",
    "no-qe-tcb-level",
    "qe-status-not-allowed",
    "advisory-not-allowed",
    "tcb-evaluation-too-low",
]
SGX = [
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
]
TDX = [
    "debug-enclave",
    "td-profiling",
    "td-migratable",
    "td-service-extension",
    "sept-ve-disable-clear",
    "reserved-bits-set",
    "service-td-bound",
    "tdx-module-signer",
    "tdx-module-attributes",
    "measurement-not-allowed",
    "tdx-mr-seam",
    "tdx-td-attributes",
    "tdx-xfam",
    "tdx-mr-config-id",
    "tdx-mr-owner",
    "tdx-mr-owner-config",
    "tdx-rtmr0",
    "tdx-rtmr1",
    "tdx-rtmr2",
    "tdx-rtmr3",
]


def accepted(
    evidence: Any,
    policy: Policy,
    *,
    at_us: int = kit.AT_US,
    scope: AppraisalScope = EVERYTHING,
) -> Sequence[Check]:
    checks: list[Check] = []
    appraise_dcap(evidence, policy, at_us, checks, scope)
    assert all(check.ok for check in checks)
    return checks


def refused(
    evidence: Any,
    policy: Policy,
    *,
    at_us: int = kit.AT_US,
    scope: AppraisalScope = EVERYTHING,
) -> EnclaveError:
    checks: list[Check] = []
    with pytest.raises(PolicyError) as caught:
        appraise_dcap(evidence, policy, at_us, checks, scope)
    assert not checks[-1].ok
    assert type(caught.value) is checks[-1].error
    assert caught.value.expected
    assert caught.value.seen
    return caught.value


@FORMS
def test_the_rules_come_in_their_order(form: Form) -> None:
    checks = accepted(kit.verified(form), kit.policy(form))

    inner = SGX if form.is_sgx else TDX
    assert [check.id for check in checks] == [
        *AROUND,
        *inner,
        "library-refuses",
        "evidence-too-old",
    ]


@FORMS
def test_every_rule_says_what_it_expects_and_saw(form: Form) -> None:
    for check in accepted(kit.verified(form), kit.policy(form)):
        assert check.expected
        assert check.seen


@FORMS
def test_a_kind_that_is_not_listed_is_refused(form: Form) -> None:
    other = ["dcap-tdx", "epid"] if form.is_sgx else ["dcap-sgx", "epid"]

    error = refused(kit.verified(form), kit.policy(form, evidence_kinds=other))

    assert isinstance(error, EvidenceKindError)


def test_an_allowed_debug_enclave_is_for_epid_alone() -> None:
    allowing = kit.policy(allow_debug=True)

    assert isinstance(refused(kit.verified(body={"flags": 0x07}), allowing), DebugEnclaveError)
    allowing = kit.policy(TDX_V4, allow_debug=True)
    debug = kit.verified(TDX_V4, {"td_attributes": bytes.fromhex("0100001000000000")})
    assert isinstance(refused(debug, allowing), DebugEnclaveError)


# --- what Intel says of the platform and its quoting enclave ---------------------------------


@pytest.mark.parametrize("status", sorted(TCB_STATUSES | {"Revoked"}))
def test_a_platform_status_is_accepted_only_where_it_is_listed(status: str) -> None:
    evidence = kit.verified(platform_status=status)
    others = sorted(TCB_STATUSES - {status})

    assert isinstance(
        refused(evidence, kit.policy(platform_tcb_statuses=others, qe_tcb_statuses=["UpToDate"])),
        PlatformStatusError,
    )
    if status in TCB_STATUSES:
        accepted(evidence, kit.policy(platform_tcb_statuses=[status]))


@pytest.mark.parametrize("status", sorted(TCB_STATUSES | {"Revoked"}))
def test_a_quoting_enclaves_status_is_accepted_only_where_it_is_listed(status: str) -> None:
    evidence = kit.verified(qe_status=status)
    others = sorted(TCB_STATUSES - {status})

    assert isinstance(
        refused(evidence, kit.policy(qe_tcb_statuses=others, platform_tcb_statuses=["UpToDate"])),
        QeStatusError,
    )
    if status in TCB_STATUSES:
        accepted(evidence, kit.policy(qe_tcb_statuses=[status]))


def test_neither_status_hides_the_other() -> None:
    policy = kit.policy(platform_tcb_statuses=["OutOfDate"], qe_tcb_statuses=["UpToDate"])

    accepted(kit.verified(platform_status="OutOfDate"), policy)
    both = kit.verified(platform_status="OutOfDate", qe_status="OutOfDate", status="OutOfDate")
    assert isinstance(refused(both, policy), QeStatusError)
    swapped = kit.verified(qe_status="OutOfDate", status="UpToDate")
    assert isinstance(refused(swapped, policy), PlatformStatusError)


def test_the_merged_status_alone_decides_nothing() -> None:
    accepted(kit.verified(status="OutOfDate"), kit.policy())


@pytest.mark.parametrize("status", ["TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"])
def test_a_domain_to_launch_again_is_judged_as_such(status: str) -> None:
    evidence = kit.verified(TDX_V4, platform_status="OutOfDate", status=status)

    accepted(evidence, kit.policy(TDX_V4, platform_tcb_statuses=[status]))
    error = refused(evidence, kit.policy(TDX_V4, platform_tcb_statuses=["OutOfDate", "UpToDate"]))
    assert isinstance(error, PlatformStatusError)
    assert error.seen == status


@pytest.mark.parametrize("member", ["platform_status", "qe_status"])
def test_a_level_that_fits_is_needed(member: str) -> None:
    every = sorted(TCB_STATUSES)
    policy = kit.policy(platform_tcb_statuses=every, qe_tcb_statuses=every)

    error = refused(kit.verified(SGX_V3, None, **{member: None}, status=None), policy)

    assert isinstance(error, NoTcbLevelError)
    assert error.seen == "none"


def test_every_advisory_must_be_listed() -> None:
    accepted(kit.verified(advisory_ids=("INTEL-SA-00615",)), kit.policy())
    for unlisted in ("INTEL-SA-00289", "intel-sa-00615", "INTEL-SA-00615 "):
        evidence = kit.verified(advisory_ids=("INTEL-SA-00615", unlisted))
        assert isinstance(refused(evidence, kit.policy()), AdvisoryError)


def test_a_status_without_advisories_needs_none() -> None:
    evidence = kit.verified(platform_status="ConfigurationNeeded")

    accepted(evidence, kit.policy(platform_tcb_statuses=["ConfigurationNeeded"], advisories=[]))


def test_the_evaluation_number_has_a_floor() -> None:
    accepted(kit.verified(), kit.policy(min_tcb_evaluation_data_number=17))
    error = refused(kit.verified(), kit.policy(min_tcb_evaluation_data_number=18))

    assert isinstance(error, TcbEvaluationError)
    assert error.seen == "17"


@FORMS
def test_what_the_verification_library_refuses_is_never_accepted(form: Form) -> None:
    evidence = kit.verified(form, accepted_by_engine=False)

    assert isinstance(refused(evidence, kit.policy(form)), LibraryRefusalError)
    assert isinstance(
        refused(evidence, STRICT_PRODUCTION, scope=PRODUCTION_ONLY), LibraryRefusalError
    )


# --- age, order and scope --------------------------------------------------------------------


@FORMS
def test_age_counts_from_the_oldest_part_of_the_collateral(form: Form) -> None:
    limit_us = kit.OLDEST_US + 3600 * kit.S
    policy = kit.policy(form)

    accepted(kit.verified(form), policy, at_us=limit_us)
    assert isinstance(refused(kit.verified(form), policy, at_us=limit_us + 1), EvidenceTooOldError)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"platform_status": "OutOfDate", "qe_status": "OutOfDate"}, PlatformStatusError),
        ({"qe_status": "OutOfDate", "advisory_ids": ("INTEL-SA-00289",)}, QeStatusError),
        ({"advisory_ids": ("INTEL-SA-00289",), "tcb_evaluation_data_number": 0}, AdvisoryError),
        ({"tcb_evaluation_data_number": 0, "body": {"flags": 0x07}}, TcbEvaluationError),
        ({"body": {"flags": 0x07, "mr_enclave": bytes(32)}}, DebugEnclaveError),
        (
            {"body": {"mr_enclave": bytes(32)}, "oldest_collateral_us": 0},
            MeasurementNotAllowedError,
        ),
    ],
)
def test_the_first_rule_that_fails_is_named(
    changes: dict[str, Any], error: type[EnclaveError]
) -> None:
    assert isinstance(refused(kit.verified(SGX_V3, **changes), kit.policy()), error)


@FORMS
def test_what_is_out_of_scope_is_reported_and_not_judged(form: Form) -> None:
    evidence = kit.verified(form, advisory_ids=("INTEL-SA-99999",))

    checks = accepted(evidence, STRICT_PRODUCTION, at_us=2**62, scope=PRODUCTION_ONLY)

    seen = {check.id: check.seen for check in checks if check.expected == "anything (not judged)"}
    assert seen["advisory-not-allowed"] == "INTEL-SA-99999"
    assert seen["evidence-too-old"].endswith(" s")
    measured = SGX[8:] if form.is_sgx else TDX[9:]
    assert set(measured) <= seen.keys()


@FORMS
@pytest.mark.parametrize("status", ["UpToDate", "SWHardeningNeeded"])
def test_the_strict_production_policy_takes_two_statuses(form: Form, status: str) -> None:
    evidence = kit.verified(form, platform_status=status)

    accepted(evidence, STRICT_PRODUCTION, scope=PRODUCTION_ONLY)


@pytest.mark.parametrize("status", sorted(TCB_STATUSES - {"UpToDate", "SWHardeningNeeded"}))
def test_the_strict_production_policy_takes_no_other_status(status: str) -> None:
    platform, qe = kit.verified(platform_status=status), kit.verified(qe_status=status)

    assert isinstance(
        refused(platform, STRICT_PRODUCTION, scope=PRODUCTION_ONLY), PlatformStatusError
    )
    assert isinstance(refused(qe, STRICT_PRODUCTION, scope=PRODUCTION_ONLY), QeStatusError)


@FORMS
def test_the_strict_production_policy_in_full_scope_accepts_nothing(form: Form) -> None:
    assert isinstance(refused(kit.verified(form), STRICT_PRODUCTION), MeasurementNotAllowedError)


def test_neither_kind_of_measurement_fits_the_other() -> None:
    sgx_only, tdx_only = kit.policy(SGX_V3), kit.policy(TDX_V4)

    assert isinstance(refused(kit.verified(TDX_V4), sgx_only), MeasurementNotAllowedError)
    assert isinstance(refused(kit.verified(SGX_V3), tdx_only), MeasurementNotAllowedError)
