from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from enclave.times import US_PER_S
from enclave.verify.dcap_dates import show_time
from tests.enclave.verify.dcap_evidence import refusal, refused, us, verify
from tests.simulators.dcap_factory import AT, ISSUED, NEXT_UPDATE, SGX_V3, make

Changes = dict[str, Any]

SECOND = timedelta(seconds=1)
FORM = "%Y-%m-%dT%H:%M:%SZ"


def text(moment: datetime) -> str:
    return moment.strftime(FORM)


Part = tuple[Callable[[datetime], Changes], Callable[[datetime], Changes]]
"""What sets the start, and what sets the last second."""


def document(name: str) -> Part:
    return (
        lambda at: {name: {"issueDate": text(at)}},
        lambda at: {name: {"nextUpdate": text(at)}},
    )


def crl(name: str) -> Part:
    return (
        lambda at: {name: {"this_update": at}},
        lambda at: {name: {"next_update": at + SECOND}},
    )


def certificate(plan: str) -> Part:
    return (
        lambda at: {"certificates": {plan: {"not_before": at}}},
        lambda at: {"certificates": {plan: {"not_after": at}}},
    )


PARTS: dict[str, Part] = {
    "dcap-tcb-info-time": document("tcb_info"),
    "dcap-qe-identity-time": document("qe_identity"),
    "dcap-crl-time-root-crl": crl("root_crl"),
    "dcap-crl-time-pck-crl": crl("pck_crl"),
    "dcap-certificate-time-pck": certificate("pck"),
    "dcap-certificate-time-pck-ca": certificate("platform-ca"),
    "dcap-certificate-time-root": certificate("root"),
    "dcap-certificate-time-tcb-signer": certificate("tcb-signer"),
}


@pytest.mark.parametrize("rule", PARTS)
def test_a_part_may_begin_up_to_the_skew_ahead(rule: str) -> None:
    begins, _ = PARTS[rule]

    verified = verify(make(SGX_V3, **begins(AT + 30 * SECOND)))

    assert verified.newest_start_us == us(AT + 30 * SECOND)
    assert refused(SGX_V3, **begins(AT + 31 * SECOND)) == rule


@pytest.mark.parametrize("rule", PARTS)
def test_a_part_holds_up_to_its_last_second(rule: str) -> None:
    _, ends = PARTS[rule]
    made = make(SGX_V3, **ends(AT))

    verify(made)

    assert refusal(made, AT + SECOND) == rule
    assert refused(SGX_V3, **ends(AT - SECOND)) == rule


def test_within_the_last_second_a_document_has_run_out_and_a_list_has_not() -> None:
    verify(make(SGX_V3, pck_crl={"next_update": AT + SECOND}), at_us=us(AT + SECOND) - 1)

    with pytest.raises(Exception, match="tcb-info does not hold"):
        verify(make(SGX_V3, tcb_info={"nextUpdate": text(AT)}), at_us=us(AT) + 1)


def test_every_dated_part_is_named_once() -> None:
    verified = verify(make(SGX_V3))

    assert [date.name for date in verified.dates] == [
        "tcb-info", "qe-identity", "root-crl", "pck-crl", "pck", "pck-ca", "root", "tcb-signer",
    ]  # fmt: skip
    assert verified.dates[0].start_us == us(ISSUED)
    assert verified.dates[0].end_us == us(NEXT_UPDATE)
    assert verified.newest_start_us == us(ISSUED)
    assert verified.expires_us == us(NEXT_UPDATE) - 1


@pytest.mark.parametrize("rule", list(PARTS)[:4])
def test_age_counts_from_the_oldest_document_or_list(rule: str) -> None:
    begins, _ = PARTS[rule]
    old = datetime.fromisoformat("2025-01-01T00:00:00Z")

    assert verify(make(SGX_V3, **begins(old))).oldest_collateral_us == us(old)


def test_age_does_not_count_from_certificates() -> None:
    assert verify(make(SGX_V3)).oldest_collateral_us > us(AT - timedelta(days=300))


def test_a_judgement_may_catch_up_with_the_newest_start() -> None:
    later = AT + timedelta(days=3)
    made = make(SGX_V3, tcb_info={"issueDate": text(later)})

    assert verify(made, catch_up=True).newest_start_us == us(later)
    assert refusal(made) == "dcap-tcb-info-time"


def test_catching_up_does_not_revive_what_has_run_out() -> None:
    made = make(
        SGX_V3,
        tcb_info={"issueDate": text(AT + timedelta(days=3))},
        pck_crl={"next_update": AT + timedelta(days=2)},
    )

    with pytest.raises(Exception, match="pck-crl does not hold"):
        verify(made, catch_up=True)


def test_parts_that_were_never_valid_at_one_time_are_refused() -> None:
    made = make(
        SGX_V3,
        tcb_info={"issueDate": text(AT + 20 * SECOND)},
        qe_identity={"nextUpdate": text(AT + 19 * SECOND)},
    )

    assert refusal(made) == "dcap-validity-disjoint"


def test_the_time_of_judgement_may_be_any_number() -> None:
    for at_us in (-US_PER_S, 0, 2**63 - 1, 2**80):
        with pytest.raises(Exception, match="does not hold"):
            verify(make(SGX_V3), at_us=at_us)
    assert show_time(2**80) == f"{2**80} us after 1970"
