"""Every DCAP case of the corpus through the real command."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import corpus_dir, load, names

CASES = names("dcap")
GENUINE = [name for name in CASES if "__" not in name]

MUTATIONS = {
    "report_byte_flipped": "dcap-quote-signature",
    "attestation_key_replaced": "dcap-attestation-key-binding",
    "tcb_info_reserialised": "dcap-tcb-info-signature",
    "tcb_info_signature_swapped": "dcap-tcb-info-signature",
    "fmspc_other_platform": "dcap-fmspc",
    "after_next_update": "dcap-tcb-info-time",
    "before_issue_date": "dcap-tcb-info-time",
    "trailing_zero": "quote-length",
    "trailing_junk": "quote-length",
    "as_captured_padded": "quote-length",
    "truncated_one": "quote-length",
    "truncated_after_report": "quote-malformed",
}
"""The code of each way to spoil a genuine case."""

CODES = {
    "oasis_quote_v4_future_pck_crl": "dcap-crl-time",
    "oasis_quote_v4_trailing_future_pck_crl": "dcap-crl-time",
    "secretnetwork_dcap_own_collateral": "dcap-tcb-info-version",
    "dcapqvl_quote_from_tappd": "no-tcb-level",
    "dcapqvl_tdx_quote_hex": "no-tcb-level",
    "dcapqvl_tdx_quote_outdated": "no-tcb-level",
    "oasis_quote_v4_out_of_date": "no-tcb-level",
    "openenclave_tdx_quote": "sept-ve-disable-clear",
    "secretnetwork_dcap_2025_collateral": "debug-enclave",
    "dcapqvl_sgx_quote": "platform-status-not-allowed",
    "dcapqvl_tdx_quote_eval20": "platform-status-not-allowed",
    "openenclave_seamldr5_eval18": "platform-status-not-allowed",
    "automata_quotev3": "ok",
    "dcapqvl_tdx_quote_eval17": "ok",
    "openenclave_seamldr5_eval17": "ok",
}
"""The code of each case as found."""

SGX_MEMBERS = {"mr_enclave", "mr_signer", "isv_prod_id", "isv_svn"}
TDX_MEMBERS = {
    "mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner", "mr_owner_config",
    "mr_seam", "td_attributes", "xfam",
}  # fmt: skip
EVERY_MEMBER = {
    "report_version", "quote_version", "status", "advisory_ids", "debug", "report_data",
    "timestamp", "fmspc", "platform_status", "qe_status", "tcb_evaluation_data_number",
}  # fmt: skip


def short(name: str) -> str:
    return name.removeprefix("dcap/").removesuffix(".json")


def expected_code(name: str) -> str:
    case, _, mutation = short(name).partition("__")
    return MUTATIONS[mutation] if mutation else CODES[case]


def write(case: dict[str, Any], folder: Path) -> tuple[str, ...]:
    """The command's arguments for a case, its files written."""
    (folder / "quote").write_bytes(base64.b64decode(case["quote_b64"]))
    (folder / "collateral").write_text(json.dumps(case["collateral"]))
    return (
        "attest", "verify", str(folder / "quote"), "--collateral", str(folder / "collateral"),
        "--at", case["verify_at"],
    )  # fmt: skip


def test_the_corpus_has_cases() -> None:
    corpus_dir()

    assert len(CASES) >= 56


@pytest.mark.parametrize("name", CASES)
def test_every_quote_gets_its_verdict_and_exit_code(
    name: str, program: Any, tmp_path: Path
) -> None:
    case = load(name)

    got = program(*write(case, tmp_path), "-o", "json")

    code = expected_code(name)
    authentic = case["expect"]["authentic"]
    assert got.err == ""
    assert got.code == (0 if code == "ok" else 6 if authentic else 5)
    document = got.document
    assert document["schema"] == 1
    assert document["authentic"] is authentic
    assert document["verdict"] == ("accept" if code == "ok" else "reject")
    assert document["code"] == code
    assert all(check["ok"] for check in document["checks"]) is (code == "ok")
    if "reject_reason" in case["expect"]:
        assert got.code == 6


@pytest.mark.parametrize("name", GENUINE)
def test_every_genuine_quote_gets_its_claims(name: str, program: Any, tmp_path: Path) -> None:
    case = load(name)
    expect = case["expect"]

    document = program(*write(case, tmp_path), "-o", "json").document

    claims = document["claims"]
    members = SGX_MEMBERS if expect["tee"] == "sgx" else TDX_MEMBERS
    assert document["kind"] == f"dcap-{expect['tee']}"
    assert claims.keys() == EVERY_MEMBER | members
    shared = expect.keys() & claims.keys() - {"advisory_ids"}
    assert {key: claims[key] for key in shared} == {key: expect[key] for key in shared}
    if expect["authentic"]:
        assert claims["status"] == expect["tcb_status"]
        if expect["advisory_ids"] is not None:
            assert claims["advisory_ids"] == expect["advisory_ids"]
        number = json.loads(case["collateral"]["tcb_info"])["tcbEvaluationDataNumber"]
        assert claims["tcb_evaluation_data_number"] == number


@pytest.mark.parametrize("name", CASES)
def test_every_verdict_can_be_read_in_eighty_columns(
    name: str, program: Any, tmp_path: Path
) -> None:
    got = program(*write(load(name), tmp_path))
    listed = program(*write(load(name), tmp_path), "-o", "json").document["checks"]

    assert all(len(line) <= 80 for line in got.out.splitlines())
    assert got.err == ""
    joined = "".join(got.out.split())
    for check in listed:
        mark = "ok" if check["ok"] else "FAIL"
        assert f"  {mark:<4}  {check['id']}\n" in got.out
        shown = "".join(f"{word}{check[word]}" for word in ("expected", "seen") if check[word])
        assert f"{check['id']}{''.join(shown.split())}" in joined


@pytest.mark.parametrize("name", GENUINE)
def test_every_part_can_be_read_in_eighty_columns(name: str, program: Any, tmp_path: Path) -> None:
    _, _, file, *collateral = write(load(name), tmp_path)[:5]

    got = program("attest", "parse", file, *collateral)

    assert (got.code, got.err) == (0, "")
    assert got.out.startswith("not verified\n")
    assert all(len(line) <= 80 for line in got.out.splitlines())
    for part in ("header", "body", "signature", "pck extension", "collateral"):
        assert f"\n{part}\n" in got.out


@pytest.mark.parametrize("name", [name for name in CASES if "__as_captured_padded" in name])
def test_a_padded_quote_is_refused_with_a_hint_and_accepted_trimmed(
    name: str, program: Any, tmp_path: Path
) -> None:
    case = load(name)
    arguments = write(case, tmp_path)

    refused = program(*arguments, "-o", "json")
    trimmed = program(*arguments, "--trim-padding", "-o", "json")

    assert refused.code == 5
    assert "--trim-padding" in refused.document["hint"]
    assert "--trim-padding" in program(*arguments).out
    assert "hint" not in trimmed.document
    assert trimmed.document["code"] == CODES[short(name).partition("__")[0]]


@pytest.mark.parametrize("name", [name for name in CASES if "__as_captured_padded" in name])
def test_parsing_a_padded_quote_hints_at_trimming_too(
    name: str, program: Any, tmp_path: Path
) -> None:
    write(load(name), tmp_path)

    got = program("attest", "parse", str(tmp_path / "quote"), "-o", "json")

    assert got.code == 5
    assert got.error["code"] == "quote-length"
    assert "--trim-padding" in got.error["hint"]
    assert program("attest", "parse", str(tmp_path / "quote"), "--trim-padding").code == 0


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("__trailing_junk.json")])
def test_trimming_takes_nothing_but_zero_bytes(name: str, program: Any, tmp_path: Path) -> None:
    got = program(*write(load(name), tmp_path), "--trim-padding", "-o", "json")

    assert (got.code, got.document["code"]) == (5, "quote-length")
    assert "hint" not in got.document


def test_a_quote_without_collateral_is_not_authentic_and_says_its_claims(
    program: Any, tmp_path: Path
) -> None:
    case = load("dcap/automata_quotev3.json")
    write(case, tmp_path)

    got = program("attest", "verify", str(tmp_path / "quote"), "-o", "json")

    assert (got.code, got.document["code"]) == (5, "evidence-missing")
    assert got.document["claims"]["mr_enclave"] == case["expect"]["mr_enclave"]
    assert "--collateral" in got.document["reason"]
