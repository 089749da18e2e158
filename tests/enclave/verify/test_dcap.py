import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from enclave.checks import Check
from enclave.errors import EnclaveError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral
from enclave.verify import dcap_endorsements
from enclave.verify.dcap import verify_quote
from enclave.verify.dcap_engine import EngineAnswer
from enclave.verify.dcap_judgement import _require_engine
from enclave.verify.dcap_levels import TcbVerdict
from enclave.verify.roots import TrustRoots
from enigmacli.simulated_intel.sgx_extension import element
from enigmacli.simulated_intel.tcb_documents import Finding
from tests.enclave.verify.dcap_evidence import SKEW_S, accepted, refusal, refused, us, verify
from tests.simulators.dcap_factory import AT, SGX_V3, TDX_V4, TDX_V5, make
from tests.simulators.dcap_quote_factory import Form

FORMS = [SGX_V3, TDX_V4, TDX_V5]
DEBUG: dict[bool, dict[str, Any]] = {
    True: {"flags": 0x07},
    False: {"td_attributes": b"\x01\0\0\x10\0\0\0\0"},
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_sound_evidence_under_a_simulated_root_is_verified(form: Form) -> None:
    verified = accepted(form)

    assert verified.simulated
    assert verified.quote.version == form.version
    assert (verified.platform_status, verified.qe_status, verified.status) == ("UpToDate",) * 3
    assert verified.fmspc == b"SIM\x00\x00\x00"
    assert verified.pce_id == bytes(2)
    assert verified.accepted_by_engine
    assert (verified.module is None) == form.is_sgx


def test_a_simulated_root_is_nobody_under_intels() -> None:
    made = make(SGX_V3)
    checks: list[Check] = []

    with pytest.raises(EnclaveError, match="trusted root"):
        verify_quote(made.evidence, TrustRoots.of_intel(), checks, at_us=us(AT), max_clock_skew_s=0)
    assert checks[-1].id == "dcap-root-pck"


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_statuses_are_told_apart_and_merged(form: Form) -> None:
    finding = Finding("SWHardeningNeeded", ("B",), "OutOfDate", ("A",))

    verified = accepted(form, finding=finding)

    assert verified.platform_status == "SWHardeningNeeded"
    assert verified.qe_status == "OutOfDate"
    assert verified.status == "OutOfDate"
    assert verified.advisory_ids == ("A", "B")


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_debuggable_enclave_is_authentic_and_never_acceptable(form: Form) -> None:
    checks: list[Check] = []

    verified = verify(make(form, body=DEBUG[form.is_sgx]), checks)

    assert not verified.accepted_by_engine
    assert verified.status == "UpToDate"
    assert [check.id for check in checks][-2:] == [
        "dcap-qe-report-signature", "dcap-quote-signature",
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"parts": {"qe_signed_by": "other"}}, "dcap-qe-report-signature"),
        ({"parts": {"signature": lambda _: b"\1" * 64}}, "dcap-quote-signature"),
    ],
)
def test_a_debuggable_enclave_is_authentic_only_if_both_signatures_are(
    form: Form, changes: dict[str, Any], rule: str
) -> None:
    assert refused(form, body=DEBUG[form.is_sgx], **changes) == rule


def test_what_the_library_alone_refuses_is_refused() -> None:
    """A key identifier marked critical, for instance, which no profile forbids by our rules."""

    def critical(listed: list[bytes]) -> list[bytes]:
        marked = b"\x06\x03\x55\x1d\x0e"  # subjectKeyIdentifier
        return [
            element(0x30, marked, b"\x01\x01\xff", item[2:].removeprefix(marked))
            if marked in item
            else item
            for item in listed
        ]

    made = make(SGX_V3, certificates={"pck": {"extensions": critical}})

    assert refusal(made) == "dcap-engine-refused"


@pytest.mark.parametrize(
    "answer", [EngineAnswer("OutOfDate", ()), EngineAnswer("UpToDate", ("A",)), None]
)
def test_the_library_must_come_to_the_same_answer(answer: EngineAnswer | None) -> None:
    verdict = TcbVerdict("UpToDate", "UpToDate", "UpToDate", ())
    _require_engine(EngineAnswer("UpToDate", ()), verdict, [])

    with pytest.raises(EnclaveError) as caught:
        _require_engine(answer, verdict, [])
    assert caught.value.code == ("dcap-engine-disagrees" if answer else "dcap-engine-refused")


def test_collateral_is_read_in_the_form_of_transactions_only() -> None:
    made = make(SGX_V3)

    with pytest.raises(EnclaveError) as caught:
        verify_quote(
            QuoteWithCollateral(made.quote, made.collateral_json), made.roots, [],
            at_us=us(AT), max_clock_skew_s=SKEW_S,
        )  # fmt: skip
    assert caught.value.code == "collateral-malformed"


def test_collateral_says_which_tee_it_is_for() -> None:
    made = make(SGX_V3)
    other = replace(Collateral.parse_json(made.collateral_json), tee_type=0x81).encode_intel()
    checks: list[Check] = []

    with pytest.raises(EnclaveError):
        verify_quote(
            QuoteWithCollateral(made.quote, other), made.roots, checks,
            at_us=us(AT), max_clock_skew_s=SKEW_S,
        )  # fmt: skip
    assert checks[-1].id == "dcap-collateral-tee"


def test_what_is_remembered_changes_no_answer() -> None:
    good, revoked = make(SGX_V3), make(SGX_V3, pck_crl={"revoked": (1,)})
    bad = make(SGX_V3, tcb_info={"new": 1})
    for _ in range(2):
        first: list[Check] = []
        second: list[Check] = []
        dcap_endorsements._judge.cache_clear()
        assert verify(good, first) == verify(good, second) == verify(revoked)
        assert first == second
        assert {refusal(bad), refusal(bad)} == {"dcap-unknown-member"}


def test_little_is_remembered() -> None:
    assert dcap_endorsements._judge.cache_info().maxsize == 32


LOADED = """\
import sys
import enclave.judge, enclave.service
late = {"dcap_qvl", "enclave.verify.dcap_judgement", "enclave.evidence.tcb_info"}
assert not late & set(sys.modules)
"""


def test_the_library_is_imported_when_a_quote_is_judged_and_not_before() -> None:
    subprocess.run([sys.executable, "-c", LOADED], check=True)
