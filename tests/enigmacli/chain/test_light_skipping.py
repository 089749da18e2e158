"""Skipping to a later header, rule by rule."""

from dataclasses import replace

import pytest

from enigmacli.chain import light
from enigmacli.chain.block_time import SECOND_NS
from enigmacli.chain.blocks import BlockFlag, CommitSig
from enigmacli.errors import UntrustedAnswerError
from tests.simulators.light_chain import START_NS, LightChain, sign, voters

FOUR = {0: 40, 1: 30, 2: 20, 3: 10}


@pytest.mark.parametrize("flag", [BlockFlag.NIL, BlockFlag.ABSENT])
def test_trusted_votes_for_no_block_are_no_overlap(flag: BlockFlag) -> None:
    chain = LightChain.of({0: 10, 1: 10, 2: 10}, 1)
    chain.sets[2] = voters({0: 10, 5: 100})
    chain.grow(4)
    answer = chain.blocks[5]
    assert answer.commit.signatures
    trusted = chain.blocks[1].header
    places = tuple(
        CommitSig(BlockFlag.ABSENT) if flag is BlockFlag.ABSENT else replace(place, flag=flag)
        for place in answer.commit.signatures
    )
    commit = replace(answer.commit, signatures=places)

    with pytest.raises(light.TooLittleOverlapError, match="0 of 30 trusted power"):
        light.verify_skipping(
            trusted, chain.first, chain.sets[5], answer.header, commit,
            now_ns=START_NS + 100 * SECOND_NS,
        )  # fmt: skip


def test_validators_that_are_not_the_trusted_header_s_are_refused() -> None:
    chain = LightChain.of(FOUR, 5)
    last = chain.blocks[5]

    with pytest.raises(UntrustedAnswerError, match="validators are not those of header 1"):
        light.verify_skipping(
            chain.blocks[1].header, voters({0: 1}), chain.first, last.header, last.commit,
            now_ns=START_NS + 100 * SECOND_NS,
        )  # fmt: skip


def test_skipping_to_the_next_header_is_refused() -> None:
    chain = LightChain.of(FOUR, 2)
    header = chain.blocks[2].header

    with pytest.raises(UntrustedAnswerError, match="header 2 is no later one"):
        light.verify_skipping(
            chain.blocks[1].header, chain.first, chain.first, header, sign(header, chain.first),
            now_ns=START_NS + 100 * SECOND_NS,
        )  # fmt: skip


def test_a_vote_of_wrong_form_is_refused_before_it_is_counted() -> None:
    chain = LightChain.of(FOUR, 5)
    last = chain.blocks[5]
    places = (replace(last.commit.signatures[0], signature=bytes(63)), *last.commit.signatures[1:])
    commit = replace(last.commit, signatures=places)

    with pytest.raises(UntrustedAnswerError, match="vote 0 of the commit is malformed"):
        light.verify_skipping(
            chain.blocks[1].header, chain.first, chain.first, last.header, commit,
            now_ns=START_NS + 100 * SECOND_NS,
        )  # fmt: skip
