"""DCAP through the commands: fetching, registering, mixed networks, captured quotes."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enigmacli.simulated_intel.dcap_pki import DcapPki
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.corpus import corpus_dir, load
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram, network_in_memory

DCAP = ("--provider", "dcap")
SGX = (*DCAP, "--kind", "dcap-sgx")
TDX = (*DCAP, "--kind", "dcap-tdx")


@pytest.fixture
def network(
    tmp_path: Path, pki: SimulatedPki, root_file: Path, pcs: SimulatedPcs
) -> Iterator[NetworkInMemory]:
    with network_in_memory(tmp_path, pki, root_file, pcs) as made:
        yield made


@pytest.fixture
def alone(network: NetworkInMemory) -> NetworkProgram:
    """A home of a new network that accepts both kinds, with an account."""
    program = NetworkProgram(network.folder / "alone", network)
    program.ok("init", "alone", "--simulated", "--chain-id", "net-1", *network.roots)
    program.prepare_account("alice")
    return program


@pytest.mark.parametrize(("options", "kind"), [(SGX, "dcap-sgx"), (TDX, "dcap-tdx")])
def test_fetching_writes_evidence_that_the_network_accepts(
    alone: NetworkProgram, options: tuple[str, ...], kind: str
) -> None:
    alone.ok("enclave", "keygen")

    fetched = alone.ok("attest", "fetch", *options)

    genesis = str(alone.home / "config" / "genesis.json")
    assert fetched["path"] == str(alone.home / "attestation_combined.bin")
    assert (fetched["evidence_kind"], fetched["provider"]) == (kind, "dcap")
    verified = alone.ok("attest", "verify", fetched["path"], "--policy", genesis)
    assert (verified["verdict"], verified["kind"]) == ("accept", kind)
    node_id = alone.ok("seed", "status")["node_id"]
    assert verified["claims"]["report_data"].startswith(node_id)


def test_fetching_again_after_a_tcb_recovery_brings_the_new_documents(
    alone: NetworkProgram, pcs: SimulatedPcs
) -> None:
    alone.ok("enclave", "keygen")
    path = Path(alone.ok("attest", "fetch", *DCAP)["path"])
    before = evaluation_number(path)

    pcs.behaviour = pcs.behaviour.changed({"tcb_evaluation_data_number": before + 1})
    alone.ok("attest", "fetch", *DCAP)

    assert evaluation_number(path) == before + 1


def test_a_network_of_both_kinds_admits_nodes_of_each(network: NetworkInMemory) -> None:
    network.first  # noqa: B018 -- bootstraps, by EPID
    members = {
        "epid": network.newcomer("epid"),
        "dcap-sgx": network.newcomer("sgx", *SGX),
        "dcap-tdx": network.newcomer("tdx", *TDX),
    }

    for kind, program in members.items():
        file = "attestation_cert.der" if kind == "epid" else "attestation_combined.bin"
        program.ok("tx", "register", "auth", str(program.home / file), "-y")
        program.ok("seed", "unseal")

    shown = network.first.ok("query", "register", "nodes")["nodes"]
    assert sorted(node["evidence_kind"] for node in shown) == sorted(members)
    assert {node["tcb_status"] for node in shown} == {"OK", "UpToDate"}
    assert all(program.ok("seed", "status")["seeds"] == 1 for program in members.values())


def test_the_first_node_may_bootstrap_with_dcap(network: NetworkInMemory) -> None:
    program = NetworkProgram(network.folder / "dcap", network)
    _, _, *dcap_root = network.roots
    program.ok("init", "dcap", "--simulated", "--chain-id", "net-1", *dcap_root)
    address = program.prepare_account("alice")
    program.ok("genesis", "add-account", address, "1000000000uscrt")

    program.ok("bootstrap", *DCAP)

    genesis = json.loads((program.home / "config" / "genesis.json").read_text())
    register = genesis["app_state"]["register"]
    assert register["params"]["evidence_kinds"] == ["dcap-sgx", "dcap-tdx"]
    evidence = parse_on_chain(base64.b64decode(register["bootstrap"]["certificate"]))
    assert isinstance(evidence, QuoteWithCollateral)
    program.ok("genesis", "validate")
    fetched = program.ok("attest", "fetch", "--purpose", "bootstrap", *DCAP)
    assert Path(fetched["path"]).name == "bootstrap_attestation_combined.bin"


def test_what_the_network_does_not_accept_is_refused_before_anybody_is_asked(
    network: NetworkInMemory,
) -> None:
    program = NetworkProgram(network.folder / "dcap", network)
    _, _, *dcap_root = network.roots
    program.ok("init", "dcap", "--simulated", *dcap_root)

    got = program("attest", "fetch", "-o", "json")

    assert got.code == 3
    assert got.error["message"] == "this network's policy accepts no epid evidence"
    assert got.error["hint"] == (
        "attest with --provider dcap --kind dcap-sgx or --provider dcap --kind dcap-tdx"
    )


def test_refused_tcb_is_found_before_the_fee(network: NetworkInMemory, pcs: SimulatedPcs) -> None:
    network.first  # noqa: B018 -- bootstraps
    pcs.behaviour = pcs.behaviour.changed({"tcb_status": "OutOfDate"})
    program = network.newcomer("late", *SGX)
    evidence = str(program.home / "attestation_combined.bin")

    got = program("tx", "register", "auth", evidence, "-y", "-o", "json")

    assert got.code == 6
    assert got.error["details"]["seen"] == "OutOfDate"


def test_a_server_that_knows_no_platform_is_told_from_one_that_is_away(
    alone: NetworkProgram, pcs: SimulatedPcs
) -> None:
    alone.ok("enclave", "keygen")
    for fault, code, name in (
        ("404,endpoint=tcb", 3, "platform-unknown"),
        ("410,endpoint=tcb", 3, "evaluation-number-gone"),
        ("503,endpoint=identity", 4, "service-unavailable"),
        ("429,endpoint=pckcrl", 4, "rate-limited"),
    ):
        pcs.behaviour = pcs.behaviour.changed({"next": [fault]})

        got = alone("attest", "fetch", *DCAP, "-o", "json")

        assert (got.code, got.error["code"]) == (code, name), fault


def test_the_next_server_is_asked_and_people_are_told(
    alone: NetworkProgram, pcs: SimulatedPcs
) -> None:
    alone.ok("enclave", "keygen")
    pcs.behaviour = pcs.behaviour.changed({"next": ["503"]})

    got = alone(
        "attest", "fetch", *DCAP, "--url", "http://127.0.0.1:1", "--url", "http://127.0.0.1:2"
    )

    assert got.code == 0, got.err
    assert "http://127.0.0.1:1 is unavailable" in got.err
    assert "the next server is asked" in got.err


def test_several_addresses_are_for_dcap_alone(alone: NetworkProgram) -> None:
    alone.ok("enclave", "keygen")

    got = alone("attest", "fetch", "--url", "http://127.0.0.1:1", "--url", "http://127.0.0.1:2")

    assert got.code == 3
    assert "one address" in got.err


def test_a_simulated_platform_needs_a_server_that_makes_it_known(
    alone: NetworkProgram, tmp_path: Path
) -> None:
    alone.ok("enclave", "keygen")

    got = alone("attest", "fetch", *DCAP, "--offline", str(corpus_dir() / "pcs"))

    assert got.code == 3
    assert "provisioned" in got.err
    assert not (tmp_path / "alone" / "attestation_combined.bin").exists()


def again(program: NetworkProgram, evidence: str, *options: str) -> int:
    """Fetch the collateral of that evidence's quote anew; its evaluation number."""
    out = program.network.folder / "again.bin"
    program.ok("attest", "fetch", *DCAP, "--quote", evidence, "--out", str(out), *options)
    return evaluation_number(out)


def test_what_was_fetched_lately_is_used_again_until_a_refresh(
    alone: NetworkProgram, pcs: SimulatedPcs
) -> None:
    alone.ok("enclave", "keygen")
    evidence = alone.ok("attest", "fetch", *DCAP)["path"]
    elsewhere = NetworkProgram(alone.network.folder / "elsewhere", alone.network)
    elsewhere.ok("init", "elsewhere")
    first = again(elsewhere, evidence)
    pcs.behaviour = pcs.behaviour.changed({"tcb_evaluation_data_number": first + 1})

    assert again(elsewhere, evidence) == first
    assert again(elsewhere, evidence, "--refresh") == first + 1
    assert len(list((elsewhere.home / "cache" / "pcs").iterdir())) == 4


def test_without_a_home_nothing_is_kept(alone: NetworkProgram) -> None:
    alone.ok("enclave", "keygen")
    evidence = alone.ok("attest", "fetch", *DCAP)["path"]
    nobody = NetworkProgram(alone.network.folder / "nobody", alone.network)

    again(nobody, evidence)

    assert not nobody.home.exists()


def test_another_edition_is_asked_for(alone: NetworkProgram) -> None:
    alone.ok("enclave", "keygen")
    evidence = alone.ok("attest", "fetch", *DCAP)["path"]
    standard = evaluation_number(Path(evidence))

    assert again(alone, evidence, "--update", "early") == standard + 1
    assert again(alone, evidence, "--tcb-evaluation-data-number", str(standard - 1)) == standard - 1


# --- captured quotes ----------------------------------------------------------------------------


CAPTURED = "dcap/dcapqvl_sgx_quote.json"


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """The collateral of a genuine quote, as recorded answers."""
    case = load(CAPTURED)["collateral"]
    folder = tmp_path / "recorded"
    folder.mkdir()
    collateral = Collateral.parse_json(json.dumps(case).encode())
    fmspc = json.loads(case["tcb_info"])["fmspc"]
    answers = {
        ("/sgx/certification/v4/tcb", "TCB-Info-Issuer-Chain"): (
            {"fmspc": fmspc}, collateral.tcb_info, collateral.tcb_info_issuer_chain,
        ),
        ("/sgx/certification/v4/qe/identity", "SGX-Enclave-Identity-Issuer-Chain"): (
            {}, collateral.qe_identity, collateral.qe_identity_issuer_chain,
        ),
        ("/sgx/certification/v4/pckcrl", "SGX-PCK-CRL-Issuer-Chain"): (
            {"ca": "processor"}, collateral.pck_crl.hex().encode(), collateral.pck_crl_issuer_chain,
        ),
        ("/IntelSGXRootCA.der", "X"): ({}, collateral.root_ca_crl, b""),
    }  # fmt: skip
    index = [
        {"path": path, "query": query, "status": 200, "body_file": str(number),
         "headers": {header: chain.decode()}}
        for number, ((path, header), (query, _, chain)) in enumerate(answers.items())
    ]  # fmt: skip
    for number, (_, body, _) in enumerate(answers.values()):
        (folder / str(number)).write_bytes(body)
    (folder / "index.json").write_text(json.dumps({"responses": index}))
    return folder


def quote_file(folder: Path, padding: bytes = b"") -> str:
    file = folder / "quote.bin"
    file.write_bytes(base64.b64decode(load(CAPTURED)["quote_b64"]) + padding)
    return str(file)


def test_a_captured_quote_becomes_evidence_without_a_network(
    program: Any, offline: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "evidence.bin")

    fetched = program.ok(
        "attest", "fetch", *DCAP, "--quote", quote_file(tmp_path), "--out", out,
        "--offline", str(offline),
    )  # fmt: skip

    assert (fetched["path"], fetched["evidence_kind"]) == (out, "dcap-sgx")
    case = load(CAPTURED)
    verified = program("attest", "verify", out, "--at", case["verify_at"], "-o", "json")
    assert verified.document["authentic"] is True
    assert verified.document["claims"]["platform_status"] == case["expect"]["platform_status"]
    assert not program.home.exists()


def test_a_padded_quote_is_cut_only_where_it_is_asked_for(
    program: Any, offline: Path, tmp_path: Path
) -> None:
    line = (
        "attest", "fetch", *DCAP, "--quote", quote_file(tmp_path, bytes(64)),
        "--out", str(tmp_path / "out"), "--offline", str(offline),
    )  # fmt: skip

    refused = program(*line, "-o", "json")

    assert (refused.code, refused.error["code"]) == (5, "quote-length")
    assert not (tmp_path / "out").exists()
    assert program(*line, "--trim-padding").code == 0


def test_what_the_folder_lacks_is_named(program: Any, offline: Path, tmp_path: Path) -> None:
    (offline / "index.json").write_text('{"responses": []}')

    got = program(
        "attest", "fetch", *DCAP, "--quote", quote_file(tmp_path), "--out", str(tmp_path / "out"),
        "--offline", str(offline), "-o", "json",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (3, "config")
    assert "holds no collateral" in got.error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--quote", "-"),
        ("--provider", "ias", "--quote", "-", "--out", "x"),
        ("--trim-padding",),
        ("--provider", "azure"),
        ("--kind", "dcap"),
        ("--update", "late"),
    ],
)
def test_wrong_usage_says_so(program: Any, arguments: tuple[str, ...]) -> None:
    assert program("attest", "fetch", *arguments).code == 2


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--url", "ftp://pccs.example"),
        ("--url", "https://pccs.example,"),
        ("--tcb-evaluation-data-number", "-1"),
        ("--tcb-evaluation-data-number", "x"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(program: Any, option: str, value: str) -> None:
    got = program("attest", "fetch", *DCAP, "--quote", "-", "--out", "x", option, value)

    assert got.code == 3


def test_a_key_on_standard_input_is_for_all_servers(program: Any, tmp_path: Path) -> None:
    got = program(
        "attest", "fetch", *DCAP, "--quote", quote_file(tmp_path), "--out", str(tmp_path / "out"),
        "--url", "http://127.0.0.1:1", "--url", "http://127.0.0.1:1", "--retries", "0",
        "--api-key-file", "-", "-o", "json", stdin="key\n",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (4, "service-unavailable")


def test_an_ias_report_needs_no_collateral(program: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    case = load("ias/oasis_avr_v4_sw_hardening.json")
    members = {
        "report": case["report_b64"],
        "signature": case["signature_b64"],
        "signing_cert": case["signing_cert_b64"],
    }
    file.write_text(json.dumps(members))

    got = program("attest", "fetch", *DCAP, "--quote", str(file), "--out", str(tmp_path / "out"))

    assert got.code == 3
    assert "needs no collateral" in got.err


def test_a_malformed_quote_is_malformed(program: Any, tmp_path: Path, dcap_pki: DcapPki) -> None:
    file = tmp_path / "quote.bin"
    file.write_bytes(dcap_pki.root_pem)

    got = program("attest", "fetch", *DCAP, "--quote", str(file), "--out", str(tmp_path / "out"))

    assert got.code == 5


def evaluation_number(path: Path) -> int:
    evidence = parse_on_chain(path.read_bytes())
    assert isinstance(evidence, QuoteWithCollateral)
    document = json.loads(Collateral.parse_intel(evidence.collateral).tcb_info)
    number: int = document["tcbInfo"]["tcbEvaluationDataNumber"]
    return number
