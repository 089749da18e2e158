"""The headers of a receipt where validators changed between genesis and the registration."""

import hashlib
from dataclasses import dataclass, replace

import coincurve
import pytest

from enigmacli import protobuf
from enigmacli.app.genesis import new_genesis
from enigmacli.chain import merkle, signing
from enigmacli.chain.address import address_of
from enigmacli.chain.answers import BlockAnswer, QueryAnswer
from enigmacli.chain.blocks import Block, Commit, data_hash
from enigmacli.chain.light_client import GenesisRoot, LightClient
from enigmacli.chain.messages import Coin, ConfirmNode, RaAuthenticate
from enigmacli.chain.records import node_key
from enigmacli.chain.trust_store import TrustStore
from enigmacli.chain.tx import encode_confirm, tx_hash
from enigmacli.errors import (
    NotFoundError,
    NotRegisteredError,
    TrustExpiredError,
    UntrustedAnswerError,
)
from enigmacli.receipt.collection import collect
from enigmacli.receipt.document import MAX_HEADERS, Receipt
from enigmacli.receipt.verification import Genesis, TrustedHeader, verify
from tests.enigmacli.app.chain import policy
from tests.simulators.light_chain import CHAIN_ID, LightChain, Powers
from tests.simulators.registering_chain import SimulatedClock

NODE_ID = b"\x07" * 32
KEY = coincurve.PrivateKey(b"\x01" * 32)
SENDER = address_of(KEY.public_key.format())
EVIDENCE = b"evidence, which nobody judges here"
TX = signing.build_and_sign(
    RaAuthenticate(SENDER, EVIDENCE),
    sign=lambda message: signing.sign(KEY, message),
    public_key=KEY.public_key.format(),
    chain_id=CHAIN_ID,
    account_number=1,
    sequence=0,
    gas_limit=400_000,
    fee=(Coin("uscrt", 1000),),
)
CONFIRM = encode_confirm(
    ConfirmNode(tx_hash(TX), NODE_ID, b"s" * 48, 0, "epid", b"m" * 32, "OK")
)  # fmt: skip
GENESIS = Genesis(new_genesis(CHAIN_ID, 0).with_policy(policy()), "00" * 32)
NOW_NS = 2**61


class Clock(SimulatedClock):
    def now_ns(self) -> int:
        return NOW_NS


@dataclass
class Node:
    """A chain of headers, at whose end a block registers the node."""

    chain: LightChain
    registers: bool = True
    prunes: bool = False

    def __post_init__(self) -> None:
        self.txs = (b"another", TX, CONFIRM)
        height = self.chain.height + 1
        value = protobuf.new(
            "enigma.registration.v1.NodeRecord",
            evidence_sha256=hashlib.sha256(EVIDENCE).digest(), encrypted_seed=b"s" * 48,
            owner=SENDER, height=height, evidence_kind="epid", measurement=b"m" * 32,
            tcb_status="OK", epoch=0,
        ).SerializeToString()  # fmt: skip
        key = node_key(NODE_ID)
        leaf = merkle.map_leaf(key, value)
        store = merkle.root([leaf])
        outer = merkle.map_leaf(b"register", store)
        ops = (
            merkle.value_op(key, merkle.prove([leaf], 0)),
            merkle.value_op(b"register", merkle.prove([outer], 0)),
        )
        self.answer = QueryAnswer(key=key, value=value, proof=ops, height=height)
        self.chain.make_block(data_hash=data_hash(self.txs))
        self.chain.make_block(merkle.root([outer]))

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        assert (path, data, height, prove) == ("/store/register/key", node_key(NODE_ID), 0, True)
        return self.answer if self.registers else QueryAnswer(key=data, height=self.chain.height)

    def block(self, height: int | None = None) -> BlockAnswer:
        if self.prunes:
            raise NotFoundError("height is not available")
        signed = self.chain.commit(height)
        return BlockAnswer(signed.commit.block_id, Block(signed.header, self.txs, Commit()))


def collected(node: Node) -> Receipt:
    chain = node.chain
    root = GenesisRoot(1, chain.start_ns, chain.first)
    store = TrustStore(None, CHAIN_ID, "", lambda _: None)
    light = LightClient(
        CHAIN_ID, chain, root, store, Clock(), trusting_period_ns=None, timeout_s=1.0
    )
    return collect(node, light, GENESIS, NODE_ID)


def changing(*sets: Powers) -> LightChain:
    """A chain of one validator, with three blocks of each further set."""
    chain = LightChain.of({1: 10}, blocks=1)
    for powers in sets:
        chain.make_block(then=powers)
        chain.grow(2)
    return chain


def check(receipt: Receipt) -> list[int]:
    """Verify from the first header on; the heights of all."""
    first = receipt.headers[0]
    found = verify(
        Receipt.parse(receipt.encode()), None, TrustedHeader(1, first.hash), NOW_NS
    )  # fmt: skip
    assert found.record.node_id == NODE_ID
    return [one.height for one in receipt.headers]


def test_one_step_leads_over_where_the_old_validators_signed_too() -> None:
    node = Node(changing({1: 10, 2: 10}, {1: 10, 2: 10, 3: 10}))

    assert check(collected(node)) == [1, 8, 9]


def test_headers_in_between_lead_over_where_they_did_not() -> None:
    node = Node(changing({1: 1, 2: 9}, {2: 1, 3: 9}, {3: 1, 4: 9}))

    heights = check(collected(node))

    assert heights[0] == 1
    assert heights[-2:] == [11, 12]
    assert 3 < len(heights) <= 12


def test_a_way_that_is_too_long_wants_a_nearer_anchor() -> None:
    sets = [{number: 1, number + 1: 9} for number in range(1, MAX_HEADERS + 20)]
    node = Node(changing(*sets))

    with pytest.raises(TrustExpiredError, match="headers lead") as caught:
        collected(node)

    assert "--trust-height" in caught.value.hint


def test_a_node_that_is_not_registered_has_no_receipt() -> None:
    with pytest.raises(NotRegisteredError):
        collected(Node(changing(), registers=False))


def test_a_block_that_was_pruned_gives_no_receipt() -> None:
    with pytest.raises(NotFoundError):
        collected(Node(changing(), prunes=True))


def test_a_block_without_the_transaction_gives_no_receipt() -> None:
    node = Node(changing())
    node.txs = (b"another", CONFIRM, TX)

    with pytest.raises(NotFoundError, match="does not hold the transaction"):
        collected(node)


def test_a_header_that_was_left_out_breaks_the_chain() -> None:
    receipt = collected(Node(changing({1: 1, 2: 9}, {2: 1, 3: 9}, {3: 1, 4: 9})))
    torn = replace(receipt, headers=(receipt.headers[0], *receipt.headers[-2:]))
    anchor = TrustedHeader(1, receipt.headers[0].hash)

    with pytest.raises(UntrustedAnswerError, match="trusted power"):
        verify(torn, None, anchor, NOW_NS)
