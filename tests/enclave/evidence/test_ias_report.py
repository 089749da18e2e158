import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import EvidenceFormatError, QuoteFormatError, ReportFormatError
from enclave.evidence.ias_report import IasReport, parse_timestamp
from tests import corpus
from tests.enclave import simulated_pki as pki

LINKABLE_BODY = pki.quote_body()[:2] + b"\x01\x00" + pki.quote_body()[4:]
PSEUDONYM = base64.b64encode(bytes(128)).decode()
PLATFORM_INFO = "1502006500" + "AB" * 100

GENUINE = [name for name in corpus.names("ias") if "__" not in name]


def test_the_corpus_has_genuine_reports() -> None:
    corpus.corpus_dir()

    assert len(GENUINE) >= 20


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_report_says_what_is_known_of_it(name: str) -> None:
    case = corpus.load(name)
    if case["report_b64"] is None:
        assert not case["expect"]["authentic"]
        return

    report = IasReport.parse(base64.b64decode(case["report_b64"]))

    expect = case["expect"]
    assert report.version == expect["version"]
    assert report.status == expect["quote_status"]
    assert list(report.advisory_ids or ()) == expect["advisory_ids"]
    assert report.quote.report.is_debug == expect["debug"]
    assert report.quote.report.mr_signer.hex() == expect["mr_signer"]


def test_every_member_is_read() -> None:
    report = IasReport.parse(
        pki.report(
            LINKABLE_BODY,
            version=5,
            isvEnclaveQuoteStatus="GROUP_OUT_OF_DATE",
            advisoryURL="https://security-center.intel.com",
            advisoryIDs=["INTEL-SA-00334"],
            tcbEvaluationDataNumber=17,
            nonce="0" * 32,
            epidPseudonym=PSEUDONYM,
            platformInfoBlob=PLATFORM_INFO,
            revocationReason=1,
            somethingNew={"a": [1.5]},
        )
    )

    assert report.id == "11111111111111111111"
    assert report.timestamp_us == pki.AT_US
    assert report.version == 5
    assert report.status == "GROUP_OUT_OF_DATE"
    assert report.advisory_ids == ("INTEL-SA-00334",)
    assert report.tcb_evaluation_data_number == 17
    assert report.nonce == "0" * 32
    assert report.epid_pseudonym == bytes(128)
    assert report.platform_info == bytes.fromhex(PLATFORM_INFO)
    assert report.quote.report.report_data == pki.REPORT_DATA


def test_members_that_may_be_absent_read_as_none() -> None:
    report = IasReport.parse(pki.report(version=...))

    assert report.version is None
    assert report.advisory_ids is None
    assert report.tcb_evaluation_data_number is None


@pytest.mark.parametrize(
    "name", ["id", "timestamp", "isvEnclaveQuoteStatus", "isvEnclaveQuoteBody"]
)
@pytest.mark.parametrize("value", [..., None, 1, True, ["OK"], {}])
def test_a_required_member_is_a_string(name: str, value: Any) -> None:
    with pytest.raises(ReportFormatError, match=name):
        IasReport.parse(pki.report(**{name: value}))


@pytest.mark.parametrize("name", ["version", "tcbEvaluationDataNumber"])
@pytest.mark.parametrize("value", ["4", 4.0, True, None, [4], {"4": 4}])
def test_a_number_is_a_json_integer(name: str, value: Any) -> None:
    with pytest.raises(ReportFormatError, match=name):
        IasReport.parse(pki.report(**{name: value}))


@pytest.mark.parametrize(
    "value", ["INTEL-SA-00334", None, [1], [["INTEL-SA-00334"]], {"INTEL-SA-00334": 1}, 334]
)
def test_advisories_are_a_list_of_strings(value: object) -> None:
    with pytest.raises(ReportFormatError, match="advisoryIDs"):
        IasReport.parse(pki.report(advisoryIDs=value))


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"nonce": "0" * 33}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"advisoryURL": 7}, "advisoryURL"),
        ({"platformInfoBlob": 7}, "platformInfoBlob"),
        ({"platformInfoBlob": PLATFORM_INFO[:-1]}, "platformInfoBlob"),
        ({"platformInfoBlob": PLATFORM_INFO + "00"}, "platformInfoBlob"),
        ({"platformInfoBlob": "G" + PLATFORM_INFO[1:]}, "platformInfoBlob"),
        ({"platformInfoBlob": "16" + PLATFORM_INFO[2:]}, "header"),
        ({"platformInfoBlob": PLATFORM_INFO}, "platformInfoBlob"),  # contradicts status OK
        ({"epidPseudonym": PSEUDONYM}, "epidPseudonym"),  # contradicts an unlinkable quote
        ({"epidPseudonym": base64.b64encode(bytes(127)).decode()}, "epidPseudonym"),
        ({"epidPseudonym": PSEUDONYM.rstrip("=")}, "epidPseudonym"),
        ({"epidPseudonym": None}, "epidPseudonym"),
    ],
)
def test_an_optional_member_has_one_form(changes: dict[str, Any], member: str) -> None:
    with pytest.raises(ReportFormatError, match=member):
        IasReport.parse(pki.report(**changes))


def test_platform_info_with_status_ok_is_about_the_pse_manifest() -> None:
    report = IasReport.parse(
        pki.report(platformInfoBlob=PLATFORM_INFO, pseManifestStatus="OUT_OF_DATE")
    )

    assert report.platform_info is not None


@pytest.mark.parametrize("spoil", [str.swapcase, lambda text: text + "\n", lambda text: "=" + text])
def test_a_quote_body_in_other_base64_is_refused(spoil: Any) -> None:
    text = pki.report_members()["isvEnclaveQuoteBody"]
    urlsafe = base64.urlsafe_b64encode(b"\xff" * 432).decode()
    spoiled = urlsafe if spoil is str.swapcase else spoil(text)

    with pytest.raises(ReportFormatError, match="isvEnclaveQuoteBody"):
        IasReport.parse(pki.report(isvEnclaveQuoteBody=spoiled))


@pytest.mark.parametrize("size", [0, 431, 433, 436, 1116])
def test_a_quote_body_of_another_length_is_refused(size: int) -> None:
    text = base64.b64encode(pki.quote_body().ljust(size, b"\0")[:size]).decode()

    with pytest.raises(QuoteFormatError):
        IasReport.parse(pki.report(isvEnclaveQuoteBody=text))


NOT_STRICT = [
    (b"", "not JSON"),
    (b"null", "not a JSON object"),
    (b"[]", "not a JSON object"),
    (b'"x"', "not a JSON object"),
    (b'{"a":NaN}', "NaN"),
    (b'{"a":-Infinity}', "Infinity"),
    (b'{"a":1e999}', "out of range"),
    (b'{"a":' + b"1" * 5000 + b"}", "digits"),
    (b'{"a":1,"a":1}', "twice"),
    (b'{"version":4,"version":5}', "twice"),
    (b'{"a":' + b"[" * 100_0 + b"]" * 100_0 + b"}", "deep"),
    (b'{"a":' + b"[" * 60_000, "deep"),
    (b"\xef\xbb\xbf{}", "not JSON"),
    (b'{"a":"\xff"}', "UTF-8"),
    (b'{"a":"\0"}', "not JSON"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b"{}{}", "not JSON"),
    (b'{"a":1' + b" " * 70_000 + b"}", "longer"),
]


@pytest.mark.parametrize("number", range(len(NOT_STRICT)))
def test_what_is_not_one_strict_json_object_is_refused(number: int) -> None:
    body, problem = NOT_STRICT[number]

    with pytest.raises(ReportFormatError, match=problem):
        IasReport.parse(body)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00", 0),
        ("2016-11-22T09:36:58", 1_479_807_418_000_000),
        ("2020-02-29T23:59:59.000001", 1_583_020_799_000_001),
        ("2020-02-29T23:59:59.001", 1_583_020_799_001_000),
        ("2020-02-29T23:59:59.000001999", 1_583_020_799_000_001),
    ],
)
def test_a_timestamp_without_zone_means_utc(text: str, us: int) -> None:
    assert parse_timestamp(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "2020-05-11T09:21:15Z",
        "2020-05-11T09:21:15.454051Z",
        "2020-05-11T09:21:15+00:00",
        "2020-05-11T09:21:15.454051+02:00",
        "2020-05-11 09:21:15",
        "2020-05-11T09:21",
        "2020-05-11",
        "2020-05-11T09:21:15.",
        "2020-05-11T09:21:15.4540511234",
        "2020-05-11T09:21:15,454051",
        "2020-05-11T24:00:00",
        "2020-05-11T09:21:60",
        "2021-02-29T00:00:00",
        "2020-13-01T00:00:00",
        "0000-01-01T00:00:00",
        "1969-12-31T23:59:59.999999",
        "+020-05-11T09:21:15",
        "2020-05-11T09:21:15\n",
        "\uff12020-05-11T09:21:15",
        "20200511T092115",
    ],
)
def test_any_other_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ReportFormatError, match="timestamp"):
        parse_timestamp(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(pki.report_members())), _json))
def test_any_members_give_a_report_or_a_format_error(changes: dict[str, Any]) -> None:
    try:
        report = IasReport.parse(json.dumps(pki.report_members(**changes)).encode())
    except EvidenceFormatError:
        assert changes
    else:
        assert report.timestamp_us >= 0


@given(st.binary(max_size=200))
def test_any_bytes_give_a_format_error(body: bytes) -> None:
    with pytest.raises(ReportFormatError):
        IasReport.parse(body)
