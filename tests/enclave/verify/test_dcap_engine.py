from dataclasses import replace
from typing import Any

import dcap_qvl  # type: ignore[import-untyped]
import pytest

from enclave.evidence.collateral import Collateral
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.tdx_quote import TdReport, TdxModule
from enclave.verify.dcap_engine import (
    EngineAnswer,
    ask_engine,
    engine_time_s,
    refuses_by_policy,
)
from enclave.verify.dcap_levels import TcbVerdict
from enigmacli.simulated_intel.tcb_documents import Finding
from tests.enclave.verify.dcap_evidence import us, verify
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, TDX_V5, Made, make
from tests.simulators.dcap_quote_factory import Form

Changes = dict[str, Any]

SEPT = 1 << 28
UP_TO_DATE = TcbVerdict("UpToDate", "UpToDate", "UpToDate", ())
MODULE = TdxModule(bytes(48), bytes(8), b"\xff" * 8)


def asked(made: Made, at_us: int = us(AT)) -> EngineAnswer | None:
    collateral = Collateral.parse_json(made.collateral_json)
    return ask_engine(made.quote, collateral, made.root_der, engine_time_s(at_us, 0))


@pytest.mark.parametrize("form", [SGX_V3, TDX_V4, TDX_V5], ids=str)
def test_the_library_answers_with_status_and_advisories(form: Form) -> None:
    finding = Finding("SWHardeningNeeded", ("B-2", "A-1"), "OutOfDate", ("C-3",))

    assert asked(make(form)) == EngineAnswer("UpToDate", ())
    answer = asked(make(form, finding=finding))
    assert answer == EngineAnswer("OutOfDate", ("A-1", "B-2", "C-3"))


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": lambda quote: quote[:-1]},
        {"parts": {"signature": lambda _: b"\1" * 64}},
        {"collateral": {"tcb_info": "{}"}},
        {"collateral": {"pck_crl": "00"}},
        {"pck_crl": {"next_update": AT}},
    ],
)
def test_the_librarys_refusals_are_none(changes: Changes) -> None:
    assert asked(make(SGX_V3, **changes)) is None


def test_a_panic_of_the_library_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {})

    def panics(*_: object) -> None:
        raise panic

    monkeypatch.setattr(dcap_qvl, "verify_with_root_ca", panics)

    assert asked(make(SGX_V3)) is None


def test_an_interrupt_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dcap_qvl, "verify_with_root_ca", interrupted)

    with pytest.raises(KeyboardInterrupt):
        asked(make(SGX_V3))


def test_another_root_is_refused() -> None:
    made = make(SGX_V3)
    other = make(SGX_V3, certificates={"root": {"serial": 1, "key": "other", "signed_by": "other"}})

    collateral = Collateral.parse_json(made.collateral_json)
    assert ask_engine(made.quote, collateral, other.root_der, us(AT) // 10**6) is None


def test_the_librarys_time_is_never_before_a_start() -> None:
    assert engine_time_s(1_999_999, 0) == 1
    assert engine_time_s(1_999_999, 2_000_000) == 2
    assert engine_time_s(5_000_000, 2_000_000) == 5


TD_BITS = [{"td_attributes": (SEPT ^ 1 << bit).to_bytes(8, "little")} for bit in range(64)]
BODIES: list[tuple[Form, Changes]] = [
    (SGX_V3, {}),
    (SGX_V3, {"flags": 0x07}),
    (SGX_V3, {"flags": 0x35}),
    *((TDX_V4, body) for body in TD_BITS),
    (TDX_V5, {}),
    (TDX_V5, {"mr_service_td": b"\1" + bytes(47)}),
    (TDX_V5, {"mr_signer_seam": b"\1" + bytes(47)}),
    (TDX_V5, {"seam_attributes": b"\1" + bytes(7)}),
    (TDX_V5, {"tee_tcb_svn": bytes((5, 0, 7)) + bytes(13)}),
    (TDX_V5, {"tee_tcb_svn": bytes((5, 9, 7)) + bytes(13)}),
    (TDX_V5, {"tee_tcb_svn": bytes((1, 1, 7)) + bytes(13)}),
    (TDX_V5, {"tee_tcb_svn_2": bytes((1, 1, 7)) + bytes(13)}),
    (TDX_V5, {"tee_tcb_svn": bytes(16)}),
]


@pytest.mark.parametrize(("form", "body"), BODIES, ids=range(len(BODIES)))
def test_what_the_library_refuses_by_its_policy_is_known_beforehand(
    form: Form, body: Changes
) -> None:
    """And such evidence is authentic all the same, unless the library is right to refuse it."""
    made = make(form, body=body)

    verified = verify(made)

    assert verified.accepted_by_engine == (asked(made) is not None)


@pytest.mark.parametrize("member", ["tcb_status", "qe_status"])
def test_revoked_is_never_accepted(member: str) -> None:
    made = make(SGX_V3, finding=replace(Finding(), **{member: "Revoked"}))  # type: ignore[arg-type]

    assert asked(made) is None
    assert verify(made).accepted_by_engine is False


def test_no_level_is_never_accepted() -> None:
    body = DcapQuote.parse(make(SGX_V3).quote).body

    assert not refuses_by_policy(body, UP_TO_DATE, None)
    for verdict in (replace(UP_TO_DATE, status=None), replace(UP_TO_DATE, status="Revoked")):
        assert refuses_by_policy(body, verdict, None)


def test_the_tdx_module_is_what_tcb_info_says() -> None:
    body = DcapQuote.parse(make(TDX_V4).quote).body
    assert isinstance(body, TdReport)

    assert not refuses_by_policy(body, UP_TO_DATE, MODULE)
    for module in (
        None,
        replace(MODULE, mr_signer=b"\1" * 48),
        replace(MODULE, attributes=b"\1" * 8),
    ):
        assert refuses_by_policy(body, UP_TO_DATE, module)
    seam = replace(body, seam_attributes=b"\x02" + bytes(7))
    assert refuses_by_policy(seam, UP_TO_DATE, replace(MODULE, attributes_mask=b"\x01" * 8))
