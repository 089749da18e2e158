from collections.abc import Callable
from typing import Any

import pytest

from enclave.appraise.rules import appraise, appraise_dcap
from enclave.checks import Check
from enclave.errors import (
    DebugEnclaveError,
    EnclaveError,
    EnclaveModeError,
    EnclaveNotInitialisedError,
    KeySharingConfigError,
    LaunchKeyError,
    MeasurementNotAllowedError,
    PolicyError,
    ProductNotAllowedError,
    ProvisionKeyError,
    ReservedBitsError,
    SecurityVersionError,
    SignerNotAllowedError,
    XfrmError,
)
from enclave.evidence.sgx_report import SgxReport
from enclave.verify.ias import verify_report
from tests.enclave import simulated_pki as pki
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import SGX_V3

INIT_64 = 0x05


def judge_epid(body: bytes, **policy: Any) -> None:
    evidence = verify_report(pki.signed(pki.report(pki.quote_body()[:48] + body)), pki.roots(), [])
    appraise(evidence, pki.policy(**policy), pki.AT_US, [])


def judge_dcap(body: bytes, **policy: Any) -> None:
    report = SgxReport.parse(body)
    members = {name: getattr(report, name) for name in SgxReport.__dataclass_fields__}
    checks: list[Check] = []
    measurements = policy.pop("measurements", [{"mr_enclave": pki.MR_ENCLAVE.hex()}])
    rules = kit.policy(SGX_V3, measurements=measurements, **policy)
    appraise_dcap(kit.verified(SGX_V3, members), rules, kit.AT_US, checks)


Judge = Callable[..., None]
BOTH = pytest.mark.parametrize("judge", [judge_epid, judge_dcap], ids=["epid", "dcap"])


def report(at: int = 0, data: bytes = b"", flags: int = INIT_64) -> bytes:
    """An acceptable report body of 384 bytes with ``data`` written at ``at``."""
    body = bytearray(pki.quote_body(flags=flags)[48:])
    body[at : at + len(data)] = data
    return bytes(body)


def refused(judge: Judge, body: bytes, **policy: Any) -> EnclaveError:
    with pytest.raises(PolicyError) as caught:
        judge(body, **policy)
    assert caught.value.expected
    assert caught.value.seen
    return caught.value


@BOTH
def test_the_default_enclave_is_acceptable(judge: Judge) -> None:
    judge(report())


@BOTH
@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (0x07, DebugEnclaveError),
        (0x04, EnclaveNotInitialisedError),
        (0x01, EnclaveModeError),
        (0x15, ProvisionKeyError),
        (0x25, LaunchKeyError),
        *((INIT_64 | 1 << bit, ReservedBitsError) for bit in (3, 8, 9, 11, 40, 63)),
    ],
)
def test_an_attribute_bit_that_no_production_enclave_has_is_refused(
    judge: Judge, flags: int, error: type[EnclaveError]
) -> None:
    assert type(refused(judge, report(flags=flags))) is error


@BOTH
@pytest.mark.parametrize("bit", [6, 7, 10])
def test_control_flow_key_sharing_and_exit_notification_bits_are_nobodys_business(
    judge: Judge, bit: int
) -> None:
    judge(report(flags=INIT_64 | 1 << bit))


@BOTH
@pytest.mark.parametrize("at", [20, 31, 96, 127, 160, 191, 262, 303])
def test_a_reserved_byte_is_refused(judge: Judge, at: int) -> None:
    error = refused(judge, report(at, b"\x01"))

    assert type(error) is ReservedBitsError


@BOTH
def test_a_misc_select_bit_without_a_meaning_is_refused(judge: Judge) -> None:
    judge(report(16, b"\x03"))
    assert type(refused(judge, report(16, b"\x04"))) is ReservedBitsError


@BOTH
@pytest.mark.parametrize("xfrm", [0x03, 0x07, 0x1F, 0xE7, 0x2E7, 0x602E7])
def test_the_features_that_processors_have_are_accepted(judge: Judge, xfrm: int) -> None:
    judge(report(56, xfrm.to_bytes(8, "little")))


@BOTH
@pytest.mark.parametrize("xfrm", [0, 1, 2, 0x103, 1 << 63 | 3, 1 << 10 | 3])
def test_features_that_are_unknown_or_lack_the_basic_ones_are_refused(
    judge: Judge, xfrm: int
) -> None:
    error = refused(judge, report(56, xfrm.to_bytes(8, "little")))

    assert type(error) is XfrmError
    assert error.seen == hex(xfrm)


@BOTH
@pytest.mark.parametrize(("at", "data"), [(192, b"\x01"), (255, b"\x01"), (260, b"\x01\x00")])
def test_a_configuration_that_the_host_chose_is_refused(judge: Judge, at: int, data: bytes) -> None:
    assert type(refused(judge, report(at, data))) is KeySharingConfigError


@BOTH
def test_what_the_signer_chose_beside_the_product_id_is_not_judged(judge: Judge) -> None:
    judge(report(32, b"\x01"))
    judge(report(304, b"\x01"))


@BOTH
@pytest.mark.parametrize(
    ("member", "value", "error"),
    [
        ("mr_enclave", "00" * 32, MeasurementNotAllowedError),
        ("mr_signer", "00" * 32, SignerNotAllowedError),
        ("isv_prod_id", pki.ISV_PROD_ID + 1, ProductNotAllowedError),
        ("min_isv_svn", pki.ISV_SVN + 1, SecurityVersionError),
    ],
)
def test_every_member_of_a_measurement_is_judged(
    judge: Judge, member: str, value: object, error: type[EnclaveError]
) -> None:
    fitting = {"mr_enclave": pki.MR_ENCLAVE.hex()}

    assert type(refused(judge, report(), measurements=[fitting | {member: value}])) is error
