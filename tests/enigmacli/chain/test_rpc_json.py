"""CometBFT's RPC encoding: its own answers both ways, and hostile ones."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain.answers import (
    AbciInfo,
    BlockAnswer,
    BlockResults,
    BroadcastAnswer,
    BroadcastCommitAnswer,
    NodeStatus,
    QueryAnswer,
    SignedHeader,
    TxAnswer,
    ValidatorsAnswer,
    ValidatorUpdate,
)
from enigmacli.chain.blocks import Commit, Header
from enigmacli.chain.rpc_json import CODECS, from_json, to_json
from enigmacli.errors import MalformedError
from tests.vector_files import vector, vectors

ANSWERS: dict[str, type] = {
    "status": NodeStatus,
    "commit": SignedHeader,
    "tx": TxAnswer,
    "broadcast_tx_sync": BroadcastAnswer,
    "broadcast_tx_commit": BroadcastCommitAnswer,
    "abci_query": QueryAnswer,
    "abci_info": AbciInfo,
}


@pytest.mark.parametrize(
    "known",
    [one for one in vectors("cometbft_rpc") if one.values[0]["method"] in ANSWERS],
)
def test_answers_are_read_and_written_as_cometbft_does(known: dict[str, Any]) -> None:
    answer: object = from_json(ANSWERS[known["method"]], known["result"])

    assert to_json(answer) == known["result"]


@pytest.mark.parametrize(
    ("family", "cls"),
    [("cometbft_header", Header), ("cometbft_commit", Commit), ("cometbft_results", BlockResults)],
)
def test_parts_of_the_chain_are_written_as_cometbft_does(family: str, cls: type) -> None:
    for known in vectors(family):
        document = known.values[0]["json"]
        assert to_json(from_json(cls, document)) == document


@pytest.mark.parametrize("name", ["block_1", "block_2", "block_3"])
def test_blocks_are_written_as_cometbft_does(name: str) -> None:
    document = vector("cometbft_block", name)["json"]

    assert to_json(from_json(BlockAnswer, document)) == document


@pytest.mark.parametrize("known", vectors("cometbft_validators"))
def test_validators_are_written_as_cometbft_does_but_for_their_turn(known: dict[str, Any]) -> None:
    expected = copy.deepcopy(known["json"])
    for one in expected["validators"]:
        one["proposer_priority"] = "0"

    assert to_json(from_json(ValidatorsAnswer, known["json"])) == expected


@pytest.mark.parametrize("known", vectors("cometbft_proof"))
def test_answers_with_proofs_are_written_as_cometbft_does(known: dict[str, Any]) -> None:
    assert to_json(from_json(QueryAnswer, known["answer"])) == known["answer"]


def test_a_removed_validator_has_no_power_in_the_answer() -> None:
    results = BlockResults(1, (), (), (ValidatorUpdate(bytes(32), 0),), b"")

    assert from_json(BlockResults, to_json(results)) == results


# --- hostile answers: one change each ----------------------------------------------------------

COMMIT = vector("cometbft_rpc", "commit")["result"]
BLOCK = vector("cometbft_block", "block_2")["json"]
VALIDATORS = vector("cometbft_validators", "set_0")["json"]


def _changed(document: Any, path: str, value: Any) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("signed_header", None, "is not an object"),
        ("signed_header", [], "is not an object"),
        ("signed_header.header", ..., "has no signed_header.header"),
        ("signed_header.header.height", 1, "not an integer in a string"),
        ("signed_header.header.height", "01", "not an integer in a string"),
        ("signed_header.header.height", "1.0", "not an integer in a string"),
        ("signed_header.header.height", " 1", "not an integer in a string"),
        ("signed_header.header.height", "٣", "not an integer in a string"),
        ("signed_header.header.height", str(2**63), "out of range"),
        ("signed_header.header.height", "9" * 5000, "out of range"),
        ("signed_header.header.height", ..., "has no height"),
        ("signed_header.header.version.app", "-1", "out of range"),
        ("signed_header.header.chain_id", 5, "is not a string"),
        ("signed_header.header.time", "yesterday", "RFC 3339"),
        ("signed_header.header.time", None, "is not a string"),
        ("signed_header.header.app_hash", "XY", "is not hex"),
        ("signed_header.header.app_hash", "ABC", "is not hex"),
        ("signed_header.header.proposer_address", "AB", "is not 20 bytes"),
        ("signed_header.header.last_block_id.parts.total", "1", "is not a number"),
        ("signed_header.header.last_block_id.parts.total", True, "is not a number"),
        ("signed_header.header.last_block_id.parts.total", 1.0, "is not a number"),
        ("signed_header.header.last_block_id.parts.total", -1, "out of range"),
        ("signed_header.commit.signatures", {}, "is not a list"),
        ("signed_header.commit.signatures.0", None, "is not an object"),
        ("signed_header.commit.signatures.0.block_id_flag", 9, "unknown block id flag"),
        ("signed_header.commit.signatures.0.signature", "!", "is not base64"),
        ("signed_header.commit.signatures.0.signature", "AA", "is not base64"),
        ("canonical", "yes", "neither true nor false"),
    ],
)
def test_a_hostile_commit_is_malformed(path: str, value: Any, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        from_json(SignedHeader, _changed(COMMIT, path, value))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("block.evidence.evidence", [{}], "is not supported"),
        ("block.data.txs", ["!"], "is not base64"),
        ("block.data.txs", "AA==", "is not a list"),
        ("block.last_commit", None, "is not an object"),
    ],
)
def test_a_hostile_block_is_malformed(path: str, value: Any, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        from_json(BlockAnswer, _changed(BLOCK, path, value))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("validators.0.address", "00" * 20, "not that of its key"),
        ("validators.0.pub_key.type", "tendermint/PubKeySecp256k1", "is not supported"),
        ("validators.0.pub_key.value", "AAAA", "is not 32 bytes"),
        ("validators.0.voting_power", "0", "out of range"),
        ("validators.0.voting_power", "-5", "out of range"),
    ],
)
def test_a_hostile_validator_is_malformed(path: str, value: Any, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        from_json(ValidatorsAnswer, _changed(VALIDATORS, path, value))


def test_null_lists_of_go_are_empty() -> None:
    answer = from_json(BlockAnswer, _changed(BLOCK, "block.data.txs", None))

    assert answer.block.txs == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["response", "code", "height", "hash", "proofOps", "ops", "block", "header"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(CODECS, key=lambda cls: cls.__name__)), json_values)
def test_any_json_is_an_answer_or_malformed(cls: type, value: Any) -> None:
    try:
        answer: object = from_json(cls, value)
    except MalformedError:
        return
    assert isinstance(answer, cls)
