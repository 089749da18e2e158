from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
    NodeInMemory,
)


@pytest.fixture
def node(network: NetworkInMemory) -> Iterator[NodeInMemory]:
    """The network's node, whose moods last for one test."""
    assert network.first
    assert network.node is not None
    yield network.node
    network.node.calm_down()


@pytest.fixture(scope="module")
def bob(network: NetworkInMemory) -> NetworkProgram:
    """A registered newcomer."""
    made = network.newcomer("bob")
    made.ok("tx", "register", "auth", str(made.home / "attestation_cert.der"), "-y")
    return made


def test_a_registration_is_proven_by_a_header_that_is_named(
    bob: NetworkProgram, node: NodeInMemory
) -> None:
    shown = bob.ok("status")
    text = bob("status").out

    assert (shown["state"], shown["registered"]) == ("registered", True)
    header = shown["verified"]
    assert header["header_hash"]
    assert f"yes, proven by header {header['height']}" in text
    assert header["height"] <= node.headers.height
    assert "node says" in text


def test_that_a_home_is_not_registered_is_the_node_s_word(network: NetworkInMemory) -> None:
    carol = network.newcomer("carol")

    shown = carol.ok("status")

    assert (shown["state"], shown["registered"], shown["verified"]) == ("attested", False, None)
    assert "no, as the node says" in carol("status").out


def test_a_node_that_lies_about_the_registration_is_named(
    bob: NetworkProgram, node: NodeInMemory
) -> None:
    node.lie = lambda answer: replace(answer, value=answer.value[:-1] + b"\x07")

    got = bob("status", "-o", "json")

    assert (got.code, got.error["code"]) == (5, "untrusted-answer")


def test_a_node_of_another_network_is_not_asked_for_the_registration(
    bob: NetworkProgram, node: NodeInMemory
) -> None:
    node.of_chain = "net-2"

    shown = bob.ok("status")

    assert shown["node"]["same_network"] is False
    assert (shown["registered"], shown["verified"]) == (None, None)


def test_a_node_that_is_down_is_no_failure_unless_it_is_required(
    bob: NetworkProgram, node: NodeInMemory
) -> None:
    node.down = True

    shown = bob.ok("status")
    required = bob("status", "--require", "node", "-o", "json")

    assert (shown["node"], shown["state"]) == (None, "sent")
    assert (required.code, required.error["code"]) == (4, "service-unavailable")
