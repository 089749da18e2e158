"""The methods over a chain in memory, in CometBFT's encoding."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from enigmacli import protobuf
from enigmacli.api import chain_methods, encoding, tx_methods
from enigmacli.api.jsonrpc import Dispatcher, Pace
from enigmacli.api.node_view import NodeIdentity, NodeView
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.answers import (
    BlockAnswer,
    BroadcastAnswer,
    BroadcastCommitAnswer,
    NodeStatus,
    SignedHeader,
    TxAnswer,
    ValidatorsAnswer,
)
from enigmacli.chain.blocks import Header, commit_hash, header_hash, make_block_id
from enigmacli.chain.light import verify_commit
from enigmacli.chain.rpc_json import from_json, to_json
from enigmacli.chain.validators import ValidatorSet
from enigmacli.engine.broadcast import ForwardingBroadcaster, LocalBroadcaster
from enigmacli.errors import ServiceUnavailableError
from tests.enigmacli.engine.chain_kit import Kit, make_genesis, make_key
from tests.vector_files import vector

VECTORS = vector("cometbft_rpc_forms", "answers")["answers"]


@dataclass
class Served:
    """A chain and the dispatcher over it."""

    kit: Kit
    dispatcher: Dispatcher
    bugs: list[Exception]

    def ask(self, method: str, **params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = json.loads(self.dispatcher.answer_body(json.dumps(request).encode()).body)
        assert self.bugs == []
        return answer

    def result(self, method: str, **params: Any) -> Any:
        answer = self.ask(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, **params: Any) -> str:
        error = self.ask(method, **params)["error"]
        assert error["code"] == -32603
        text: str = error["data"]
        return text


def serve(kit: Kit | None = None, broadcaster: Callable[[Kit], Any] | None = None) -> Served:
    kit = kit or Kit()
    kit.start()
    bugs: list[Exception] = []
    view = NodeView(
        identity=NodeIdentity(
            "moniker", "ab" * 20, "tcp://0.0.0.0:26656", "0.38.25", kit.key.public_key
        ),
        chain=kit.chain,
        broadcaster=broadcaster(kit) if broadcaster else LocalBroadcaster(kit.chain, 0),
        catching_up=lambda: False,
        rpc_address=lambda: "tcp://127.0.0.1:1",
    )
    methods = chain_methods.methods(view) | tx_methods.methods(view)
    return Served(kit, Dispatcher(methods, bugs.append), bugs)


def grown() -> Served:
    served = serve()
    served.kit.make()
    served.kit.make(b"x=1", b"fail=1")
    served.kit.make()
    return served


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- encoding, against what CometBFT itself prints -------------------------------------------


def test_consensus_params_are_written_as_cometbft_writes_them() -> None:
    message = protobuf.new(
        "tendermint.types.ConsensusParams",
        block={"max_bytes": 22_020_096, "max_gas": -1},
        evidence={
            "max_age_num_blocks": 100_000,
            "max_age_duration": {"seconds": 172_800},
            "max_bytes": 1_048_576,
        },
        validator={"pub_key_types": ["ed25519"]},
    )

    written = encoding.consensus_params(message)

    assert written == VECTORS["params"]["consensus_params"]


def test_a_transactions_proof_is_written_as_cometbft_writes_it() -> None:
    served = serve()
    served.kit.make()
    served.kit.make(b"a=1", b"b=1", b"c=1")

    proof = served.result("tx", hash=base64_of(hashlib.sha256(b"b=1").digest()), prove=True)[
        "proof"
    ]

    expected = VECTORS["tx_proof"]["proof"]
    assert shape(proof) == shape(expected)
    assert (proof["proof"]["total"], proof["proof"]["index"]) == ("3", "1")


@pytest.mark.parametrize(
    ("method", "vector"),
    [
        ("status", "status"),
        ("net_info", "net_info"),
        ("validators", "validators"),
        ("consensus_params", "params"),
        ("commit", "commit"),
        ("num_unconfirmed_txs", "num_unconfirmed"),
        ("health", "health"),
    ],
)
def test_answers_have_cometbfts_members_and_types(method: str, vector: str) -> None:
    served = grown()

    got, expected = shape(served.result(method)), shape(VECTORS[vector])

    if method == "commit":  # the vector shows an absent vote, and an application version of 0
        places = expected["signed_header"]["commit"]["signatures"]
        expected["signed_header"]["commit"]["signatures"] = places[1:]
    if method == "net_info":
        expected["listeners"] = []
    assert got == expected


def shape(value: Any) -> Any:
    """Members and types, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


# --- the chain ------------------------------------------------------------------------------


def test_status_names_node_chain_and_heights() -> None:
    served = grown()

    status = from_json(NodeStatus, served.result("status"))

    assert (status.network, status.moniker, status.version) == ("kit-1", "moniker", "0.38.25")
    assert (status.earliest_block_height, status.latest_block_height) == (1, 3)
    assert status.latest_block_hash == served.kit.chain.state.block_id.hash
    assert status.voting_power == 10
    assert status.validator_address == served.kit.key.address


def test_status_before_the_first_block_has_empty_hashes() -> None:
    status = serve().result("status")["sync_info"]

    assert status["latest_block_height"] == "0"
    assert status["latest_block_hash"] == ""
    assert status["latest_block_time"] == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("method", ["block", "commit", "header", "block_results"])
def test_before_the_first_block_there_is_nothing_to_show(method: str) -> None:
    assert serve().error(method) == "the chain has no block yet"


def test_genesis_is_the_document_itself() -> None:
    served = serve()

    document = served.result("genesis")["genesis"]

    assert GenesisDocument.from_value(document) == served.kit.genesis


def test_a_block_can_be_rebuilt_from_its_answer() -> None:
    served = grown()

    answer = from_json(BlockAnswer, served.result("block", height="2"))

    assert make_block_id(answer.block) == answer.block_id
    assert answer.block.txs == (b"x=1", b"fail=1")
    assert served.result("block")["block"]["header"]["height"] == "3"


def test_an_empty_block_lists_no_transactions_and_no_evidence() -> None:
    block = grown().result("block", height="1")["block"]

    assert block["data"] == {"txs": []}
    assert block["evidence"] == {"evidence": []}
    assert block["last_commit"]["signatures"] == []


def test_blocks_and_headers_are_found_by_hash() -> None:
    served = grown()
    block_id = served.result("block", height="2")["block_id"]
    block_hash = bytes.fromhex(block_id["hash"])

    assert served.result("block_by_hash", hash=base64_of(block_hash))["block_id"] == block_id
    header = from_json(Header, served.result("header_by_hash", hash=block_hash.hex())["header"])
    assert header_hash(header) == block_hash
    assert served.result("block_by_hash", hash="AAAA") == VECTORS["block_nil"]
    assert served.result("header_by_hash", hash="AAAA") == VECTORS["header_nil"]


def test_the_commit_of_the_newest_block_is_not_canonical() -> None:
    served = grown()
    validators = ValidatorSet(served.kit.chain.state.validators.validators)

    newest = from_json(SignedHeader, served.result("commit"))
    older = from_json(SignedHeader, served.result("commit", height="2"))

    assert (newest.canonical, older.canonical) == (False, True)
    for signed in (newest, older):
        height = signed.header.height
        verify_commit("kit-1", validators, signed.commit.block_id, height, signed.commit)
    third = from_json(BlockAnswer, served.result("block", height="3")).block
    assert commit_hash(older.commit) == third.header.last_commit_hash


def test_block_results_carry_code_gas_and_the_app_hash_in_base64() -> None:
    served = grown()

    results = served.result("block_results", height="2")

    assert [result["code"] for result in results["txs_results"]] == [0, 7]
    assert results["txs_results"][0]["gas_used"] == "10"
    assert base64.b64decode(results["app_hash"]) == served.kit.app.app_hash({"x": "1"})
    assert served.result("block_results", height="1") == VECTORS["block_results_empty"] | {
        "height": "1",
        "app_hash": base64_of(served.kit.app.app_hash({})),
    }


def test_validator_updates_are_in_the_block_results() -> None:
    served = serve()
    served.kit.make()
    newcomer = make_key("b").public_key
    served.kit.make(f"power:{newcomer.hex()}=2".encode())

    updates = served.result("block_results")["validator_updates"]

    assert updates == [
        {
            "pub_key": {
                "Sum": {
                    "type": "tendermint.crypto.PublicKey_Ed25519",
                    "value": {"ed25519": base64_of(newcomer)},
                }
            },
            "power": "2",
        }
    ]


def test_validators_of_the_next_height_are_known() -> None:
    answer = from_json(ValidatorsAnswer, grown().result("validators", height="4"))

    assert (answer.height, answer.count, answer.total) == (4, 1, 1)
    assert answer.validators[0].power == 10


def test_validators_come_in_pages() -> None:
    served = grown()

    assert served.error("validators", page="2") == "page should be within [1, 1] range, given 2"
    assert served.error("validators", page="0") == "page should be within [1, 1] range, given 0"
    assert served.result("validators", page="1", per_page="999")["count"] == "1"


@pytest.mark.parametrize("method", ["block", "commit", "header", "block_results"])
def test_heights_out_of_range_have_cometbfts_texts(method: str) -> None:
    served = grown()

    assert served.error(method, height="4") == (
        "height 4 must be less than or equal to the current blockchain height 3"
    )
    assert served.error(method, height="0") == "height must be greater than 0, but got 0"
    assert served.error(method, height="-1") == "height must be greater than 0, but got -1"


def test_heights_below_the_first_are_not_available() -> None:
    served = serve(Kit(genesis=make_genesis({"a": 10}, initial_height=100)))
    served.kit.make()

    assert served.error("block", height="99") == "height 99 is not available, lowest height is 100"


def test_blockchain_lists_headers_the_highest_first() -> None:
    served = grown()

    listed = served.result("blockchain")

    assert listed["last_height"] == "3"
    assert [meta["header"]["height"] for meta in listed["block_metas"]] == ["3", "2", "1"]
    assert [meta["num_txs"] for meta in listed["block_metas"]] == ["0", "2", "0"]
    limited = served.result("blockchain", minHeight="2", maxHeight="2")["block_metas"]
    assert len(limited) == 1
    assert served.error("blockchain", minHeight="3", maxHeight="2") == (
        "min height 3 can't be greater than max height 2"
    )
    assert served.error("blockchain", minHeight="-1") == "heights must be non-negative"


def test_blockchain_lists_twenty_at_most() -> None:
    served = serve()
    for _ in range(25):
        served.kit.make()

    heights = [meta["header"]["height"] for meta in served.result("blockchain")["block_metas"]]

    assert heights == [str(height) for height in range(25, 5, -1)]


# --- transactions ---------------------------------------------------------------------------


def test_a_committed_transaction_is_shown_with_its_result() -> None:
    served = grown()

    answer = from_json(
        TxAnswer, served.result("tx", hash=base64_of(hashlib.sha256(b"fail=1").digest()))
    )

    assert (answer.height, answer.index, answer.result.code, answer.tx) == (2, 1, 7, b"fail=1")


def test_an_unknown_transaction_has_cometbfts_text() -> None:
    assert grown().error("tx", hash=base64_of(b"\xab\xcd")) == "tx (ABCD) not found"


def test_broadcast_sync_answers_with_the_check() -> None:
    served = grown()

    good = from_json(BroadcastAnswer, served.result("broadcast_tx_sync", tx=base64_of(b"y=1")))
    bad = from_json(BroadcastAnswer, served.result("broadcast_tx_sync", tx=base64_of(b"y")))

    assert (good.code, good.hash) == (0, hashlib.sha256(b"y=1").digest())
    assert (bad.code, bad.log, bad.codespace) == (3, "no =", "test")
    assert served.error("broadcast_tx_sync", tx=base64_of(b"y=1")) == "tx already exists in cache"


def test_broadcast_async_says_nothing_of_the_check() -> None:
    answer = grown().result("broadcast_tx_async", tx=base64_of(b"y"))

    assert from_json(BroadcastAnswer, answer).code == 0


def test_broadcast_commit_of_a_bad_transaction_has_an_empty_result() -> None:
    answer = grown().result("broadcast_tx_commit", tx=base64_of(b"y"))

    assert answer["check_tx"]["code"] == 3
    assert answer["tx_result"] == VECTORS["broadcast_commit"]["tx_result"]
    assert answer["height"] == "0"


def test_broadcast_commit_waits_for_the_block() -> None:
    served = serve(broadcaster=lambda kit: LocalBroadcaster(kit.chain, 10))
    served.kit.make()
    answers: list[Any] = []
    thread = threading.Thread(
        target=lambda: answers.append(served.result("broadcast_tx_commit", tx=base64_of(b"y=1")))
    )
    thread.start()
    assert served.kit.chain.mempool.arrived.wait(10)
    served.kit.make()
    thread.join(10)

    answer = from_json(BroadcastCommitAnswer, answers[0])
    assert (answer.height, answer.tx_result.code) == (2, 0)


def test_broadcast_commit_times_out_with_cometbfts_text() -> None:
    served = grown()

    assert served.error("broadcast_tx_commit", tx=base64_of(b"y=1")) == (
        "timed out waiting for tx to be included in a block"
    )
    assert served.error("broadcast_tx_commit", tx=base64_of(b"y=1")) == (
        "error on broadcastTxCommit: tx already exists in cache"
    )


def test_methods_that_check_or_wait_say_so() -> None:
    dispatcher = serve().dispatcher

    slow = {name: dispatcher.pace([name]) for name in dispatcher.names if dispatcher.pace([name])}

    assert slow == {
        "broadcast_tx_async": Pace.CHECK,
        "broadcast_tx_commit": Pace.WAIT,
        "broadcast_tx_sync": Pace.CHECK,
        "check_tx": Pace.CHECK,
    }


def test_waiting_transactions_are_listed() -> None:
    served = grown()
    served.kit.send(b"y=1", b"z=1")

    listed = served.result("unconfirmed_txs", limit="1")

    assert listed == {"n_txs": "1", "total": "2", "total_bytes": "6", "txs": ["eT0x"]}
    assert served.result("num_unconfirmed_txs")["total"] == "2"


def test_check_tx_does_not_queue() -> None:
    served = grown()

    assert served.result("check_tx", tx=base64_of(b"y=1"))["code"] == 0
    assert served.kit.chain.mempool.size == 0


def test_a_follower_hands_transactions_on() -> None:
    sent: list[tuple[str, bytes]] = []

    class Remote:
        """A followed node that answers once, then is gone."""

        def broadcast(self, method: str, tx: bytes) -> Any:
            if sent:
                raise ServiceUnavailableError("gone")
            sent.append((method, tx))
            return {"code": 0}

    remote: Any = Remote()
    served = serve(broadcaster=lambda _: ForwardingBroadcaster(remote))

    assert served.result("broadcast_tx_sync", tx=base64_of(b"y=1")) == {"code": 0}
    assert sent == [("broadcast_tx_sync", b"y=1")]
    assert served.error("broadcast_tx_commit", tx=base64_of(b"y=1")) == "gone"
    assert served.kit.chain.mempool.size == 0


# --- the application ------------------------------------------------------------------------


def test_queries_reach_the_application() -> None:
    response = grown().result("abci_query", path="/key", data=b"x".hex())["response"]

    assert base64.b64decode(response["value"]) == b"1"
    assert response["height"] == "3"
    assert shape(response) == shape(
        VECTORS["abci_query_empty"]["response"] | {"key": "", "value": ""}
    )


def test_a_query_with_a_proof_is_written_as_cometbft_writes_it() -> None:
    proof_op = {"type": "simple:v", "key": b"\x01", "data": b"\x02"}
    message = protobuf.new(
        "tendermint.abci.ResponseQuery",
        log="l", info="i", index=2, key=b"\x01", value=b"\x02", height=8, codespace="c",
        proof_ops={"ops": [proof_op, {}]},
    )  # fmt: skip

    written = to_json(encoding.read_query_response(message))

    assert written == VECTORS["abci_query"]


def test_abci_info_names_height_and_hash() -> None:
    served = grown()

    info = served.result("abci_info")["response"]

    assert info["last_block_height"] == "3"
    assert base64.b64decode(info["last_block_app_hash"]) == served.kit.app.app_hash({"x": "1"})
    assert serve().result("abci_info") == VECTORS["abci_info_empty"]


def test_a_block_that_is_saved_and_not_committed_is_not_shown() -> None:
    served = grown()
    served.kit.send(b"y=1")
    served.kit.app.crash_before = "commit"
    with pytest.raises(Exception, match="commit"):
        served.kit.producer.make_block()

    assert served.kit.store.height == 4
    assert served.result("status")["sync_info"]["latest_block_height"] == "3"
    assert "must be less than" in served.error("block", height="4")
    assert "not found" in served.error("tx", hash=base64_of(hashlib.sha256(b"y=1").digest()))
