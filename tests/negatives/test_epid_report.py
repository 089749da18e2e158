"""Cases 13, 15 to 23, 33 and 34: what a signed report says about itself and the platform."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from enclave.appraise.policy import EPID_QUOTE_STATUSES
from enclave.errors import PolicyFormatError
from enclave.evidence.ias_report import SignedReport
from tests.enclave import simulated_pki as pki
from tests.negatives import epid

S = 1_000_000
MALFORMED = "ias-report-malformed"
STATUS = "quote-status-not-allowed"
ADVISORIES = "advisory-not-allowed"
VERSION = "ias-version-not-allowed"


def raw(text: str | bytes) -> str:
    """What becomes of a signed body with these bytes."""
    return epid.judged(epid.signed(text if isinstance(text, bytes) else text.encode()))


def with_text(name: str, text: str, **changes: Any) -> str:
    """What becomes of a report whose member is spelled like that."""
    members = pki.report_members(epid.quote(), **{name: ...}, **changes)
    body = json.dumps(members, separators=(",", ":"))
    return raw(f'{{"{name}":{text},{body[1:]}')


def test_case_13_a_report_from_the_future() -> None:
    evidence = epid.signed()

    assert epid.judged(evidence, at_us=pki.AT_US - 30 * S) == epid.ACCEPTED
    assert epid.judged(evidence, at_us=pki.AT_US - 30 * S - 1) == "evidence-in-future"


def test_case_13_a_report_that_is_too_old() -> None:
    evidence = epid.signed()

    assert epid.judged(evidence, at_us=pki.AT_US + 3600 * S) == epid.ACCEPTED
    assert epid.judged(evidence, at_us=pki.AT_US + 3600 * S + 1) == "evidence-too-old"


@pytest.mark.parametrize(
    "timestamp",
    [
        ...,
        None,
        1_795_428_000,
        "",
        "now",
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.250000Z",
        "2026-11-23T10:00:00+00:00",
        "2026-11-23T10:00:00-05:00",
        "2026-11-23 10:00:00",
        "2026-11-23T10:00",
        "2026-02-30T10:00:00",
        "2026-11-23T10:00:60",
        "1969-12-31T23:59:59",
    ],
)
def test_case_13_a_timestamp_of_another_form(timestamp: Any) -> None:
    assert epid.judged_report(timestamp=timestamp) == MALFORMED


def test_case_15_a_group_out_of_date() -> None:
    document = epid.verdict(epid.peer_file("attestation_cert_out_of_date.der"), at_us=2**62)

    assert (document["authentic"], document["code"]) == (True, STATUS)
    assert document["claims"]["status"] == "GROUP_OUT_OF_DATE"


def test_case_16_a_revoked_group_with_valid_platform_info() -> None:
    told: dict[str, Any] = {"platformInfoBlob": epid.PLATFORM_INFO, "revocationReason": 1}

    assert epid.judged_report(isvEnclaveQuoteStatus="GROUP_REVOKED", **told) == STATUS


@pytest.mark.parametrize("number", [4, 5, 6, 7])
def test_case_17_configuration_needed_in_a_genuine_report(number: int) -> None:
    evidence = epid.genuine(f"integritee_test{number}")
    document = epid.verdict(json.dumps(pki.comment(evidence)).encode(), at_us=2**62)

    assert document["authentic"]
    assert document["claims"]["status"] == "CONFIGURATION_NEEDED"
    assert epid.failed_rules(document)[:2] == [VERSION, STATUS]


def test_case_17_configuration_needed_is_refused_unless_it_is_listed() -> None:
    evidence = epid.signed(
        epid.report(isvEnclaveQuoteStatus="CONFIGURATION_NEEDED", advisoryIDs=[epid.ADVISORY])
    )
    listing = pki.policy(epid_quote_statuses=["CONFIGURATION_NEEDED"])

    assert epid.judged(evidence) == STATUS
    assert epid.judged(evidence, listing) == epid.ACCEPTED


NEVER = (
    "SIGNATURE_INVALID",
    "GROUP_REVOKED",
    "SIGNATURE_REVOKED",
    "KEY_REVOKED",
    "SIGRL_VERSION_MISMATCH",
)
"""With these the service did not vouch for the quote at all."""


@pytest.mark.parametrize(
    "status",
    [
        *NEVER,
        "GROUP_OUT_OF_DATE",
        "CONFIGURATION_AND_SW_HARDENING_NEEDED",
        "UNHEARD_OF",
        "ok",
        "Ok",
        " OK",
        "OK\0",
        "",
    ],
)
def test_case_18_every_other_status(status: str) -> None:
    evidence: dict[str, Any] = {"isvEnclaveQuoteStatus": status, "advisoryIDs": [epid.ADVISORY]}

    assert epid.judged_report(**evidence) == STATUS


@pytest.mark.parametrize("status", NEVER)
def test_case_18_no_policy_can_allow_what_the_service_did_not_vouch_for(status: str) -> None:
    assert status not in EPID_QUOTE_STATUSES
    with pytest.raises(PolicyFormatError, match="epid_quote_statuses"):
        pki.policy(epid_quote_statuses=[status])


@pytest.mark.parametrize("status", [..., None, ["OK"], True, 0, {"OK": "OK"}])
def test_case_18_a_status_that_is_missing_or_no_string(status: Any) -> None:
    assert epid.judged_report(isvEnclaveQuoteStatus=status) == MALFORMED


HARDENING: dict[str, Any] = {"isvEnclaveQuoteStatus": "SW_HARDENING_NEEDED"}


@pytest.mark.parametrize("unlisted", ["INTEL-SA-00219", "intel-sa-00334", "INTEL-SA-00334 ", ""])
def test_case_19_an_advisory_that_is_not_listed(unlisted: str) -> None:
    assert epid.judged_report(**HARDENING, advisoryIDs=[epid.ADVISORY]) == epid.ACCEPTED
    assert epid.judged_report(**HARDENING, advisoryIDs=[epid.ADVISORY, unlisted]) == ADVISORIES


@pytest.mark.parametrize("absent", [..., []])
def test_case_19_advisories_that_are_missing(absent: Any) -> None:
    assert epid.judged_report(**HARDENING, advisoryIDs=absent) == ADVISORIES


@pytest.mark.parametrize("value", [epid.ADVISORY, None, [334], [[epid.ADVISORY]], {}])
def test_case_19_advisories_that_are_no_list_of_strings(value: Any) -> None:
    assert epid.judged_report(**HARDENING, advisoryIDs=value) == MALFORMED


@pytest.mark.parametrize("version", [..., 2, 3, 6, 0, -4, 40, 2**62])
def test_case_20_a_version_that_is_absent_or_another_number(version: Any) -> None:
    assert epid.judged_report(version=version) == VERSION


@pytest.mark.parametrize("text", ['"4"', "4.0", "true", "null", "[4]", "4e0", "04", "+4", "0x4"])
def test_case_20_a_version_that_is_no_json_integer(text: str) -> None:
    assert with_text("version", "4") == epid.ACCEPTED
    assert with_text("version", text) == MALFORMED


@pytest.mark.parametrize(
    "twice",
    [
        '"isvEnclaveQuoteStatus":"GROUP_REVOKED"',
        '"version":3',
        '"version":4',
        '"unknown":1,"unknown":2',
        '"nested":{"a":1,"a":1}',
        '"\\u0076ersion":4',
    ],
)
def test_case_21_a_key_twice_in_the_report(twice: str) -> None:
    body = epid.report().decode()

    assert raw(f"{{{twice},{body[1:]}") == MALFORMED
    assert raw(f"{body[:-1]},{twice}}}") == MALFORMED


@pytest.mark.parametrize("name", ["report", "signature", "signing_cert"])
def test_case_21_a_key_twice_in_the_container(name: str) -> None:
    members = pki.comment(epid.signed())
    text = json.dumps(members)
    twice = f'{{"{name}":"{members[name]}",{text[1:]}'

    assert epid.judged(pki.container(twice.encode())) == "container-malformed"
    assert epid.verdict(twice.encode())["code"] == "container-malformed"


NOT_STRICT: dict[str, Callable[[str], str | bytes]] = {
    "NaN": lambda rest: f'{{"x":NaN,{rest}',
    "infinity": lambda rest: f'{{"x":-Infinity,{rest}',
    "a number out of range": lambda rest: f'{{"x":1e999,{rest}',
    "an integer of 5000 digits": lambda rest: f'{{"x":{"9" * 5000},{rest}',
    "an integer of 20 digits": lambda rest: f'{{"x":{"9" * 20},{rest}',
    "a negative integer of 20 digits": lambda rest: f'{{"x":-{"9" * 20},{rest}',
    "lists nested in lists": lambda rest: f'{{"x":{"[" * 9}{"]" * 9},{rest}',
    "lists that never end": lambda rest: f'{{"x":{"[" * 30_000},{rest}',
    "objects nested in objects": lambda rest: f'{{"x":{"{" * 9}{"}" * 9},{rest}',
    "bad UTF-8": lambda rest: b'{"x":"\xff",' + rest.encode(),
    "UTF-8 of a surrogate": lambda rest: b'{"x":"\xed\xa0\x80",' + rest.encode(),
    "UTF-8 that is too long": lambda rest: b'{"x":"\xc0\xaf",' + rest.encode(),
    "UTF-16": lambda rest: ("{" + rest).encode("utf-16"),
    "a lone surrogate, escaped": lambda rest: f'{{"x":"\\ud800",{rest}',
    "a byte order mark": lambda rest: b"\xef\xbb\xbf{" + rest.encode(),
    "a bare NUL in a string": lambda rest: f'{{"x":"\0",{rest}',
    "a NUL behind": lambda rest: "{" + rest + "\0",
    "a comment": lambda rest: "{/**/" + rest,
    "a trailing comma": lambda rest: "{" + rest[:-1] + ",}",
    "single quotes": lambda rest: f"{{'x':1,{rest}",
    "an object behind": lambda rest: "{" + rest + "{}",
    "a list around": lambda rest: "[{" + rest + "]",
    "null": lambda _: "null",
}


@pytest.mark.parametrize("what", NOT_STRICT)
def test_case_22_json_that_is_not_strict(what: str) -> None:
    rest = epid.report().decode()[1:]

    assert raw("{" + rest) == epid.ACCEPTED
    assert raw(NOT_STRICT[what](rest)) == MALFORMED


def test_case_22_what_is_strict_and_unknown_is_ignored() -> None:
    unknown: dict[str, Any] = {"x": [1.5, {"y": [[[[-1]]]]}], "z": None, "\u00e9": "\0"}

    assert epid.judged_report(**unknown) == epid.ACCEPTED


@pytest.mark.parametrize("size", [0, 431, 433, 436, 1116])
def test_case_23_a_quote_body_of_another_length(size: int) -> None:
    body = epid.quote().ljust(size, b"\0")[:size]

    assert epid.judged_report(body) == "quote-malformed"


@pytest.mark.parametrize("spoil", [str.lower, lambda text: text + "\n", lambda text: text[:-1]])
def test_case_23_a_quote_body_in_other_base64(spoil: Callable[[str], str]) -> None:
    text = base64.b64encode(epid.quote(b"\x69" * 64)).decode() + "=" * 4

    assert epid.judged_report(isvEnclaveQuoteBody=spoil(text)) == MALFORMED


def blob(text: Any) -> SignedReport:
    """A report of a status that explains itself with platform info."""
    return epid.signed(epid.report(**HARDENING, advisoryIDs=[epid.ADVISORY], platformInfoBlob=text))


def test_case_33_platform_info_with_a_status_that_has_it() -> None:
    assert epid.judged(blob(epid.PLATFORM_INFO)) == epid.ACCEPTED
    assert epid.judged(blob(epid.PLATFORM_INFO.upper())) == epid.ACCEPTED
    assert epid.judged(blob(...)) == epid.ACCEPTED


@pytest.mark.parametrize("pse_status", [..., "OK", ["OUT_OF_DATE"], None])
def test_case_33_platform_info_with_status_ok(pse_status: Any) -> None:
    members: dict[str, Any] = {"platformInfoBlob": epid.PLATFORM_INFO}

    assert epid.judged_report(**members, pseManifestStatus=pse_status) == MALFORMED
    assert epid.judged_report(**members, pseManifestStatus="OUT_OF_DATE") == epid.ACCEPTED


@pytest.mark.parametrize(
    "text",
    [
        "",
        epid.PLATFORM_INFO[:-2],
        epid.PLATFORM_INFO + "00",
        epid.PLATFORM_INFO[:-1],
        epid.PLATFORM_INFO[8:],
        "G" + epid.PLATFORM_INFO[1:],
        epid.PLATFORM_INFO[:-1] + "\n",
        epid.PLATFORM_INFO[:-1] + "\uff11",
        "0x" + epid.PLATFORM_INFO[2:],
        "1602" + epid.PLATFORM_INFO[4:],
        "1501" + epid.PLATFORM_INFO[4:],
        "15020064" + epid.PLATFORM_INFO[8:],
        None,
        105,
        [epid.PLATFORM_INFO],
    ],
)
def test_case_33_platform_info_of_another_length_or_form(text: Any) -> None:
    assert epid.judged(blob(text)) == MALFORMED


@pytest.mark.parametrize("number", [15, 0, -1, ...])
def test_case_34_an_evaluation_number_below_the_floor(number: Any) -> None:
    floor = pki.POLICY_MEMBERS["min_tcb_evaluation_data_number"]
    version_5: dict[str, Any] = {"version": 5}

    assert epid.judged_report(**version_5, tcbEvaluationDataNumber=floor) == epid.ACCEPTED
    assert epid.judged_report(**version_5, tcbEvaluationDataNumber=number) == (
        "tcb-evaluation-too-low"
    )


@pytest.mark.parametrize("text", ['"17"', "17.0", "true", "null", "1.7e1"])
def test_case_34_an_evaluation_number_that_is_no_json_integer(text: str) -> None:
    assert with_text("tcbEvaluationDataNumber", text, version=5) == MALFORMED
