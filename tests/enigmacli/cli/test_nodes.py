from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    NodeInMemory,
)


@pytest.fixture(scope="module")
def empty(network: NetworkInMemory) -> str:
    """What is shown before anybody has registered."""
    return network.first("nodes").out


@pytest.fixture(scope="module")
def bob(network: NetworkInMemory, empty: str) -> NetworkProgram:
    """A registered newcomer."""
    assert empty
    made = network.newcomer("bob")
    made.ok("tx", "register", "auth", str(made.home / "attestation_cert.der"), "-y")
    return made


@pytest.fixture
def node(network: NetworkInMemory) -> Iterator[NodeInMemory]:
    """The network's node, whose moods last for one test."""
    assert network.node is not None
    yield network.node
    network.node.calm_down()


def test_before_anybody_registers_the_bootstrap_node_votes_alone(empty: str) -> None:
    assert empty.splitlines() == [
        "no node is registered",
        "0 nodes, 1 validators, 1 of them not registered: the bootstrap node",
    ]


def test_the_document_holds_all_of_each_record(bob: NetworkProgram) -> None:
    document = bob.ok("nodes")

    (found,) = document["nodes"]
    node_id = bob.ok("enclave", "status")["node_id"]
    assert found["node_id"] == node_id
    listed = bob.ok("query", "register", "nodes")["nodes"]
    assert [found | one for one in listed] == document["nodes"]
    assert (found["power"], found["verified"]) == (0, None)
    assert list(document["block_times"]) == [str(found["height"])]
    (voter,) = document["validators"]
    assert voter["power"] == 10
    assert voter["node_id"] != node_id


def test_a_proof_names_the_header_of_each_record(bob: NetworkProgram) -> None:
    (found,) = bob.ok("nodes", "--prove")["nodes"]
    text = bob("nodes", "--prove").out

    assert found["verified"]["height"] > found["height"]
    assert "every record is proven by a header" in text


def test_a_list_is_told_to_be_the_node_s_word(bob: NetworkProgram) -> None:
    assert "all of it is told by the node asked" in bob("nodes").out


def test_a_record_that_cannot_be_proven_is_refused(bob: NetworkProgram, node: NodeInMemory) -> None:
    node.lie = lambda answer: (
        replace(answer, value=answer.value[:-1] + b"\x07") if answer.proof else answer
    )

    got = bob("nodes", "--prove", "-o", "json")

    assert (got.code, got.error["code"]) == (5, "untrusted-answer")


def test_a_node_of_another_network_is_not_believed(bob: NetworkProgram, node: NodeInMemory) -> None:
    node.of_chain = "net-2"

    assert bob("nodes").code == 3


def test_the_table_fits_80_columns(bob: NetworkProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    out = bob("nodes").out

    assert max(map(len, out.splitlines())) <= 80
    (heading,) = [line for line in out.splitlines() if line.startswith("height")]
    assert heading.split() == ["height", "node", "owner", "evidence", "tcb", "status", "epoch",
                               "votes"]  # fmt: skip


@pytest.mark.parametrize("width", [40, 50, 60, 70])
def test_a_narrow_terminal_gets_fewer_columns(
    bob: NetworkProgram, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    out = bob("nodes").out

    table = [line for line in out.splitlines() if " ok" in line.lower() or "height  node" in line]
    assert table
    assert max(map(len, table)) <= width


def test_plain_mode_draws_nothing_and_shortens_nothing(bob: NetworkProgram) -> None:
    out = bob("nodes", "--plain").out

    assert out.isascii()
    assert "admissions by height" not in out
    assert f"node: {bob.ok('enclave', 'status')['node_id']}" in out
