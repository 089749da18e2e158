"""Another policy tried on the nodes of a running chain."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enigmacli.chain.answers import BlockAnswer
from enigmacli.chain.blocks import data_hash
from enigmacli.errors import NotFoundError
from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    NodeInMemory,
)

ASK = ("policy", "what-if", "--policy")


@pytest.fixture(scope="module")
def bob(network: NetworkInMemory) -> NetworkProgram:
    """The operator of one of two registered newcomers."""
    made = network.newcomer("bob")
    for program in (made, network.newcomer("carol")):
        program.ok("tx", "register", "auth", str(program.home / "attestation_cert.der"), "-y")
    return made


@pytest.fixture
def node(network: NetworkInMemory, bob: NetworkProgram) -> NodeInMemory:
    assert bob.home.exists()
    assert network.node is not None
    return network.node


def policy(bob: NetworkProgram, path: Path, **changes: Any) -> str:
    """The network's policy with changes."""
    value = json.loads((bob.home / "config" / "genesis.json").read_text())
    path.write_text(json.dumps(value["app_state"]["register"]["params"] | changes))
    return str(path)


def test_the_networks_own_policy_admits_its_nodes(bob: NetworkProgram, tmp_path: Path) -> None:
    found = bob.ok(*ASK, policy(bob, tmp_path / "same.json"))

    assert [node["role"] for node in found["nodes"]] == ["bootstrap", "registered", "registered"]
    ok = {"admitted": True, "code": "ok", "reason": ""}
    assert all(node["then"] == node["now"] == ok for node in found["nodes"])
    assert all(node["proven"] and node["unjudged"] is None for node in found["nodes"])
    (key,) = bob.ok("keys", "list")["keys"]
    mine = {node["node_id"]: node for node in found["nodes"]}[bob.ok("seed", "status")["node_id"]]
    assert (mine["owner"], mine["evidence_kind"]) == (key["address"], "epid")
    assert mine["height"] > 0
    assert mine["judged_at"].startswith("2026-")


REFUSING: list[tuple[dict[str, Any], str]] = [
    ({"measurements": [{"mr_enclave": "00" * 32}]}, "measurement-not-allowed"),
    ({"evidence_kinds": ["dcap-sgx"]}, "evidence-kind-not-allowed"),
    ({"epid_quote_statuses": []}, "quote-status-not-allowed"),
    ({"trust_roots": ["intel"], "simulation": False}, "ias-certificate-chain"),
]


@pytest.mark.parametrize(("changes", "code"), REFUSING, ids=[code for _, code in REFUSING])
def test_a_node_that_another_policy_refuses_is_named_with_its_rule(
    bob: NetworkProgram, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    file = policy(bob, tmp_path / "other.json", **changes)

    got = bob(*ASK, file, "-o", "json")
    shown = bob(*ASK, file)

    assert (got.code, shown.code) == (6, 6)
    for node in got.document["nodes"]:
        assert (node["then"]["admitted"], node["then"]["code"]) == (False, code)
        assert node["then"]["reason"]
    assert shown.out.count(code) == 2 * len(got.document["nodes"])


def test_what_evidence_binds_is_compared_as_the_network_does(
    bob: NetworkProgram, tmp_path: Path
) -> None:
    file = policy(bob, tmp_path / "other.json", require_owner=False, max_clock_skew_s=31)

    assert all(node["then"]["admitted"] for node in bob.ok(*ASK, file)["nodes"])


def test_evidence_that_has_aged_was_good_then_and_is_not_now(
    bob: NetworkProgram, tmp_path: Path
) -> None:
    file = policy(bob, tmp_path / "same.json")

    found = bob.ok(*ASK, file, "--at", "2027-01-01T00:00:00Z")

    assert found["now"] == "2027-01-01T00:00:00Z"
    assert {node["then"]["code"] for node in found["nodes"]} == {"ok"}
    assert {node["now"]["code"] for node in found["nodes"]} == {"evidence-too-old"}


def test_without_a_home_everything_is_the_nodes_word(
    network: NetworkInMemory, bob: NetworkProgram, tmp_path: Path
) -> None:
    nowhere = NetworkProgram(tmp_path / "none", network)

    found = nowhere.ok(*ASK, policy(bob, tmp_path / "same.json"))

    assert all(node["then"]["admitted"] for node in found["nodes"])
    assert not any(node["proven"] for node in found["nodes"])


def test_a_block_that_the_node_no_longer_holds_leaves_its_node_unjudged(
    bob: NetworkProgram, node: NodeInMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(height: int | None = None) -> BlockAnswer:
        raise NotFoundError(f"height {height} is not available")

    monkeypatch.setattr(node, "block", gone)
    same = policy(bob, tmp_path / "same.json")

    got = bob(*ASK, same, "-o", "json")

    assert got.code == 7
    bootstrap, *registered = got.document["nodes"]
    assert bootstrap["then"]["admitted"]
    for one in registered:
        assert (one["then"], one["now"], one["proven"]) == (None, None, False)
        assert "is not available" in one["unjudged"]
    shown = bob(*ASK, same).out
    assert "not judged" in shown
    assert "is not available" in shown
    refused = policy(bob, tmp_path / "other.json", epid_quote_statuses=[])
    assert bob(*ASK, refused).code == 6, "the bootstrap node is refused all the same"


def test_a_node_that_lies_about_a_block_is_found_out(
    bob: NetworkProgram, node: NodeInMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truthful = node.block

    def lie(height: int | None = None) -> BlockAnswer:
        answer = truthful(height)
        txs = tuple(reversed(answer.block.txs))
        header = replace(answer.block.header, data_hash=data_hash(txs))
        return replace(answer, block=replace(answer.block, txs=txs, header=header))

    monkeypatch.setattr(node, "block", lie)

    got = bob(*ASK, policy(bob, tmp_path / "same.json"), "-o", "json")

    assert (got.code, got.error["code"]) == (5, "untrusted-answer")


def test_a_malformed_policy_is_tried_on_nobody(bob: NetworkProgram, tmp_path: Path) -> None:
    got = bob(*ASK, policy(bob, tmp_path / "bad.json", advisories=7), "-o", "json")

    assert (got.code, got.out, got.error["code"]) == (5, "", "policy-malformed")


def test_a_node_that_does_not_answer_is_said(
    bob: NetworkProgram, node: NodeInMemory, tmp_path: Path
) -> None:
    node.down = True
    got = bob(*ASK, policy(bob, tmp_path / "same.json"), "-o", "json")
    node.down = False

    assert (got.code, got.error["code"]) == (4, "service-unavailable")
