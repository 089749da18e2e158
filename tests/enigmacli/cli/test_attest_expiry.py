import json
from pathlib import Path
from typing import Any

import pytest

from enclave.times import format_rfc3339
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.corpus import load
from tests.enigmacli.simulated_intel.in_memory import AT_US
from tests.simulators.dcap_factory import SGX_V3, make
from tests.simulators.network_in_memory import NetworkProgram, network_in_memory

AVR = "ias/secretnetwork_hw_invalid_test.json"


@pytest.fixture
def member(tmp_path: Path, pki: SimulatedPki, root_file: Path, pcs: SimulatedPcs) -> Any:
    """A home with evidence of both kinds, fetched at ``AT_US``."""
    with network_in_memory(tmp_path, pki, root_file, pcs) as network:
        program = NetworkProgram(tmp_path / "member", network)
        program.ok("init", "member", "--simulated", "--chain-id", "net-1", *network.roots)
        program.prepare_account("alice")
        program.ok("enclave", "keygen")
        program.ok("attest", "fetch")
        program.ok("attest", "fetch", "--provider", "dcap")
        yield program


def test_without_a_file_all_evidence_of_the_home_is_listed(member: NetworkProgram) -> None:
    shown = member.ok("attest", "expiry")

    assert [(Path(one["file"]).name, one["kind"]) for one in shown["evidence"]] == [
        ("attestation_cert.der", "epid"),
        ("attestation_combined.bin", "dcap-sgx"),
    ]
    names = [entry["name"] for entry in shown["evidence"][1]["entries"]]
    assert names[0] == "evidence-age"
    assert set(names) > {"tcb-info", "qe-identity", "pck-crl", "root-crl", "pck"}
    assert (shown["within_s"], shown["expiring"]) == (None, False)


def test_times_are_absolute_and_relative(member: NetworkProgram) -> None:
    (_, dcap) = member.ok("attest", "expiry")["evidence"]
    (age, *_) = dcap["entries"]

    assert age == {
        "name": "evidence-age",
        "from": "2026-09-21T14:13:00Z",
        "until": "2026-09-22T14:13:00Z",
        "remaining_s": 86_379,
        "state": "holds",
        "ends_evidence": True,
    }


def test_people_read_one_line_for_each_part(member: NetworkProgram) -> None:
    file = str(member.home / "attestation_combined.bin")

    lines = member("attest", "expiry", file).out.splitlines()

    assert lines[0] == f"{file} (dcap-sgx)"
    assert lines[1] == "  evidence-age  until 2026-09-22T14:13:00Z  in 23 h 59 min"


def test_what_has_run_out_says_how_long_ago(member: NetworkProgram) -> None:
    later = format_rfc3339(AT_US + 90_000 * 1_000_000)

    got = member("attest", "expiry", "--at", later)

    assert got.code == 0
    assert "1 h 0 min ago  expired\n" in got.out
    assert "(ias-report)" in got.out


@pytest.mark.parametrize(
    ("within", "code"), [("23h", 0), ("24h", 3), ("1d", 3), ("1439m", 0), ("86400s", 3), ("0s", 0)]
)
def test_the_warning_ends_with_its_own_exit_code(
    member: NetworkProgram, within: str, code: int
) -> None:
    got = member("attest", "expiry", "--within", within, "-o", "json")

    assert got.code == code
    assert got.document["expiring"] is (code == 3)
    states = {entry["state"] for one in got.document["evidence"] for entry in one["entries"]}
    assert ("soon" in states) is (code == 3)


def test_expired_evidence_warns_whatever_the_time_is(member: NetworkProgram) -> None:
    later = format_rfc3339(AT_US + 90_000 * 1_000_000)

    assert member("attest", "expiry", "--at", later, "--within", "0s").code == 3


def test_a_home_without_evidence_says_what_to_do(simulated: Any) -> None:
    got = simulated("attest", "expiry", "-o", "json")

    assert (got.code, got.error["hint"]) == (3, "enigmacli attest fetch")


def test_genuine_evidence_needs_no_home(program: Any, tmp_path: Path) -> None:
    got = program("attest", "expiry", avr(tmp_path), "-o", "json")

    assert got.code == 0, got.err
    assert got.document["evidence"][0]["kind"] == "epid"
    assert got.err == ""


def test_an_intel_certificate_of_the_past_does_not_warn(program: Any, tmp_path: Path) -> None:
    got = program("attest", "expiry", avr(tmp_path), "--within", "365d")

    assert got.code == 0
    assert "(ias-signing-certificate)" in got.out


def test_standard_input_is_read(program: Any, tmp_path: Path) -> None:
    data = Path(avr(tmp_path)).read_bytes()

    shown = program.ok("attest", "expiry", "-", stdin=data)

    assert shown["evidence"][0]["file"] == "-"


def test_evidence_of_a_simulated_root_is_not_authentic_without_its_network(
    program: Any, tmp_path: Path
) -> None:
    file = tmp_path / "evidence.bin"
    file.write_bytes(make(SGX_V3).container)

    got = program("attest", "expiry", str(file), "-o", "json")

    assert (got.code, got.out) == (5, "")
    assert got.error["code"] == "dcap-root"


@pytest.mark.parametrize(("data", "code"), [(b"", 5), (b"{}", 5), (b"\x30\x00", 5), (bytes(64), 5)])
def test_what_is_no_evidence_is_malformed(
    program: Any, tmp_path: Path, data: bytes, code: int
) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)

    assert program("attest", "expiry", str(file)).code == code


def test_a_missing_file_is_local(program: Any) -> None:
    assert program("attest", "expiry", "none").code == 3


@pytest.mark.parametrize("span", ["7", "7w", "-1d", "1.5h", "", "d", "9999999s"])
def test_a_malformed_span_is_wrong_usage(program: Any, span: str) -> None:
    assert program("attest", "expiry", "x", "--within", span).code == 2


def avr(folder: Path) -> str:
    case = load(AVR)
    members = {
        "report": case["report_b64"],
        "signature": case["signature_b64"],
        "signing_cert": case["signing_cert_b64"],
    }
    file = folder / "report.json"
    file.write_text(json.dumps(members))
    return str(file)
