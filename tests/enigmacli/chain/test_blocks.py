"""Blocks, headers, commits, votes: every byte and hash as CometBFT makes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli import protobuf
from enigmacli.chain import blocks
from enigmacli.chain.answers import BlockAnswer, BlockResults
from enigmacli.chain.block_time import ZERO_TIME_NS
from enigmacli.chain.blocks import Block, BlockFlag, BlockId, Commit, CommitSig, Header
from enigmacli.chain.results import TxResult, results_hash
from enigmacli.chain.rpc_json import from_json
from enigmacli.errors import MalformedError
from tests.vector_files import vector, vectors


@pytest.mark.parametrize("known", vectors("cometbft_header"))
def test_headers_have_cometbfts_bytes_and_hash(known: dict[str, Any]) -> None:
    header = from_json(Header, known["json"])

    assert header.message().SerializeToString().hex() == known["proto"]
    assert blocks.header_hash(header).hex() == known["hash"]
    assert Header.of(header.message()) == header


@pytest.mark.parametrize("known", vectors("cometbft_commit"))
def test_commits_have_cometbfts_bytes_hash_and_sign_bytes(known: dict[str, Any]) -> None:
    commit = from_json(Commit, known["json"])

    assert commit.encode().hex() == known["proto"]
    assert blocks.commit_hash(commit).hex() == known["hash"]
    assert Commit.parse(commit.encode()) == commit
    for index, expected in enumerate(known["sign_bytes"]):
        if expected:  # an absent validator signed nothing
            text = blocks.vote_sign_bytes(known["chain_id"], commit, index)
            assert text.hex() == expected


@pytest.mark.parametrize("known", vectors("cometbft_block"))
def test_blocks_have_cometbfts_bytes_and_id(known: dict[str, Any]) -> None:
    answer = from_json(BlockAnswer, known["json"])
    encoded = blocks.encode_block(answer.block)

    assert blocks.make_block_id(answer.block) == answer.block_id
    assert blocks.data_hash(answer.block.txs).hex() == known["data_hash"]
    assert blocks.commit_hash(answer.block.last_commit).hex() == known["last_commit_hash"]
    assert known["evidence_hash"] == blocks.EMPTY_HASH.hex()
    assert Block.parse(encoded) == answer.block
    if known["proto"]:  # left out of the large one
        assert encoded.hex() == known["proto"]


def test_a_block_is_cut_into_parts() -> None:
    answer = from_json(BlockAnswer, vector("cometbft_block", "block_3")["json"])

    assert answer.block_id.parts_total == 2


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (65_536, 1), (65_537, 2), (131_073, 3)])
def test_parts_hold_64_kib(size: int, parts: int) -> None:
    assert blocks.part_set_header(bytes(size))[0] == parts


@pytest.mark.parametrize("known", vectors("cometbft_params"))
def test_the_consensus_hash_is_cometbfts(known: dict[str, Any]) -> None:
    assert blocks.consensus_hash(known["max_bytes"], known["max_gas"]).hex() == known["hash"]


@pytest.mark.parametrize("known", vectors("cometbft_results"))
def test_the_results_hash_is_cometbfts(known: dict[str, Any]) -> None:
    messages = [
        protobuf.parse("tendermint.abci.ExecTxResult", bytes.fromhex(one)) for one in known["proto"]
    ]
    results = from_json(BlockResults, known["json"]).tx_results

    assert results_hash(messages).hex() == known["hash"]
    assert results_hash(results).hex() == known["hash"]
    assert tuple(TxResult.of(message) for message in messages) == results


def test_logs_and_events_do_not_enter_the_results_hash() -> None:
    assert results_hash([TxResult(code=1, log="a")]) == results_hash([TxResult(code=1, log="b")])
    assert results_hash([TxResult(code=1)]) != results_hash([TxResult(code=2)])


def test_a_vote_for_no_block_names_none() -> None:
    block_id = BlockId(b"\x01" * 32, 1, b"\x02" * 32)
    places = (CommitSig(BlockFlag.NIL, b"\x03" * 20, 5, b"\x04" * 64),)
    commit = Commit(7, 0, block_id, places)

    text = blocks.vote_sign_bytes("chain", commit, 0)

    assert text == blocks.precommit_sign_bytes("chain", 7, 0, BlockId(), 5)
    assert block_id.hash not in text


def test_an_absent_place_carries_the_zero_time() -> None:
    assert CommitSig(BlockFlag.ABSENT).time_ns == ZERO_TIME_NS


def test_evidence_of_misbehaviour_is_not_supported() -> None:
    message = protobuf.parse("tendermint.types.Block", b"")
    message.evidence.evidence.add(duplicate_vote_evidence=b"x")

    with pytest.raises(MalformedError, match="evidence of misbehaviour"):
        Block.parse(message.SerializeToString())


@pytest.mark.parametrize("flag", [0, 4])
def test_an_unknown_flag_is_refused(flag: int) -> None:
    with pytest.raises(MalformedError, match=f"unknown block id flag {flag}"):
        blocks.read_flag(flag)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_block_or_malformed(data: bytes) -> None:
    for parse in (Block.parse, Commit.parse):
        try:
            parse(data)
        except MalformedError:
            continue
