"""Methods on transactions and on the application."""

import base64
import hashlib
import threading
from typing import Any

import pytest

from enigmacli import protobuf
from enigmacli.api import encoding
from enigmacli.api.jsonrpc import Pace
from enigmacli.chain.answers import (
    BroadcastAnswer,
    BroadcastCommitAnswer,
    TxAnswer,
)
from enigmacli.chain.rpc_json import from_json, to_json
from enigmacli.engine.broadcast import ForwardingBroadcaster, LocalBroadcaster
from enigmacli.errors import ServiceUnavailableError
from tests.enigmacli.api.served import VECTORS, base64_of, grown, serve, shape


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
        "block_search": Pace.SEARCH,
        "broadcast_tx_async": Pace.CHECK,
        "broadcast_tx_commit": Pace.WAIT,
        "broadcast_tx_sync": Pace.CHECK,
        "check_tx": Pace.CHECK,
        "tx_search": Pace.SEARCH,
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
