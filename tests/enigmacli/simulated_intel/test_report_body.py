import base64
import json
from typing import Any

import pytest

from enclave.errors import QuoteFormatError
from enclave.evidence.ias_report import IasReport
from enigmacli.simulated_intel.report_body import Finding, QuoteStatus, encode_report
from tests import corpus
from tests.enigmacli.simulated_intel.quoting import QuotingPlatform, linkable

PLATFORM = QuotingPlatform()
AT_US = 1_592_217_740_000_042  # 2020-06-15T10:42:20.000042Z

WITH_ADVISORIES = {
    QuoteStatus.GROUP_OUT_OF_DATE,
    QuoteStatus.CONFIGURATION_NEEDED,
    QuoteStatus.SW_HARDENING_NEEDED,
    QuoteStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
}
WITH_PLATFORM_INFO = {
    QuoteStatus.GROUP_REVOKED,
    QuoteStatus.GROUP_OUT_OF_DATE,
    QuoteStatus.CONFIGURATION_NEEDED,
    QuoteStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
}


def encode(finding: Finding, quote: bytes | None = None, **changed: Any) -> bytes:
    usual = {
        "quote": quote or PLATFORM.quote(),
        "platform_key": PLATFORM.platform_key,
        "nonce": None,
        "report_id": 2**128 - 1,
        "version": 4,
        "at_us": AT_US,
    }
    return encode_report(finding, **(usual | changed))


def members(finding: Finding, quote: bytes | None = None, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(finding, quote, **changed))
    return found


def test_a_good_report_has_the_members_of_a_genuine_one_in_their_order() -> None:
    case = corpus.load("ias/secretnetwork_hw_invalid_test.json")
    genuine = json.loads(base64.b64decode(case["report_b64"]))

    assert list(members(Finding())) == list(genuine)


def test_a_report_with_advisories_and_platform_info_has_those_of_a_genuine_one() -> None:
    case = corpus.load("ias/secretnetwork_out_of_date.json")
    genuine = json.loads(base64.b64decode(case["report_b64"]))

    ours = members(Finding(QuoteStatus.GROUP_OUT_OF_DATE))

    assert list(ours) == list(genuine)
    assert ours["advisoryURL"] == genuine["advisoryURL"]
    assert len(ours["platformInfoBlob"]) == len(genuine["platformInfoBlob"])
    assert ours["platformInfoBlob"][:24] == genuine["platformInfoBlob"][:24]


def test_a_linkable_report_with_a_nonce_has_the_members_of_a_genuine_one() -> None:
    case = corpus.load("ias/oasis_avr_v4_sw_hardening.json")
    genuine = json.loads(base64.b64decode(case["report_b64"]))
    finding = Finding(QuoteStatus.SW_HARDENING_NEEDED)

    ours = members(finding, linkable(PLATFORM.body()), nonce=genuine["nonce"])

    assert list(ours) == list(genuine)
    assert ours["nonce"] == genuine["nonce"]
    assert len(base64.b64decode(ours["epidPseudonym"])) == 128


def test_values_are_written_as_the_real_service_writes_them() -> None:
    ours = members(Finding())

    assert ours["id"] == "340282366920938463463374607431768211455"
    assert ours["timestamp"] == "2020-06-15T10:42:20.000042"
    assert ours["version"] == 4
    assert base64.b64decode(ours["isvEnclaveQuoteBody"]) == PLATFORM.body()


def test_whole_seconds_keep_their_six_digits() -> None:
    assert members(Finding(), at_us=0)["timestamp"] == "1970-01-01T00:00:00.000000"


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("status", QuoteStatus)
def test_every_status_gives_a_report_that_parses(status: QuoteStatus, version: int) -> None:
    report = IasReport.parse(encode(Finding(status), version=version, nonce="0123"))

    assert (report.status, report.version, report.nonce) == (status.value, version, "0123")
    assert report.timestamp_us == AT_US
    assert (report.advisory_ids is not None) == (status in WITH_ADVISORIES)
    assert (report.platform_info is not None) == (status in WITH_PLATFORM_INFO)
    assert (report.tcb_evaluation_data_number == 17) == (version == 5)


@pytest.mark.parametrize("status", QuoteStatus)
def test_only_a_revoked_group_has_a_reason(status: QuoteStatus) -> None:
    assert ("revocationReason" in members(Finding(status))) == (status == "GROUP_REVOKED")


def test_the_group_in_the_platform_info_is_the_quotes() -> None:
    blob = bytes.fromhex(members(Finding(QuoteStatus.GROUP_REVOKED))["platformInfoBlob"])

    assert blob[:5] == bytes.fromhex("1502006501")
    assert blob[37:41] == bytes.fromhex("00000e16")


def test_advisories_can_be_chosen_for_any_status() -> None:
    chosen = ("INTEL-SA-00615", "INTEL-SA-00657")

    assert members(Finding(advisory_ids=chosen))["advisoryIDs"] == list(chosen)
    assert "advisoryIDs" not in members(Finding(QuoteStatus.SW_HARDENING_NEEDED, ()))


def test_a_pseudonym_tells_platforms_apart_but_not_quotes() -> None:
    body = linkable(PLATFORM.body())
    other_report = linkable(PLATFORM.body(bytes(64)))
    other_basename = body[:16] + b"\x01" * 32 + body[48:]

    def pseudonym(quote: bytes, key: bytes = PLATFORM.platform_key) -> str:
        text = members(Finding(), quote, platform_key=key)["epidPseudonym"]
        assert isinstance(text, str)
        return text

    assert pseudonym(body) == pseudonym(other_report)
    assert len({pseudonym(body), pseudonym(body, bytes(32)), pseudonym(other_basename)}) == 3


def test_a_quote_of_an_unknown_version_is_refused() -> None:
    with pytest.raises(QuoteFormatError):
        encode(Finding(), b"\x09\x00" + PLATFORM.body()[2:])
