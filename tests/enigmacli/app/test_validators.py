"""Votes on voting power (protocol.md section 7, codespace ``validator``)."""

from collections.abc import Sequence
from typing import Any

import pytest

from enigmacli import protobuf
from enigmacli.app import validators as rules
from enigmacli.app.overlay import NoState, Overlay
from enigmacli.app.refusals import RefusedError
from enigmacli.app.validators import VOTE_BLOCKS, Validator, read_validators, save_validator
from enigmacli.chain.messages import SetValidator
from tests.enigmacli.app.chain import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    EXCHANGE_PK,
    Chain,
    Person,
    genesis,
    policy,
)


def updates(response: Any) -> list[tuple[bytes, int]]:
    return [(one.pub_key.ed25519, one.power) for one in response.validator_updates]


def refused(chain: Chain, raw: bytes, code: int) -> None:
    response = chain.decide([raw])
    (result,) = response.tx_results

    assert (result.codespace, result.code) == ("validator", code), result.log
    assert result.gas_used > 0
    assert not response.validator_updates


def register(chain: Chain, person: Person, owner: bytes | None = None) -> None:
    response = chain.produce([chain.register(person, owner=owner)])
    assert [one.code for one in response.tx_results] == [0, 0]


def test_one_validator_decides_alone() -> None:
    chain = Chain().start()
    register(chain, BOB)

    response = chain.decide([chain.vote(ALICE, BOB, 5)])

    assert updates(response) == [(BOB.consensus_key, 5)]
    assert read_validators(chain.store)[BOB.consensus_key] == Validator(
        BOB.consensus_key, 5, BOB.address, BOB.node_id
    )


def test_more_than_two_thirds_must_agree() -> None:
    chain = Chain(genesis({ALICE: 4, BOB: 4, CAROL: 4})).start()

    first = chain.decide([chain.vote(ALICE, CAROL, 7)])
    exactly_two_thirds = chain.decide([chain.vote(BOB, CAROL, 7)])
    all_three = chain.decide([chain.vote(CAROL, CAROL, 7)])

    assert [updates(one) for one in (first, exactly_two_thirds)] == [[], []]
    assert updates(all_three) == [(CAROL.consensus_key, 7)]


def test_votes_for_another_power_do_not_agree() -> None:
    chain = Chain(genesis({ALICE: 5, BOB: 5, CAROL: 1})).start()
    chain.decide([chain.vote(ALICE, CAROL, 2)])

    assert updates(chain.decide([chain.vote(BOB, CAROL, 3)])) == []
    assert updates(chain.decide([chain.vote(BOB, CAROL, 2)])) == [(CAROL.consensus_key, 2)]


def test_the_votes_for_a_key_are_erased_when_it_changes() -> None:
    chain = Chain(genesis({ALICE: 5, BOB: 5, CAROL: 1})).start()
    chain.decide([chain.vote(CAROL, CAROL, 9), chain.vote(ALICE, CAROL, 2)])
    assert len(chain.store.scan("validators", b"\x02")) == 2

    chain.decide([chain.vote(BOB, CAROL, 2)])

    assert chain.store.scan("validators", b"\x02") == {}


def test_a_later_vote_of_the_same_operator_replaces_the_earlier_one() -> None:
    chain = Chain(genesis({ALICE: 5, BOB: 5, CAROL: 1})).start()
    chain.decide([chain.vote(ALICE, CAROL, 2)])
    chain.decide([chain.vote(ALICE, CAROL, 3)])

    assert updates(chain.decide([chain.vote(BOB, CAROL, 2)])) == []
    assert len(chain.store.scan("validators", b"\x02")) == 2


def test_the_tally_uses_the_powers_of_the_moment() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 2, CAROL: 2})).start()
    chain.decide([chain.vote(BOB, CAROL, 3)])  # 2 of 14
    lowered = chain.decide([chain.vote(ALICE, ALICE, 1, node_id=EXCHANGE_PK)])

    assert updates(lowered) == [(ALICE.consensus_key, 1)]
    # 4 of 5 now, with Bob's earlier vote
    assert updates(chain.decide([chain.vote(CAROL, CAROL, 3)])) == [(CAROL.consensus_key, 3)]


def test_an_operator_of_two_validators_votes_with_both_powers() -> None:
    chain = Chain(genesis({ALICE: 6, BOB: 4})).start()
    register(chain, ALICE)
    key, node_id = bytes(32), ALICE.node_id
    chain.decide([chain.sign(ALICE, SetValidator(ALICE.address, key, 3, node_id))])
    response = chain.decide([chain.sign(BOB, SetValidator(BOB.address, key, 3, node_id))])
    assert updates(response) == [(key, 3)]

    # 6 + 3 of 13; either alone would not be enough
    assert updates(chain.decide([chain.vote(ALICE, BOB, 5)])) == [(BOB.consensus_key, 5)]


def test_removal_frees_the_node() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()
    removed = chain.decide([chain.vote(ALICE, BOB, 0)])
    assert updates(removed) == [(BOB.consensus_key, 0)]

    message = SetValidator(ALICE.address, CAROL.consensus_key, 2, BOB.node_id)

    assert updates(chain.decide([chain.sign(ALICE, message)])) == [(CAROL.consensus_key, 2)]


def test_updates_are_one_per_changed_key_and_sorted() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1, CAROL: 1})).start()
    votes = [
        chain.vote(ALICE, CAROL, 2),
        chain.vote(ALICE, BOB, 2, after=1),
        chain.vote(ALICE, BOB, 3, after=2),
    ]

    response = chain.decide(votes)

    wanted = {BOB.consensus_key: 3, CAROL.consensus_key: 2}
    assert updates(response) == [(key, wanted[key]) for key in sorted(wanted)]


def test_a_change_that_is_taken_back_in_the_same_block_is_no_update() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()

    response = chain.decide([chain.vote(ALICE, BOB, 2), chain.vote(ALICE, BOB, 1, after=1)])

    assert [one.code for one in response.tx_results] == [0, 0]
    assert updates(response) == []


# --- refusals ------------------------------------------------------------------------------------


def test_code_2_the_sender_is_no_operator() -> None:
    chain = Chain().start()
    refused(chain, chain.vote(BOB, ALICE, 5, node_id=EXCHANGE_PK), 2)


def test_code_3_the_node_is_not_registered() -> None:
    chain = Chain().start()
    refused(chain, chain.vote(ALICE, BOB, 5), 3)


def test_code_3_the_node_has_no_owner() -> None:
    chain = Chain(genesis(network_policy=policy(require_owner=False))).start()
    register(chain, BOB, owner=bytes(20))

    refused(chain, chain.vote(ALICE, BOB, 5), 3)


def test_code_4_the_node_serves_another_key() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()
    refused(chain, chain.vote(ALICE, CAROL, 5, node_id=BOB.node_id), 4)


def test_code_4_a_known_key_is_served_by_another_node() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()
    refused(chain, chain.vote(ALICE, BOB, 5, node_id=CAROL.node_id), 4)


def test_code_5_an_unknown_key_cannot_be_removed() -> None:
    chain = Chain().start()
    refused(chain, chain.vote(ALICE, BOB, 0), 5)


def test_code_6_an_unchanged_power() -> None:
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()
    refused(chain, chain.vote(ALICE, BOB, 1), 6)


def test_code_7_the_last_validator_stays() -> None:
    chain = Chain().start()
    refused(chain, chain.vote(ALICE, ALICE, 0, node_id=EXCHANGE_PK), 7)


def test_code_8_a_power_above_2_to_the_50() -> None:
    chain = Chain().start()
    refused(chain, chain.vote(ALICE, ALICE, 2**50 + 1, node_id=EXCHANGE_PK), 8)
    response = chain.decide([chain.vote(ALICE, ALICE, 2**50, node_id=EXCHANGE_PK)])
    assert updates(response) == [(ALICE.consensus_key, 2**50)]


def test_code_8_a_raise_beyond_a_third_among_four_or_more() -> None:
    chain = Chain(genesis({ALICE: 5, BOB: 5, CAROL: 5, DAVE: 5})).start()

    refused(chain, chain.vote(ALICE, DAVE, 8), 8)  # 8 of 23
    assert chain.decide([chain.vote(ALICE, DAVE, 7)]).tx_results[0].code == 0  # 7 of 22


def test_a_raise_to_just_a_third_is_allowed_among_four_or_more() -> None:
    chain = Chain(genesis({ALICE: 15, BOB: 1, CAROL: 4, DAVE: 5})).start()

    refused(chain, chain.vote(ALICE, DAVE, 11), 8)  # 11 of 31
    response = chain.decide([chain.vote(ALICE, DAVE, 10), chain.vote(CAROL, DAVE, 10)])  # 10 of 30

    assert updates(response) == [(DAVE.consensus_key, 10)]


def test_code_8_a_newcomer_beyond_a_third_among_four_or_more() -> None:
    chain = Chain(genesis({ALICE: 5, BOB: 5, CAROL: 5, DAVE: 5})).start()
    register(chain, ERIN)

    refused(chain, chain.vote(ALICE, ERIN, 11), 8)  # 11 of 31


def test_three_validators_may_raise_one_beyond_a_third() -> None:
    chain = Chain(genesis({ALICE: 9, BOB: 1, CAROL: 1})).start()

    response = chain.decide([chain.vote(ALICE, ALICE, 20, node_id=EXCHANGE_PK)])

    assert updates(response) == [(ALICE.consensus_key, 20)]


def test_lowering_a_power_is_never_too_much() -> None:
    powers = {ALICE: 100, BOB: 1, CAROL: 1, DAVE: 1}
    chain = Chain(genesis(powers)).start()

    response = chain.decide([chain.vote(ALICE, ALICE, 90, node_id=EXCHANGE_PK)])

    assert updates(response) == [(ALICE.consensus_key, 90)]


# --- what a chain of a few blocks does not reach -------------------------------------------------


def crowd(powers: Sequence[int]) -> Overlay:
    """Validators whose operators are 20 bytes of their place."""
    state = Overlay(NoState())
    for place, power in enumerate(powers):
        name = place.to_bytes(2) * 16
        save_validator(state, Validator(name, power, name[:20], name))
    return state


def test_code_8_a_total_above_2_to_the_59() -> None:
    state = crowd([2**50] * 511 + [2**50 - 5])
    last = (511).to_bytes(2) * 16

    with pytest.raises(RefusedError, match="total power") as caught:
        rules.set_validator(newcomer(state), SetValidator(bytes(20), NEW, 6, NEW), 1)

    assert (caught.value.codespace, caught.value.code) == ("validator", 8)
    rules.set_validator(newcomer(state), SetValidator(bytes(20), NEW, 5, NEW), 1)
    rules.set_validator(state, SetValidator(bytes(20), last, 2**50, last), 1)


NEW = b"new node" * 4


def newcomer(state: Overlay) -> Overlay:
    """The same with a registered node that serves no key yet."""
    record = protobuf.new("enigma.registration.v1.NodeRecord", owner=BOB.address)
    state.set("register", b"\x01" + NEW, record.SerializeToString())
    return state


def test_a_vote_lapses_after_ten_thousand_blocks() -> None:
    for waited, counts in ((VOTE_BLOCKS, True), (VOTE_BLOCKS + 1, False)):
        state = crowd([5, 5, 1])
        target, second = (place.to_bytes(2) * 16 for place in (2, 1))
        rules.set_validator(state, SetValidator(bytes(20), target, 2, target), 7)

        rules.set_validator(state, SetValidator(second[:20], target, 2, target), 7 + waited)

        assert (read_validators(state)[target].power == 2) is counts
        # a lapsed vote is erased when it is met
        assert len(state.scan("validators", b"\x02")) == (0 if counts else 1)
