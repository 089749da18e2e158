from dataclasses import dataclass, replace

import pytest

from enigmacli.chain.answers import BlockAnswer
from enigmacli.chain.blocks import Block, BlockId, Commit, Header, data_hash
from enigmacli.chain.records import NodeRecord, node_key
from enigmacli.errors import NotFoundError, UntrustedAnswerError
from enigmacli.registered_evidence import RegisteredEvidence, find_evidence
from tests.enigmacli.app.chain import ALICE, BOB, CAROL, GENESIS_US, Chain
from tests.enigmacli.app.simulated_enclave import evidence
from tests.simulators.light_chain import LightChain


@dataclass
class Held:
    """One block, and what is known of its header."""

    header: Header
    txs: tuple[bytes, ...]
    verified: Header | None

    def block(self, height: int | None = None) -> BlockAnswer:
        assert height == self.header.height
        return BlockAnswer(BlockId(), Block(self.header, self.txs, Commit()))

    def find(self, record: NodeRecord) -> RegisteredEvidence:
        held = self

        class Headers:
            def header(self, height: int) -> Header | None:
                assert height == held.header.height
                return held.verified

        return find_evidence(record, self, Headers())


@dataclass
class Story:
    """Bob and Carol register in the block of height 1, among transfers."""

    held: Held
    bob: NodeRecord
    carol: NodeRecord


@pytest.fixture
def story() -> Story:
    chain = Chain().start()
    chain.produce(
        [chain.send(ALICE, BOB), chain.register(CAROL), chain.register(BOB), b"no transaction"]
    )
    (_, _, txs) = chain.blocks[0]
    headers = LightChain.of({0: 10})
    header = headers.make_block(data_hash=data_hash(txs), time_ns=GENESIS_US * 1000).header
    records = []
    for person in (BOB, CAROL):
        stored = chain.query("/store/register/key", node_key(person.node_id)).value
        records.append(NodeRecord.parse(person.node_id, stored))
    return Story(Held(header, txs, header), *records)


def test_the_evidence_sender_and_time_of_a_registration_are_found(story: Story) -> None:
    for person, record in ((BOB, story.bob), (CAROL, story.carol)):
        found = story.held.find(record)

        assert found.certificate == evidence(person.node_id, person.address)
        assert found.sender == person.address
        assert found.at_us == GENESIS_US
        assert found.proven


def test_without_a_verified_header_nothing_is_proven(story: Story) -> None:
    story.held.verified = None

    assert not story.held.find(story.bob).proven


def test_a_block_with_other_transactions_than_its_header_says_is_a_lie(story: Story) -> None:
    story.held.txs = story.held.txs[1:]

    with pytest.raises(UntrustedAnswerError, match="other transactions"):
        story.held.find(story.bob)


def test_a_block_that_is_not_the_chains_is_a_lie(story: Story) -> None:
    story.held.verified = replace(story.held.header, time_ns=story.held.header.time_ns + 1)

    with pytest.raises(UntrustedAnswerError, match="another header"):
        story.held.find(story.bob)


def test_other_evidence_than_the_record_names_is_not_taken(story: Story) -> None:
    other = replace(story.bob, evidence_sha256=bytes(32))

    with pytest.raises(NotFoundError, match="does not hold the evidence"):
        story.held.find(other)


def test_the_evidence_of_another_node_is_not_taken(story: Story) -> None:
    mixed = replace(story.bob, evidence_sha256=story.carol.evidence_sha256)

    with pytest.raises(NotFoundError):
        story.held.find(mixed)


def test_a_register_without_its_confirm_is_not_taken(story: Story) -> None:
    held = story.held
    held.txs = held.txs[:-1]  # Bob's confirm is the last
    held.header = replace(held.header, data_hash=data_hash(held.txs))
    held.verified = held.header

    with pytest.raises(NotFoundError):
        held.find(story.bob)
