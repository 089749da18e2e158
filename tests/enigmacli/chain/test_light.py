"""Light verification: CometBFT's signed chain, a chain of our own, one lie each."""

from dataclasses import replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from enigmacli.chain import light
from enigmacli.chain.answers import SignedHeader, ValidatorsAnswer
from enigmacli.chain.block_time import SECOND_NS, parse_time
from enigmacli.chain.blocks import (
    EMPTY_HASH,
    BlockFlag,
    BlockId,
    Commit,
    CommitSig,
    Header,
    Validator,
    ValidatorSet,
    header_hash,
    precommit_sign_bytes,
)
from enigmacli.chain.rpc_json import from_json
from enigmacli.errors import UntrustedAnswerError
from tests.vector_files import vector

CHAIN = "enigma-test"
START_NS = 1_770_000_000 * SECOND_NS
NOW_NS = START_NS + 60 * SECOND_NS
POWERS = (40, 30, 20, 10)
KEYS = {
    key.verify_key.encode(): key
    for key in (SigningKey(bytes([number]) * 32) for number in range(4))
}
VOTERS = ValidatorSet.of(
    Validator.of(public_key, power) for public_key, power in zip(KEYS, POWERS, strict=True)
)


def make_header(**changes: Any) -> Header:
    header = Header(
        block_version=11,
        app_version=1,
        chain_id=CHAIN,
        height=1,
        time_ns=START_NS,
        last_block_id=BlockId(),
        last_commit_hash=EMPTY_HASH,
        data_hash=EMPTY_HASH,
        validators_hash=VOTERS.hash(),
        next_validators_hash=VOTERS.hash(),
        consensus_hash=b"\x01" * 32,
        app_hash=b"\x02" * 32,
        last_results_hash=EMPTY_HASH,
        evidence_hash=EMPTY_HASH,
        proposer_address=VOTERS.validators[0].address,
    )
    return replace(header, **changes)


def sign(header: Header, flags: str = "CCCC", chain_id: str = CHAIN) -> Commit:
    """A commit of ``header``; one letter a validator: Commit, Nil, Absent."""
    block_id = BlockId(header_hash(header), 1, b"\x05" * 32)
    places = []
    for voter, letter in zip(VOTERS.validators, flags, strict=True):
        if letter == "A":
            places.append(CommitSig(BlockFlag.ABSENT))
            continue
        flag = BlockFlag.COMMIT if letter == "C" else BlockFlag.NIL
        named = block_id if letter == "C" else BlockId()
        text = precommit_sign_bytes(chain_id, header.height, 0, named, header.time_ns)
        signature = KEYS[voter.public_key].sign(text).signature
        places.append(CommitSig(flag, voter.address, header.time_ns, signature))
    return Commit(header.height, 0, block_id, tuple(places))


FIRST = make_header()
SECOND = make_header(
    height=2, time_ns=START_NS + SECOND_NS, last_block_id=BlockId(header_hash(FIRST), 1, bytes(32))
)


def check(header: Header, commit: Commit, voters: ValidatorSet = VOTERS) -> None:
    light.verify_commit(CHAIN, voters, commit.block_id, header.height, commit)


# --- what is accepted --------------------------------------------------------------------------


def test_a_chain_signed_by_cometbft_is_followed_through_a_change_of_validators() -> None:
    known = vector("cometbft_light", "chain")
    now_ns = parse_time(known["now"])
    trusted: Header | None = None
    for step in known["steps"]:
        assert step["commit_ok"]
        found = from_json(SignedHeader, {"signed_header": step["signed_header"], "canonical": True})
        voters = ValidatorSet.of(from_json(ValidatorsAnswer, step["validators"]).validators)
        commit = found.commit
        light.verify_commit(known["chain_id"], voters, commit.block_id, found.header.height, commit)
        if trusted is not None:
            assert step["adjacent_ok"]
            light.verify_adjacent(trusted, voters, found.header, commit, now_ns=now_ns)
        trusted = found.header
    assert trusted is not None
    assert trusted.height == 4


@pytest.mark.parametrize("flags", ["CCCC", "CCAA", "CCNN", "CACC"])
def test_more_than_two_thirds_commit_a_block(flags: str) -> None:
    check(FIRST, sign(FIRST, flags))


def test_the_first_block_follows_genesis() -> None:
    light.verify_initial(
        CHAIN, VOTERS, FIRST, sign(FIRST), initial_height=1, genesis_time_ns=START_NS, now_ns=NOW_NS
    )


def test_the_next_block_follows_the_trusted_one() -> None:
    light.verify_adjacent(FIRST, VOTERS, SECOND, sign(SECOND), now_ns=NOW_NS)


# --- commits that are refused ------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["CACA", "NCCA", "ACCC", "AAAA", "NNNN", "CANN"])
def test_two_thirds_or_less_do_not_commit(flags: str) -> None:
    with pytest.raises(UntrustedAnswerError, match="more than 2/3 is needed"):
        check(FIRST, sign(FIRST, flags))


def test_exactly_two_thirds_are_too_little() -> None:
    voters = ValidatorSet.of(Validator.of(key, 1) for key in list(KEYS)[:3])
    block_id = BlockId(b"\x01" * 32, 1, b"\x02" * 32)
    places = [CommitSig(BlockFlag.ABSENT)]
    for voter in voters.validators[1:]:
        text = precommit_sign_bytes(CHAIN, 5, 0, block_id, 7)
        signature = KEYS[voter.public_key].sign(text).signature
        places.append(CommitSig(BlockFlag.COMMIT, voter.address, 7, signature))

    with pytest.raises(UntrustedAnswerError, match="2 of 3 power"):
        light.verify_commit(CHAIN, voters, block_id, 5, Commit(5, 0, block_id, tuple(places)))


def _with_place(commit: Commit, index: int, **changes: Any) -> Commit:
    places = list(commit.signatures)
    places[index] = replace(places[index], **changes)
    return replace(commit, signatures=tuple(places))


@pytest.mark.parametrize("index", [1, 2, 3])
def test_a_wrong_signature_counts_for_nothing_and_stops_nobody(index: int) -> None:
    signed = sign(FIRST, "CCCC")
    enough = sum(power for at, power in enumerate(POWERS) if at != index) * 3 > 200

    forged = _with_place(signed, index, signature=bytes(64))

    if enough:
        check(FIRST, forged)
    else:
        with pytest.raises(UntrustedAnswerError, match=f"vote {index} of the commit has a wrong"):
            check(FIRST, forged)


def test_a_vote_with_another_time_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="wrong signature"):
        check(FIRST, _with_place(sign(FIRST), 0, time_ns=START_NS + 1))


def test_places_of_others_are_refused_even_behind_enough_votes() -> None:
    commit = _with_place(sign(FIRST), 3, validator_address=bytes(20))

    with pytest.raises(UntrustedAnswerError, match="vote 3 of the commit is another validator's"):
        check(FIRST, commit)


def test_votes_for_another_chain_are_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="wrong signature"):
        check(FIRST, sign(FIRST, chain_id="enigma-other"))


def test_votes_for_no_block_do_not_count_as_votes_for_it() -> None:
    turned = _with_place(sign(FIRST, "NCCC"), 0, flag=BlockFlag.COMMIT)

    with pytest.raises(UntrustedAnswerError, match="wrong signature"):
        check(FIRST, turned)


def test_a_commit_of_another_height_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="of height 2, not 1"):
        check(FIRST, replace(sign(FIRST), height=2))


def test_a_commit_of_another_round_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="wrong signature"):
        check(FIRST, replace(sign(FIRST), round=1))


def test_a_commit_of_another_block_is_refused() -> None:
    commit = sign(FIRST)

    with pytest.raises(UntrustedAnswerError, match="of another block"):
        light.verify_commit(CHAIN, VOTERS, replace(commit.block_id, parts_total=2), 1, commit)


@pytest.mark.parametrize("count", [0, 3, 5])
def test_another_number_of_places_is_refused(count: int) -> None:
    commit = sign(FIRST)
    places = (*commit.signatures, CommitSig(BlockFlag.ABSENT))[:count]

    with pytest.raises(UntrustedAnswerError, match="other places than the validator set"):
        check(FIRST, replace(commit, signatures=places))


def test_a_validator_in_two_places_is_refused() -> None:
    commit = sign(FIRST)
    places = (commit.signatures[0], *commit.signatures[:3])

    with pytest.raises(UntrustedAnswerError, match="votes twice"):
        check(FIRST, replace(commit, signatures=places))


def test_places_in_another_order_are_refused() -> None:
    commit = sign(FIRST)

    with pytest.raises(UntrustedAnswerError, match="is another validator's"):
        check(FIRST, replace(commit, signatures=commit.signatures[::-1]))


@pytest.mark.parametrize(
    "changes",
    [{"signature": b""}, {"signature": bytes(63)}, {"validator_address": b""}],
)
def test_a_vote_of_wrong_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UntrustedAnswerError, match="vote 1 of the commit is malformed"):
        check(FIRST, _with_place(sign(FIRST), 1, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"signature": bytes(64)}, {"validator_address": VOTERS.validators[2].address}, {"time_ns": 0}],
)
def test_an_absent_place_that_says_something_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UntrustedAnswerError, match="vote 2 of the commit is malformed"):
        check(FIRST, _with_place(sign(FIRST, "CCAC"), 2, **changes))


# --- headers that are refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"height": 3}, "is not the next one"),
        ({"height": 1}, "is not the next one"),
        ({"time_ns": START_NS}, "not later than the one before"),
        ({"time_ns": NOW_NS + 10 * SECOND_NS}, "lies in the future"),
        ({"validators_hash": bytes(32)}, "other validators than the one before announced"),
        ({"last_block_id": BlockId(bytes(32), 1, bytes(32))}, "does not follow the trusted one"),
        ({"chain_id": "enigma-other"}, "of chain 'enigma-other', not 'enigma-test'"),
    ],
)
def test_a_header_that_does_not_follow_is_refused(changes: dict[str, Any], why: str) -> None:
    header = replace(SECOND, **changes)

    with pytest.raises(UntrustedAnswerError, match=why):
        light.verify_adjacent(
            FIRST, VOTERS, header, sign(header, chain_id=header.chain_id), now_ns=NOW_NS
        )


def test_validators_that_the_header_does_not_name_are_refused() -> None:
    others = ValidatorSet.of(VOTERS.validators[:3])

    with pytest.raises(UntrustedAnswerError, match="validators are not those of header 2"):
        light.verify_adjacent(FIRST, others, SECOND, sign(SECOND), now_ns=NOW_NS)


def test_a_commit_for_another_header_is_refused() -> None:
    other = replace(SECOND, app_hash=bytes(32))

    with pytest.raises(UntrustedAnswerError, match="commit is not of header 2"):
        light.verify_adjacent(FIRST, VOTERS, SECOND, sign(other), now_ns=NOW_NS)


def test_a_header_with_too_few_votes_is_refused() -> None:
    with pytest.raises(UntrustedAnswerError, match="more than 2/3"):
        light.verify_adjacent(FIRST, VOTERS, SECOND, sign(SECOND, "CACA"), now_ns=NOW_NS)


def test_trust_ends_with_the_trusting_period() -> None:
    period_ns = NOW_NS - START_NS

    light.verify_adjacent(
        FIRST, VOTERS, SECOND, sign(SECOND), now_ns=NOW_NS, trusting_period_ns=period_ns + 1
    )
    with pytest.raises(UntrustedAnswerError, match="trust ended at"):
        light.verify_adjacent(
            FIRST, VOTERS, SECOND, sign(SECOND), now_ns=NOW_NS, trusting_period_ns=period_ns
        )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"height": 2}, "first header has height 2"),
        ({"time_ns": START_NS - 1}, "older than genesis"),
        ({"last_block_id": SECOND.last_block_id}, "names a block before it"),
        ({"chain_id": "enigma-other"}, "of chain 'enigma-other'"),
        ({"validators_hash": bytes(32)}, "validators are not those of header 1"),
    ],
)
def test_a_first_header_that_is_not_genesis_own_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    header = replace(FIRST, **changes)

    with pytest.raises(UntrustedAnswerError, match=why):
        light.verify_initial(
            CHAIN,
            VOTERS,
            header,
            sign(header, chain_id=header.chain_id),
            initial_height=1,
            genesis_time_ns=START_NS,
            now_ns=NOW_NS,
        )
