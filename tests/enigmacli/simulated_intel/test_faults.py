import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.faults import Endpoint, Fault, FaultKind, FaultQueue
from enigmacli.simulated_intel.pcs_behaviour import PCS_FAULTS, Document


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("503", Fault(FaultKind.HTTP_STATUS, 503)),
        ("429,times=3", Fault(FaultKind.HTTP_STATUS, 429, times=3)),
        ("503,retry-after=0", Fault(FaultKind.HTTP_STATUS, 503, retry_after_s=0)),
        (
            "400,endpoint=sigrl,times=2",
            Fault(FaultKind.HTTP_STATUS, 400, times=2, endpoint=Endpoint.SIGRL),
        ),
        ("drop-connection", Fault(FaultKind.DROP_CONNECTION)),
        (
            "truncated-body,endpoint=report",
            Fault(FaultKind.TRUNCATED_BODY, endpoint=Endpoint.REPORT),
        ),
        ("missing-signature", Fault(FaultKind.MISSING_SIGNATURE, endpoint=Endpoint.REPORT)),
        ("missing-certificate", Fault(FaultKind.MISSING_CERTIFICATE, endpoint=Endpoint.REPORT)),
        ("wrong-signature", Fault(FaultKind.WRONG_SIGNATURE, endpoint=Endpoint.REPORT)),
        ("replayed-report", Fault(FaultKind.REPLAYED_REPORT, endpoint=Endpoint.REPORT)),
    ],
)
def test_a_fault_is_read_and_written_in_one_form(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "200",
        "600",
        "5030",
        "http-status",
        "unknown",
        "503,",
        "503,times",
        "503,times=0",
        "503,times=1001",
        "503,times=-1",
        "503,times=1,times=2",
        "503,retry-after=86401",
        "503,retry-after=1.5",
        "503,endpoint=provision",
        "503,other=1",
        "wrong-signature,endpoint=sigrl",
        "٥٠٣",
    ],
)
def test_anything_else_is_no_fault(text: str) -> None:
    with pytest.raises(ConfigError):
        Fault.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_fault_or_a_configuration_error(text: str) -> None:
    try:
        fault = Fault.parse(text)
    except ConfigError:
        return
    assert Fault.parse(str(fault)) == fault


def test_faults_are_met_in_order_and_as_often_as_said() -> None:
    queue = FaultQueue([Fault.parse("503,times=2"), Fault.parse("429")])

    met = [queue.take(Endpoint.REPORT) for _ in range(4)]

    assert [fault and fault.http_status for fault in met] == [503, 503, 429, None]


def test_a_fault_of_one_endpoint_leaves_the_other_alone() -> None:
    queue = FaultQueue([Fault.parse("503,endpoint=sigrl"), Fault.parse("429,endpoint=report")])

    first = queue.take(Endpoint.REPORT)

    assert first is not None
    assert first.http_status == 429
    assert queue.take(Endpoint.REPORT) is None
    assert len(queue) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("461,endpoint=pckcert", Fault(FaultKind.HTTP_STATUS, 461, endpoint=Document.PCK_CERT)),
        ("wrong-signature", Fault(FaultKind.WRONG_SIGNATURE, endpoint=Document.TCB)),
        (
            "wrong-signature,endpoint=identity",
            Fault(FaultKind.WRONG_SIGNATURE, endpoint=Document.IDENTITY),
        ),
        ("missing-chain,times=2", Fault(FaultKind.MISSING_CHAIN, times=2, endpoint=Document.TCB)),
        ("drop-connection", Fault(FaultKind.DROP_CONNECTION)),
    ],
)
def test_a_pcs_has_faults_and_endpoints_of_its_own(text: str, fault: Fault) -> None:
    assert Fault.parse(text, PCS_FAULTS) == fault
    assert Fault.parse(str(fault), PCS_FAULTS) == fault


@pytest.mark.parametrize(
    "text", ["wrong-chain,endpoint=fmspcs", "old-header,endpoint=pckcrl", "missing-signature"]
)
def test_a_pcs_has_no_other_faults(text: str) -> None:
    with pytest.raises(ConfigError):
        Fault.parse(text, PCS_FAULTS)


def test_one_services_faults_are_not_anothers() -> None:
    with pytest.raises(ConfigError, match="no endpoint"):
        Fault.parse("503,endpoint=tcb")
    with pytest.raises(ConfigError, match="not a fault"):
        Fault.parse("wrong-chain")
