"""The peer's own registration files through the real command, as they lie there."""

from typing import Any

import pytest

from tests.corpus import corpus_dir, load

AT = ("--at", "2026-11-23T10:00:00Z")

CODES = {
    "attestation_cert_hw_invalid_test.der": (0, "ok"),
    "attestation_cert_hw_v2": (6, "debug-enclave"),
    "attestation_cert_out_of_date.der": (6, "quote-status-not-allowed"),
    "attestation_cert_sw_config_needed.der": (6, "quote-status-not-allowed"),
    "attestation_cert_hw_old": (6, "debug-enclave"),
    "tls_ra_cert_v3.der": (6, "ias-version-not-allowed"),
    "attestation_cert_sw": (5, "evidence-missing"),
    "attestation_cert_sw.combined": (5, "evidence-missing"),
    "attestation_cert_invalid": (5, "container-malformed"),
    "attestation_dcap.quote": (5, "evidence-missing"),
}
"""Exit code and code of each file that the corpus lists, judged by the production policy."""


def listed() -> dict[str, dict[str, Any]]:
    return {item["file"]: item for item in load("secretnetwork/expected.json")["files"]}


def test_every_listed_file_has_its_answer_here() -> None:
    assert set(listed()) - set(CODES) == {"attestation_dcap.collateral"}


@pytest.mark.parametrize("name", CODES)
def test_a_file_of_the_peer_gets_its_verdict_and_exit_code(name: str, program: Any) -> None:
    file = str(corpus_dir() / "secretnetwork" / name)

    got = program("attest", "verify", file, *AT, "-o", "json")

    assert (got.code, got.document["code"]) == CODES[name]
    assert got.err == ""
    assert got.document["authentic"] is (got.code != 5)


@pytest.mark.parametrize("name", CODES)
def test_a_file_of_the_peer_says_its_report_data(name: str, program: Any) -> None:
    file = str(corpus_dir() / "secretnetwork" / name)
    report_data = listed()[name].get("report_data")

    got = program("attest", "parse", file, "-o", "json")

    if report_data is None:
        assert got.code == 5
        assert got.error["code"] == CODES[name][1]
    else:
        assert got.code == 0
        assert got.document["claims"]["report_data"] == report_data


def test_the_peers_quote_is_judged_with_the_peers_collateral(program: Any) -> None:
    folder = corpus_dir() / "secretnetwork"
    files = (str(folder / "attestation_dcap.quote"), str(folder / "attestation_dcap.collateral"))

    got = program("attest", "verify", files[0], "--collateral", files[1], *AT, "-o", "json")

    assert (got.code, got.document["code"]) == (5, "dcap-tcb-info-version")
    report_data = listed()["attestation_dcap.quote"]["report_data"]
    assert got.document["claims"]["report_data"] == report_data
