"""The methods over a chain in memory, in CometBFT's encoding."""

import base64
import hashlib

import pytest

from enigmacli import protobuf
from enigmacli.api import encoding
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.answers import (
    BlockAnswer,
    NodeStatus,
    SignedHeader,
    ValidatorsAnswer,
)
from enigmacli.chain.blocks import Header, commit_hash, header_hash, make_block_id
from enigmacli.chain.light import verify_commit
from enigmacli.chain.rpc_json import from_json
from enigmacli.chain.validators import ValidatorSet
from tests.enigmacli.api.served import VECTORS, base64_of, grown, serve, shape
from tests.enigmacli.engine.chain_kit import Kit, make_genesis, make_key

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
