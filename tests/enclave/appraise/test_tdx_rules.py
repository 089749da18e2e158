from typing import Any

import pytest

from enclave.appraise.rules import appraise_dcap
from enclave.appraise.scope import EVERYTHING, PRODUCTION_ONLY
from enclave.checks import Check
from enclave.errors import (
    DebugEnclaveError,
    EnclaveError,
    MeasurementNotAllowedError,
    ModuleAttributesError,
    ModuleNotAllowedError,
    ModuleSignerError,
    PolicyError,
    ReservedBitsError,
    RtmrNotAllowedError,
    SeptVeDisableError,
    ServiceTdError,
    TdAttributesNotAllowedError,
    TdConfigNotAllowedError,
    TdMigratableError,
    TdProfilingError,
    TdServiceExtensionError,
)
from enclave.evidence.tcb_info import TdxModule
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import TDX_V4, TDX_V5
from tests.simulators.dcap_quote_factory import Form

SEPT_VE_DISABLE = 1 << 28

MEASURED: dict[str, type[EnclaveError]] = {
    "mr_td": MeasurementNotAllowedError,
    "mr_seam": ModuleNotAllowedError,
    "td_attributes": TdAttributesNotAllowedError,
    "xfam": TdAttributesNotAllowedError,
    "mr_config_id": TdConfigNotAllowedError,
    "mr_owner": TdConfigNotAllowedError,
    "mr_owner_config": TdConfigNotAllowedError,
    "rtmr0": RtmrNotAllowedError,
    "rtmr1": RtmrNotAllowedError,
    "rtmr2": RtmrNotAllowedError,
    "rtmr3": RtmrNotAllowedError,
}

FORMS = pytest.mark.parametrize("form", [TDX_V4, TDX_V5], ids=["v4", "v5"])


def attributes(value: int) -> dict[str, bytes]:
    return {"td_attributes": value.to_bytes(8, "little")}


def refused(form: Form, body: dict[str, Any]) -> EnclaveError:
    """Refused by a network, and by the strict production policy's scope just the same."""
    evidence = kit.verified(form, body)
    codes = []
    for scope in (PRODUCTION_ONLY, EVERYTHING):
        checks: list[Check] = []
        with pytest.raises(PolicyError) as caught:
            appraise_dcap(evidence, kit.policy(form), kit.AT_US, checks, scope)
        assert caught.value.expected != caught.value.seen
        codes.append(caught.value)
    assert type(codes[0]) is type(codes[1])
    return codes[0]


@FORMS
@pytest.mark.parametrize(
    ("bits", "error"),
    [
        (SEPT_VE_DISABLE | 1 << 0, DebugEnclaveError),
        (SEPT_VE_DISABLE | 1 << 4, TdProfilingError),
        (SEPT_VE_DISABLE | 1 << 5, TdProfilingError),
        (SEPT_VE_DISABLE | 1 << 6, TdProfilingError),
        (SEPT_VE_DISABLE | 1 << 29, TdMigratableError),
        (SEPT_VE_DISABLE | 1 << 17, TdServiceExtensionError),
        (0, SeptVeDisableError),
        *((SEPT_VE_DISABLE | 1 << bit, ReservedBitsError) for bit in (1, 2, 3, 7, 8, 15, 23, 26)),
        *((SEPT_VE_DISABLE | 1 << bit, ReservedBitsError) for bit in (32, 40, 61)),
    ],
)
def test_an_attribute_bit_that_no_production_domain_has_is_refused(
    form: Form, bits: int, error: type[EnclaveError]
) -> None:
    assert isinstance(refused(form, attributes(bits)), error)


@pytest.mark.parametrize("bit", [16, 18, 22, 27, 30, 31, 62, 63])
def test_bits_that_serve_the_domain_itself_are_its_own_business(bit: int) -> None:
    body = attributes(SEPT_VE_DISABLE | 1 << bit)
    listed = kit.measurement(TDX_V4, td_attributes=body["td_attributes"].hex())

    checks: list[Check] = []
    policy = kit.policy(TDX_V4, measurements=[listed])
    appraise_dcap(kit.verified(TDX_V4, body), policy, kit.AT_US, checks)

    assert all(check.ok for check in checks)


def test_a_bound_service_domain_is_refused() -> None:
    body = {"mr_service_td": bytes(47) + b"\x01"}

    assert isinstance(refused(TDX_V5, body), ServiceTdError)


@FORMS
def test_a_module_that_intel_did_not_sign_is_refused(form: Form) -> None:
    assert isinstance(refused(form, {"mr_signer_seam": b"\x01" + bytes(47)}), ModuleSignerError)


@FORMS
def test_a_module_of_other_attributes_is_refused(form: Form) -> None:
    assert isinstance(refused(form, {"seam_attributes": bytes(7) + b"\x80"}), ModuleAttributesError)


def test_the_module_is_compared_with_what_tcb_info_says_of_it() -> None:
    module = TdxModule(b"s" * 48, b"\x05" + bytes(7), b"\x0f" + bytes(7))
    fitting = {"mr_signer_seam": b"s" * 48, "seam_attributes": b"\x05" + bytes(7)}
    policy = kit.policy(TDX_V4)

    appraise_dcap(kit.verified(TDX_V4, fitting, module=module), policy, kit.AT_US, [])
    for name, value, error in (
        ("mr_signer_seam", bytes(48), ModuleSignerError),
        ("seam_attributes", bytes(8), ModuleAttributesError),
        ("seam_attributes", b"\x15" + bytes(7), ModuleAttributesError),
    ):
        with pytest.raises(error):
            appraise_dcap(
                kit.verified(TDX_V4, fitting | {name: value}, module=module), policy, kit.AT_US, []
            )


@FORMS
@pytest.mark.parametrize("name", MEASURED)
def test_every_member_of_a_measurement_is_judged(form: Form, name: str) -> None:
    size = 8 if name in {"td_attributes", "xfam"} else 48
    listed = kit.measurement(form, **{name: "ff" * size})

    checks: list[Check] = []
    with pytest.raises(PolicyError) as caught:
        appraise_dcap(
            kit.verified(form), kit.policy(form, measurements=[listed]), kit.AT_US, checks
        )

    assert type(caught.value) is MEASURED[name]
    assert checks[-1].expected == "ff" * size


def test_one_measurement_must_fit_in_all_of_its_members() -> None:
    one = kit.measurement(TDX_V4, rtmr0="00" * 48)
    other = kit.measurement(TDX_V4, rtmr1="00" * 48)
    listed = sorted([one, other], key=lambda item: str(item["rtmr0"]))

    with pytest.raises(RtmrNotAllowedError) as caught:
        appraise_dcap(kit.verified(TDX_V4), kit.policy(TDX_V4, measurements=listed), kit.AT_US, [])

    assert "rtmr1" in caught.value.message


def test_any_of_several_measurements_will_do() -> None:
    listed = [kit.measurement(TDX_V4, mr_td="00" * 48), kit.measurement(TDX_V4)]

    checks: list[Check] = []
    policy = kit.policy(TDX_V4, measurements=sorted(listed, key=str))
    appraise_dcap(kit.verified(TDX_V4), policy, kit.AT_US, checks)

    assert all(check.ok for check in checks)
