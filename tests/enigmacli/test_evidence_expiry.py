import json
from base64 import b64decode
from datetime import datetime
from typing import Any

import pytest

from enclave.errors import NoEvidenceError, VerificationError
from enclave.evidence.collateral import Collateral
from enclave.evidence.foreign import parse_any
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.times import parse_rfc3339
from enclave.verify.roots import TrustRoots
from enigmacli.evidence_expiry import AGE, Calendar, Entry, State, calendar_of
from tests.corpus import load
from tests.simulators.dcap_factory import (
    ISSUED,
    NEXT_UPDATE,
    SGX_V3,
    TDX_V4,
    Made,
    make,
    tagged,
)

AVR = "ias/secretnetwork_hw_invalid_test.json"


def us(instant: datetime) -> int:
    return parse_rfc3339(instant.isoformat())


def by_name(calendar: Calendar) -> dict[str, Entry]:
    return {entry.name: entry for entry in calendar.entries}


def of(made: Made, max_age_s: int | None = None) -> Calendar:
    return calendar_of(made.container, made.roots, max_age_s)


@pytest.mark.parametrize(("made", "kind"), [(SGX_V3, "dcap-sgx"), (TDX_V4, "dcap-tdx")])
def test_dcap_evidence_lists_every_dated_part(made: Any, kind: str) -> None:
    calendar = of(make(made))

    entries = by_name(calendar)
    assert calendar.kind == kind
    assert entries.keys() == {
        "tcb-info", "qe-identity", "pck-crl", "root-crl", "pck", "pck-ca", "tcb-signer", "root",
    }  # fmt: skip
    assert (entries["tcb-info"].start_us, entries["tcb-info"].end_us) == (
        us(ISSUED),
        us(NEXT_UPDATE),
    )
    assert all(entry.ends_evidence for entry in calendar.entries)


def test_what_runs_out_first_comes_first() -> None:
    calendar = of(make(SGX_V3), max_age_s=5)

    ends = [entry.end_us for entry in calendar.entries]
    assert ends == sorted(end for end in ends if end is not None)
    assert calendar.entries[0].name == AGE


def test_the_age_counts_from_the_oldest_of_the_documents_and_lists() -> None:
    entry = by_name(of(make(SGX_V3), max_age_s=60))[AGE]

    oldest = datetime.fromisoformat("2026-03-20T11:00:00+00:00")  # the root's list
    assert (entry.start_us, entry.end_us) == (us(oldest), us(oldest) + 60 * 1_000_000)


def test_expired_evidence_has_a_calendar_too() -> None:
    made = make(SGX_V3)

    assert of(made).runs_out(us(NEXT_UPDATE) + 1, 0)
    assert not of(made).runs_out(us(NEXT_UPDATE) - 1, 0)


def test_an_ias_report_has_its_time_and_a_certificate_that_does_not_matter() -> None:
    data = evidence_of(AVR)
    signed = parse_any(data).evidence
    assert isinstance(signed, SignedReport)
    made_us = IasReport.parse(signed.report).timestamp_us

    calendar = calendar_of(data, TrustRoots.of_intel(), max_age_s=3600)

    entries = by_name(calendar)
    assert calendar.kind == "epid"
    assert [entry.name for entry in calendar.entries] == [
        AGE, "ias-signing-certificate", "ias-report",
    ]  # fmt: skip
    assert entries[AGE].end_us == made_us + 3600 * 1_000_000
    assert entries["ias-signing-certificate"].end_us == parse_rfc3339("2026-11-20T09:36:58Z")
    assert not entries["ias-signing-certificate"].ends_evidence
    assert (entries["ias-report"].start_us, entries["ias-report"].end_us) == (made_us, None)


def test_a_certificate_that_does_not_matter_ends_nothing() -> None:
    calendar = calendar_of(evidence_of(AVR), TrustRoots.of_intel(), None)

    assert not calendar.runs_out(parse_rfc3339("2030-01-01T00:00:00Z"), 0)


@pytest.mark.parametrize("name", [AVR, "dcap/dcapqvl_sgx_quote.json"])
def test_evidence_of_another_root_has_no_calendar(name: str) -> None:
    with pytest.raises(VerificationError):
        calendar_of(evidence_of(name), make(SGX_V3).roots, None)


def test_genuine_evidence_is_dated_by_intel() -> None:
    name = "dcap/dcapqvl_sgx_quote.json"
    tcb_info = json.loads(load(name)["collateral"]["tcb_info"])

    calendar = calendar_of(evidence_of(name), TrustRoots.of_intel(), None)

    assert by_name(calendar)["tcb-info"].end_us == parse_rfc3339(tcb_info["nextUpdate"])


def test_a_quote_without_collateral_is_refused() -> None:
    with pytest.raises(NoEvidenceError):
        calendar_of(make(SGX_V3).quote, make(SGX_V3).roots, None)


@pytest.mark.parametrize(
    ("at", "within", "state"),
    [
        (9, 0, State.AHEAD),
        (10, 0, State.HOLDS),
        (19, 0, State.HOLDS),
        (20, 0, State.SOON),
        (15, 4, State.HOLDS),
        (15, 5, State.SOON),
        (21, 0, State.EXPIRED),
    ],
)
def test_both_ends_are_inclusive(at: int, within: int, state: State) -> None:
    assert Entry("x", 10, 20).state(at, within) is state


def test_what_has_no_end_never_runs_out() -> None:
    assert Entry("x", 10, None).state(10**17, 10**17) is State.HOLDS


def evidence_of(name: str) -> bytes:
    case = load(name)
    if name.startswith("ias/"):
        members = {
            "report": case["report_b64"],
            "signature": case["signature_b64"],
            "signing_cert": case["signing_cert_b64"],
        }
        return json.dumps(members).encode()
    collateral = Collateral.parse_json(json.dumps(case["collateral"]).encode())
    return tagged((2, b64decode(case["quote_b64"])), (3, collateral.encode_intel()))
