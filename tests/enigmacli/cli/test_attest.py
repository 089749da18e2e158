import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.simulated_intel.pki import SimulatedPki
from tests.corpus import corpus_dir, load, names
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram, network_in_memory

EXIT = {"accept": 0, "reject": 6}


def write_case(case: dict[str, Any], folder: Path) -> Path:
    """The file of a corpus case: the container as found, or its three parts as JSON."""
    file = folder / "evidence"
    if case.get("container_b64"):
        file.write_bytes(base64.b64decode(case["container_b64"]))
    else:
        parts = {
            "report": case["report_b64"],
            "signature": case["signature_b64"],
            "signing_cert": case["signing_cert_b64"],
        }
        file.write_text(json.dumps({name: value for name, value in parts.items() if value}))
    return file


def test_the_corpus_has_cases() -> None:
    corpus_dir()

    assert len(names("ias")) > 80


@pytest.mark.parametrize("name", names("ias"))
def test_every_report_gets_its_verdict_and_exit_code(
    name: str, program: Any, tmp_path: Path
) -> None:
    case = load(name)
    file = write_case(case, tmp_path)

    chain = ("--chain-at", case["verify_at"]) if "__chain_time_" in name else ()

    got = program("attest", "verify", str(file), "--at", case["verify_at"], *chain, "-o", "json")

    expected = case["expect"]
    verdict = case.get("strict_production", {}).get("verdict", "reject")
    code = EXIT[verdict] if expected["authentic"] else 5
    assert (got.code, got.err) == (code, "")
    document = got.document
    assert document["schema"] == 1
    assert document["authentic"] == expected["authentic"]
    assert (document["verdict"] == "accept") == (code == 0)
    assert (document["code"] == "ok") == (code == 0)


def test_a_report_for_people_names_the_rule_that_failed(program: Any, tmp_path: Path) -> None:
    case = load("ias/secretnetwork_hw_v2.json")
    file = write_case(case, tmp_path)

    got = program("attest", "verify", str(file), "--at", case["verify_at"])

    assert got.code == 6
    assert got.out.startswith("REFUSED (authentic): the enclave can be debugged")
    assert "FAIL  debug-enclave" in got.out
    assert got.err == ""


def test_evidence_may_come_from_standard_input(program: Any, tmp_path: Path) -> None:
    case = load("ias/secretnetwork_hw_invalid_test.json")
    data = write_case(case, tmp_path).read_bytes()

    got = program("attest", "verify", "-", "--at", case["verify_at"], "-o", "json", stdin=data)

    assert got.code == 0
    assert got.document["verdict"] == "accept"


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"{}", b"0\x82", b"{" * 5000, b"x" * 2**21])
def test_malformed_files_are_judged_on_standard_output(
    data: bytes, program: Any, tmp_path: Path
) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(data)

    got = program("attest", "verify", str(file), "-o", "json")

    assert (got.code, got.err) == (5, "")
    assert got.document["authentic"] is False
    assert "claims" not in got.document


def test_a_rule_that_compares_nothing_shows_no_empty_words(program: Any, tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(b"0\x82")

    got = program("attest", "verify", str(file))

    assert got.code == 5
    assert got.out.endswith("  FAIL  container-malformed\n")


def test_parsing_shows_claims_and_says_that_nobody_looked(program: Any, tmp_path: Path) -> None:
    file = write_case(load("ias/secretnetwork_hw_v2.json"), tmp_path)

    document = program.ok("attest", "parse", str(file))

    assert document["authentic"] is None
    assert document["claims"]["debug"] is True
    assert program("attest", "parse", str(file)).out.startswith("not verified\n")


def test_parsing_nonsense_is_exit_5(program: Any, tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    file.write_bytes(b"nonsense")

    got = program("attest", "parse", str(file), "-o", "json")

    assert got.code == 5
    assert got.error["message"]


def test_a_missing_file_is_local_state(program: Any, tmp_path: Path) -> None:
    got = program("attest", "verify", str(tmp_path / "none"), "-o", "json")

    assert got.code == 3
    assert got.error["code"] == "storage"


def test_a_time_that_is_none_is_a_usage_error_before_any_file_is_read(program: Any) -> None:
    got = program("attest", "verify", "/does/not/exist", "--at", "yesterday")

    assert got.code == 2
    assert "RFC 3339" in got.err


@pytest.mark.parametrize("option", ["--policy", "--trust-root"])
def test_a_malformed_policy_or_root_has_not_the_code_of_malformed_evidence(
    option: str, program: Any, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.write_text("nothing of the kind")

    got = program("attest", "verify", str(bad), option, str(bad), "-o", "json")

    assert got.code == 3
    assert got.error["code"] == "config"


def test_fetching_without_a_home_names_the_next_command(program: Any) -> None:
    got = program("attest", "fetch", "-o", "json")

    assert got.code == 3
    assert got.error["code"] == "home-missing"
    assert got.error["hint"].startswith("enigmacli init")


def test_fetching_for_a_network_of_real_hardware_refuses_the_simulated_service(
    simulated: Any,
) -> None:
    genesis = simulated.home / "config" / "genesis.json"
    document = json.loads(genesis.read_text())
    params = document["app_state"]["register"]["params"]
    params["trust_roots"], params["simulation"] = ["intel"], False
    genesis.write_text(json.dumps(document))

    got = simulated("attest", "fetch", "--provider", "simulated", "-o", "json")

    assert got.code == 3
    assert got.error["details"] == {"expected": ["epid"], "seen": "simulated"}
    assert got.error["hint"] == "attest with --provider ias"


@pytest.fixture
def network(tmp_path: Path, pki: SimulatedPki, root_file: Path) -> Iterator[NetworkInMemory]:
    with network_in_memory(tmp_path, pki, root_file) as made:
        yield made


@pytest.fixture
def alone(network: NetworkInMemory) -> NetworkProgram:
    """A home of a new simulated network, with an account."""
    program = NetworkProgram(network.folder / "alone", network)
    root = str(network.root_file)
    program.ok("init", "alone", "--simulated", "--chain-id", "net-1", "--ias-root", root)
    program.prepare_account("alice")
    return program


def test_fetching_writes_evidence_that_the_network_accepts(
    alone: NetworkProgram, tmp_path: Path
) -> None:
    alone.ok("enclave", "keygen")

    fetched = alone.ok("attest", "fetch")

    genesis = json.loads((alone.home / "config" / "genesis.json").read_text())
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(genesis["app_state"]["register"]["params"]))
    assert fetched["path"] == str(alone.home / "attestation_cert.der")
    verified = alone.ok("attest", "verify", fetched["path"], "--policy", str(policy))
    assert verified["verdict"] == "accept"
    node_id = alone.ok("seed", "status")["node_id"]
    assert verified["claims"]["report_data"].startswith(node_id)


def test_newer_evidence_takes_the_place_of_older(alone: NetworkProgram, tmp_path: Path) -> None:
    alone.ok("enclave", "keygen")

    hashes = {alone.ok("attest", "fetch")["sha256"] for _ in range(2)}
    other = alone.ok("attest", "fetch", "--out", str(tmp_path / "elsewhere.der"))

    assert len(hashes) == 2
    assert Path(other["path"]).read_bytes() != (alone.home / "attestation_cert.der").read_bytes()


def test_the_owner_is_bound_and_another_account_binds_another(alone: NetworkProgram) -> None:
    alone.ok("keys", "add", "carol")
    alone.ok("enclave", "keygen")

    owners = {alone.ok("attest", "fetch", "--from", name)["owner"] for name in ("alice", "carol")}

    assert len(owners) == 2


def test_an_spid_says_that_the_simulation_ignores_it(alone: NetworkProgram) -> None:
    alone.ok("enclave", "keygen")

    got = alone("attest", "fetch", "--spid", "ab" * 16)

    assert got.code == 0
    assert "--spid is ignored" in got.err


def test_fetching_before_keygen_asks_no_service(alone: NetworkProgram) -> None:
    got = alone("attest", "fetch", "-o", "json")

    assert got.code == 3
    assert got.error["code"] == "no-registration-key"
    assert got.error["hint"] == "enigmacli enclave keygen"


def test_bootstrap_evidence_wants_a_seed(alone: NetworkProgram) -> None:
    got = alone("attest", "fetch", "--purpose", "bootstrap", "-o", "json")

    assert got.code == 3
    assert got.error["code"] == "no-seed"


def test_bootstrap_evidence_has_a_file_of_its_own(network: NetworkInMemory) -> None:
    fetched = network.first.ok("attest", "fetch", "--purpose", "bootstrap")

    assert Path(fetched["path"]).name == "bootstrap_attestation_cert.der"
    assert fetched["owner"] == "00" * 20
