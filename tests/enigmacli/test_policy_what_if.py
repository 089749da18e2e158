import hashlib
from dataclasses import dataclass, replace
from typing import Any

import pytest

from enclave.binding import NO_OWNER, registration_report_data
from enclave.calls import AdmitReply
from enclave.network import network_id
from enigmacli.app.genesis import GenesisDocument
from enigmacli.app.genesis_nodes import GenesisNode
from enigmacli.app.register import make_confirm
from enigmacli.chain.answers import BlockAnswer
from enigmacli.chain.blocks import Block, BlockId, Commit, Header, data_hash
from enigmacli.chain.records import NodeRecord
from enigmacli.errors import GenesisError
from enigmacli.policy_what_if import BOOTSTRAP, REGISTERED, Network, NodeOutcome, what_if
from tests.enigmacli.app.chain import ALICE, BOB, CHAIN_ID, EXCHANGE_PK, Chain, genesis, policy
from tests.negatives import dcap
from tests.simulators.dcap_factory import make
from tests.simulators.dcap_quote_factory import Form
from tests.simulators.light_chain import LightChain


@dataclass
class Node:
    """A node that lists records and holds no block."""

    records: tuple[NodeRecord, ...]

    def nodes(self) -> tuple[NodeRecord, ...]:
        return self.records

    def node(self, node_id: bytes) -> NodeRecord:
        return next(record for record in self.records if record.node_id == node_id)

    def block(self, height: int | None = None) -> Any:
        pytest.fail(f"asked for block {height}")

    def header(self, height: int) -> Any:
        pytest.fail(f"asked for header {height}")


def record_of(node: GenesisNode) -> NodeRecord:
    members = {name: getattr(node, name) for name in type(node).__dataclass_fields__}
    return NodeRecord(**members, epoch=0)


def outcomes(document: GenesisDocument, *records: NodeRecord) -> list[NodeOutcome]:
    node = Node(records)
    network = Network(
        genesis=document, listing=node, records=node, blocks=node, headers=node, proves=True
    )
    return list(what_if(network, policy(), at_us=0))


def test_a_record_that_genesis_carried_over_is_not_judged_and_no_block_is_asked_for() -> None:
    document = genesis({ALICE: 10, BOB: 10})
    (carried,) = document.app_state.registration

    bootstrap, bob = outcomes(document, record_of(carried))

    assert (bootstrap.role, bootstrap.node_id, bootstrap.proven) == (BOOTSTRAP, EXCHANGE_PK, True)
    assert (bob.role, bob.node_id, bob.owner) == (REGISTERED, BOB.node_id, BOB.address)
    assert (bob.then, bob.now, bob.proven) == (None, None, False)
    assert "carried the record over" in bob.unjudged


def test_a_network_that_is_not_bootstrapped_has_no_bootstrap_node() -> None:
    document = genesis()
    state = replace(document.app_state, keys=None)

    assert outcomes(replace(document, app_state=state)) == []


def test_a_network_without_a_policy_has_nothing_to_compare_with() -> None:
    document = genesis()
    state = replace(document.app_state, policy=None)

    with pytest.raises(GenesisError, match="no policy"):
        outcomes(replace(document, app_state=state))


@dataclass
class DcapNode(Node):
    """A node whose only block holds one registration."""

    held: Header
    txs: tuple[bytes, ...]

    def block(self, height: int | None = None) -> BlockAnswer:
        assert height == 1
        return BlockAnswer(BlockId(), Block(self.held, self.txs, Commit()))

    def header(self, height: int) -> Header:
        assert height == 1
        return self.held


def registered_with_a_quote(form: Form) -> tuple[Network, Any]:
    """A network whose one node was admitted with a DCAP quote, and its policy."""
    present = dcap.policy_of(make(form))
    identity = network_id(CHAIN_ID, present.encode())
    bound = registration_report_data(dcap.NODE_ID, identity, NO_OWNER)
    case = dcap.Case(0, "bound", dcap.ACCEPTED, {"body": {"report_data": bound}}, form)
    container = case.container(case.made())
    register = Chain(genesis()).register(BOB, certificate=container)
    reply = AdmitReply(dcap.NODE_ID, bytes(48), 0, "dcap-sgx", bytes(32), "UpToDate")
    txs = (register, make_confirm(register, reply))
    header = LightChain.of({0: 10}).make_block(data_hash=data_hash(txs), time_ns=case.at_us * 1000)
    record = NodeRecord(
        dcap.NODE_ID, hashlib.sha256(container).digest(), bytes(48), NO_OWNER, 1, "dcap-sgx",
        bytes(32), "UpToDate", 0,
    )  # fmt: skip
    node = DcapNode((record,), header.header, txs)
    document = genesis(network_policy=present)
    state = replace(document.app_state, keys=None)
    network = Network(
        genesis=replace(document, app_state=state),
        listing=node, records=node, blocks=node, headers=node, proves=True,
    )  # fmt: skip
    return network, present


@pytest.mark.parametrize("form", dcap.ALL, ids=lambda form: f"version {form.version}")
def test_dcap_evidence_is_judged_by_its_own_rules(form: Form) -> None:
    network, present = registered_with_a_quote(form)
    stricter: dict[str, dict[str, Any]] = {
        dcap.ACCEPTED: {},
        "tcb-evaluation-too-low": {"min_tcb_evaluation_data_number": 10_000},
        "platform-status-not-allowed": {"platform_tcb_statuses": ()},
        "qe-status-not-allowed": {"qe_tcb_statuses": ()},
        "measurement-not-allowed": {"measurements": ()},
        "dcap-root": {"trust_roots": ("intel",), "simulation": False},
    }

    for code, changes in stricter.items():
        (outcome,) = what_if(network, replace(present, **changes), at_us=2**62)
        assert outcome.then is not None
        assert (outcome.then.code, outcome.proven) == (code, True), outcome.then.reason
        assert outcome.now is not None
        assert not outcome.now.admitted
