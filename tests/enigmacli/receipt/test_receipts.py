"""A join receipt, checked without asking anybody; and every way to tamper with one."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import BindingError, EnclaveError, PolicyError
from enclave.network import network_id
from enigmacli.app.genesis import GenesisDocument, genesis_hash
from enigmacli.cli.exit_codes import exit_code
from enigmacli.errors import EnigmaError, GenesisError, MalformedError, UntrustedAnswerError
from enigmacli.receipt.document import MAX_HEADERS, Receipt
from enigmacli.receipt.verification import Genesis, TrustedHeader, verify
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.enigmacli.simulated_intel.in_memory import AT_US
from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    Outcome,
    network_in_memory,
)

NOW_NS = AT_US * 1000 + 10**9


@pytest.fixture(scope="module")
def network(
    tmp_path_factory: pytest.TempPathFactory, pki: SimulatedPki
) -> Iterator[NetworkInMemory]:
    folder = tmp_path_factory.mktemp("network")
    root = folder / "root.pem"
    root.write_bytes(pki.root_pem)
    with network_in_memory(folder, pki, root) as made:
        yield made


@pytest.fixture(scope="module")
def bob(network: NetworkInMemory) -> NetworkProgram:
    """A node that joined, with other blocks before and behind."""
    home = network.newcomer("bob")
    assert network.node is not None
    network.node.make_block()
    assert home.ok("join")["state"] == "seeded"
    network.node.make_block()
    return home


@pytest.fixture(scope="module")
def data(bob: NetworkProgram) -> bytes:
    return (bob.home / "join-receipt.json").read_bytes()


@pytest.fixture(scope="module")
def genesis(bob: NetworkProgram) -> Genesis:
    held = (bob.home / "config" / "genesis.json").read_bytes()
    return Genesis(GenesisDocument.parse(held), genesis_hash(held))


def judge(network: NetworkInMemory, data: bytes, tmp_path: Path, *options: str) -> Outcome:
    """``receipt verify`` in a place that knows nothing."""
    file = tmp_path / "receipt.json"
    file.write_bytes(data)
    nowhere = NetworkProgram(tmp_path / "nowhere", network)
    return nowhere("receipt", "verify", str(file), *options, "-o", "json")


def test_a_receipt_convinces_somebody_who_trusts_genesis(
    network: NetworkInMemory, bob: NetworkProgram, data: bytes, tmp_path: Path
) -> None:
    genesis = str(bob.home / "config" / "genesis.json")

    told = judge(network, data, tmp_path, "--genesis", genesis).document

    assert (told["authentic"], told["judged"], told["verdict"]) == (True, True, "accept")
    assert told["node_id"] == bob.ok("enclave", "status")["node_id"]
    assert told["trusted_from"] == "genesis"
    assert "not proven" in told["limits"]
    assert bob("receipt", "verify", str(bob.home / "join-receipt.json")).code == 0


def test_a_header_that_somebody_trusts_stands_in_for_genesis(
    network: NetworkInMemory, data: bytes, tmp_path: Path
) -> None:
    for block in Receipt.parse(data).headers:
        trust = ("--trust-height", str(block.height), "--trust-hash", block.hash.hex())

        told = judge(network, data, tmp_path, *trust).document
        other = judge(network, data, tmp_path, *trust[:3], "00" * 32)

        assert (told["trusted_from"], told["judged"]) == (f"header {block.height}", False)
        assert (other.code, other.error["code"]) == (5, "untrusted-answer")


def test_a_trusted_header_after_the_block_leads_back_to_its_neighbours_only(
    data: bytes, genesis: Genesis
) -> None:
    receipt = Receipt.parse(data)
    last = receipt.headers[-1]
    neighbours = replace(receipt, headers=receipt.headers[-2:])

    found = verify(neighbours, genesis, TrustedHeader(last.height, last.hash), NOW_NS)

    assert found.record.height == receipt.claims.height
    with pytest.raises(UntrustedAnswerError, match="begins at header"):
        verify(neighbours, genesis, None, NOW_NS)


def test_headers_to_which_the_trusted_one_does_not_lead_count_for_nothing(
    data: bytes, genesis: Genesis
) -> None:
    receipt = Receipt.parse(data)
    last = receipt.headers[-1]
    gap = replace(receipt, headers=(receipt.headers[0], last))

    with pytest.raises(UntrustedAnswerError, match="leads to no header"):
        verify(gap, genesis, TrustedHeader(last.height, last.hash), NOW_NS)


def test_a_header_that_the_receipt_does_not_have_is_named(data: bytes) -> None:
    with pytest.raises(UntrustedAnswerError, match="no header 99") as caught:
        verify(Receipt.parse(data), None, TrustedHeader(99, bytes(32)), NOW_NS)

    assert "query block" in caught.value.hint


def test_without_anything_to_trust_nothing_is_believed(
    network: NetworkInMemory, data: bytes, tmp_path: Path
) -> None:
    got = judge(network, data, tmp_path)

    assert (got.code, got.error["code"]) == (3, "home-missing")
    with pytest.raises(GenesisError):
        verify(Receipt.parse(data), None, None, NOW_NS)


CLAIMS = {
    "chain_id": "net-2", "network_id": "00" * 32, "genesis_sha256": "00" * 32,
    "simulation": False, "node_id": "11" * 32, "owner": "22" * 20, "height": 1,
    "time": "2026-01-01T00:00:00Z", "tx_hash": "33" * 32, "evidence_sha256": "44" * 32,
    "evidence_kind": "dcap-sgx", "measurement": "55" * 32, "tcb_status": "UpToDate",
    "verdict": "reject",
}  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_is_not_the_proven_one_is_found_out(
    network: NetworkInMemory, bob: NetworkProgram, data: bytes, tmp_path: Path, claim: str
) -> None:
    document = json.loads(data)
    assert document[claim] != CLAIMS[claim]
    document[claim] = CLAIMS[claim]
    genesis = str(bob.home / "config" / "genesis.json")

    got = judge(network, json.dumps(document).encode(), tmp_path, "--genesis", genesis)

    assert (got.code, got.error["code"]) == (5, "untrusted-answer")


def test_every_claim_has_a_test(data: bytes) -> None:
    assert set(json.loads(data)) == {"schema", "kind", "proof", *CLAIMS}


def spoil(data: bytes) -> str:
    """The same with another bit, in base64."""
    return base64.b64encode(bytes([data[0] ^ 1, *data[1:]])).decode()


def spoil_text(place: dict[str, Any], name: str) -> None:
    place[name] = spoil(base64.b64decode(place[name]))


def swap_headers(proof: dict[str, Any]) -> None:
    proof["headers"].reverse()


def drop_the_first_header(proof: dict[str, Any]) -> None:
    del proof["headers"][0]


def drop_the_written_header(proof: dict[str, Any]) -> None:
    del proof["headers"][-2]


def another_app_hash(proof: dict[str, Any]) -> None:
    proof["headers"][-1]["signed_header"]["header"]["app_hash"] = "AB" * 32


def another_data_hash(proof: dict[str, Any]) -> None:
    proof["headers"][-2]["signed_header"]["header"]["data_hash"] = "AB" * 32


def no_signatures(proof: dict[str, Any]) -> None:
    for header in proof["headers"]:
        for place in header["signed_header"]["commit"]["signatures"]:
            place |= {"block_id_flag": 1, "validator_address": "", "signature": None}


def another_validator(proof: dict[str, Any]) -> None:
    (voter,) = proof["headers"][-1]["validators"]["validators"]
    voter["voting_power"] = "7"


def another_record(proof: dict[str, Any]) -> None:
    spoil_text(proof, "record")


def no_record(proof: dict[str, Any]) -> None:
    proof["record"] = ""


def another_transaction(proof: dict[str, Any]) -> None:
    spoil_text(proof, "tx")


def another_place(proof: dict[str, Any]) -> None:
    proof["tx_proof"]["index"] += 1


def another_store(proof: dict[str, Any]) -> None:
    proof["record_proof"]["ops"].reverse()


TAMPERED = (
    swap_headers, drop_the_first_header, drop_the_written_header, another_app_hash,
    another_data_hash, no_signatures, another_validator, another_record, no_record,
    another_transaction, another_place, another_store,
)  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda one: one.__name__)
def test_a_proof_that_was_tampered_with_proves_nothing(
    network: NetworkInMemory,
    bob: NetworkProgram,
    data: bytes,
    tmp_path: Path,
    tamper: Callable[[dict[str, Any]], None],
) -> None:
    document = json.loads(data)
    tamper(document["proof"])
    genesis = str(bob.home / "config" / "genesis.json")

    got = judge(network, json.dumps(document).encode(), tmp_path, "--genesis", genesis)

    assert got.code == 5


def test_the_clock_of_the_reader_refuses_headers_of_the_future(
    data: bytes, genesis: Genesis
) -> None:
    with pytest.raises(UntrustedAnswerError, match="future"):
        verify(Receipt.parse(data), genesis, None, NOW_NS - 3600 * 10**9)


def test_evidence_that_the_readers_policy_refuses_is_no_admission(
    data: bytes, genesis: Genesis
) -> None:
    """As where more than 2/3 of a network admitted somebody against its policy."""
    policy = genesis.document.app_state.policy
    assert policy is not None
    stricter = replace(policy, epid_quote_statuses=())
    state = replace(genesis.document.app_state, policy=stricter)
    document = replace(genesis.document, app_state=state)
    receipt = Receipt.parse(data)
    identity = network_id(document.chain_id, stricter.encode()).hex()
    claimed = replace(receipt, claims=replace(receipt.claims, network_id=identity))

    with pytest.raises(PolicyError) as caught:
        verify(claimed, Genesis(document, genesis.sha256), None, NOW_NS)

    assert exit_code(caught.value) == 6
    assert not isinstance(caught.value, BindingError)


def test_the_bytes_of_a_receipt_are_read_as_they_were_written(data: bytes) -> None:
    receipt = Receipt.parse(data)

    assert receipt.encode() == data
    assert Receipt.parse(receipt.encode()) == receipt


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_not_read(data: bytes, schema: object) -> None:
    document = json.loads(data) | {"schema": schema}

    with pytest.raises(MalformedError, match="schema"):
        Receipt.parse(json.dumps(document).encode())


def test_too_many_headers_are_not_read(data: bytes) -> None:
    document = json.loads(data)
    document["proof"]["headers"] *= MAX_HEADERS

    with pytest.raises(MalformedError, match="headers"):
        Receipt.parse(json.dumps(document).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_receipt_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Receipt.parse(data)


ODD_VALUES = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5)
    | st.lists(st.none() | st.integers(0, 9), max_size=3)
    | st.dictionaries(st.sampled_from(("ops", "total", "index", "aunts")), st.none())
)  # fmt: skip


@given(
    name=st.sampled_from(("headers", "record", "record_proof", "tx", "tx_proof")),
    value=ODD_VALUES,
)
def test_any_value_in_a_proof_gives_an_error_of_ours(
    data: bytes, genesis: Genesis, name: str, value: object
) -> None:
    document = json.loads(data)
    document["proof"][name] = value

    with pytest.raises((EnigmaError, EnclaveError)) as caught:
        verify(Receipt.parse(json.dumps(document).encode()), genesis, None, NOW_NS)

    assert exit_code(caught.value) == 5
