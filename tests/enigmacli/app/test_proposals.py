"""PrepareProposal and ProcessProposal (protocol.md sections 8.2 and 8.3)."""

from collections.abc import Sequence
from typing import Any

import pytest

from enigmacli.app.proto_size import proto_size
from enigmacli.app.reasons import (
    DroppedFromProposal,
    EnclaveUnavailable,
    ProposalRefused,
    RequestFailed,
)
from enigmacli.app.register import make_confirm, to_reply
from enigmacli.chain.messages import Coin, MsgSend, RaAuthenticate
from enigmacli.chain.tx import is_confirm, parse_confirm
from tests.enigmacli.app.chain import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    DAVE,
    ERIN,
    Chain,
    genesis,
    policy,
)
from tests.enigmacli.app.simulated_enclave import SimulatedEnclave


def size(txs: Sequence[bytes]) -> int:
    return sum(proto_size(len(raw)) for raw in txs)


def drops(chain: Chain) -> list[str]:
    return [one.detail for one in chain.app.take_reasons() if isinstance(one, DroppedFromProposal)]


# --- Prepare -------------------------------------------------------------------------------------


def test_a_register_is_proposed_with_its_confirm_behind_it() -> None:
    chain = Chain().start()
    txs = [chain.send(ALICE, BOB), chain.register(BOB), chain.register(CAROL)]

    proposal = chain.prepare(txs)

    assert [is_confirm(raw) for raw in proposal] == [False, False, True, False, True]
    assert [raw for raw in proposal if not is_confirm(raw)] == txs
    assert chain.process(proposal)


def test_what_is_proposed_executes_without_a_refusal() -> None:
    chain = Chain().start()

    response = chain.produce([chain.register(one) for one in (BOB, CAROL, DAVE)])

    assert [one.code for one in response.tx_results] == [0] * 6


def test_the_overhead_of_the_encoding_counts() -> None:
    chain = Chain().start()
    txs = [chain.send(person, ERIN) for person in (ALICE, BOB, CAROL)]

    assert chain.prepare(txs, size(txs)) == txs
    assert chain.prepare(txs, size(txs) - 1) == txs[:2]
    assert drops(chain) == ["no room is left in the block"]


def test_a_pair_that_does_not_fit_is_left_out_as_a_pair() -> None:
    chain = Chain().start()
    txs = [chain.send(ALICE, ERIN), chain.register(BOB), chain.send(CAROL, ERIN)]
    whole = chain.prepare(txs)

    shortened = chain.prepare(txs, size(whole) - 1)

    assert shortened == [txs[0], whole[1], whole[2]]
    for most in range(0, size(whole), 97):
        proposal = chain.prepare(txs, most)
        assert size(proposal) <= most
        assert chain.process(proposal)


def test_the_gas_of_a_block_is_not_exceeded() -> None:
    chain = Chain(genesis(max_gas=1_000_000)).start()
    txs = [chain.send(person, ERIN) for person in (ALICE, BOB, CAROL)]

    assert chain.prepare(txs) == txs[:2]
    assert drops(chain) == ["no gas is left in the block"]


def test_the_registrations_of_a_block_are_not_exceeded() -> None:
    chain = Chain(genesis(network_policy=policy(max_registrations_per_block=2))).start()
    txs = [chain.register(person) for person in (ALICE, BOB, CAROL)]
    txs.append(chain.send(DAVE, ERIN))

    proposal = chain.prepare(txs)

    assert len(proposal) == 5
    assert proposal[-1] == txs[-1]
    assert drops(chain) == ["the block has as many registrations as the policy allows"]


def test_a_senders_later_transactions_go_with_the_one_that_is_left_out() -> None:
    chain = Chain().start()
    txs = [
        chain.register(BOB, verdict=1),
        chain.send(BOB, ERIN, after=1),
        chain.send(ALICE, ERIN),
    ]

    assert chain.prepare(txs) == [txs[2]]
    assert drops(chain)[1] == "an earlier transaction of the same sender was left out"


@pytest.mark.parametrize(
    "options",
    [{"after": 1}, {"fee": 1}, {"chain_id": "other"}, {"timeout_height": 0, "gas": 1}],
    ids=str,
)
def test_what_pays_no_fee_is_left_out(options: dict[str, Any]) -> None:
    chain = Chain().start()

    assert chain.prepare([chain.send(ALICE, BOB, **options), b"rubbish"]) == []


def test_what_pays_its_fee_and_fails_may_be_proposed() -> None:
    chain = Chain().start()
    raw = chain.send(ALICE, BOB, 10**12)

    assert chain.prepare([raw]) == [raw]
    assert chain.process([raw])


def test_confirms_in_the_mempool_are_left_out() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    confirm = chain.prepare([raw])[1]

    assert chain.prepare([confirm, raw, confirm]) == [raw, confirm]


def test_a_register_that_would_fail_is_left_out_without_asking_the_enclave() -> None:
    chain = Chain().start()
    chain.enclave.calls.clear()

    assert chain.prepare([chain.register(BOB, after=1), chain.register(CAROL, fee=1)]) == []
    assert chain.enclave.calls == []


def test_a_register_of_another_owners_node_is_left_out() -> None:
    chain = Chain().start()
    txs = [chain.register(BOB), chain.register(CAROL, node_id=BOB.node_id)]

    proposal = chain.prepare(txs)

    assert len(proposal) == 2
    assert chain.process(proposal)


def test_an_unavailable_enclave_means_a_proposal_without_registers() -> None:
    chain = Chain().start()
    chain.enclave.available = False
    chain.enclave.calls.clear()
    txs = [chain.register(BOB), chain.register(CAROL), chain.send(ALICE, ERIN)]

    assert chain.prepare(txs) == [txs[2]]
    assert chain.enclave.calls == ["admit"]  # asked once, not once for each register
    assert sum(isinstance(one, EnclaveUnavailable) for one in chain.app.take_reasons()) == 1


def test_preparing_changes_nothing() -> None:
    chain, other = Chain().start(), Chain().start()
    chain.prepare([chain.send(ALICE, BOB), chain.register(BOB)])
    chain.process(chain.prepare([chain.send(ALICE, CAROL)]))

    assert chain.decide([]).app_hash == other.decide([]).app_hash


# --- Process -------------------------------------------------------------------------------------


def refused(chain: Chain, txs: Sequence[bytes], rule: str) -> ProposalRefused:
    chain.app.take_reasons()
    assert not chain.process(txs)
    (reason,) = chain.app.take_reasons()
    assert isinstance(reason, ProposalRefused)
    assert reason.rule == rule
    return reason


def proposed(chain: Chain) -> list[bytes]:
    """Two pairs and a transfer."""
    txs = chain.prepare([chain.register(BOB), chain.register(CAROL), chain.send(ALICE, ERIN)])
    assert len(txs) == 5
    assert chain.process(txs)
    return txs


def test_an_empty_block_is_accepted() -> None:
    assert Chain().start().process([])


def test_a_forged_confirm_is_refused() -> None:
    chain = Chain().start()
    first, confirm, *rest = proposed(chain)
    foreign = Chain(enclave=SimulatedEnclave(seed=b"another seed")).start()
    forged = foreign.prepare([first])[1]
    assert forged != confirm

    reason = refused(chain, [first, forged, *rest], "confirm-differs")

    assert reason.place == 1
    assert f"expected {confirm.hex()}, seen {forged.hex()}" in reason.detail


def test_any_changed_byte_of_a_confirm_is_refused() -> None:
    chain = Chain().start()
    first, confirm, *rest = proposed(chain)
    for place in range(len(confirm)):
        changed = bytearray(confirm)
        changed[place] ^= 1

        assert not chain.process([first, bytes(changed), *rest])


def test_a_missing_confirm_is_refused() -> None:
    chain = Chain().start()
    first, _, *rest = proposed(chain)

    refused(chain, [first, *rest], "pairing")


def test_an_extra_confirm_is_refused() -> None:
    chain = Chain().start()
    txs = proposed(chain)

    reason = refused(chain, [*txs, txs[1]], "pairing")

    assert reason.place == 5


def test_a_confirm_alone_is_refused() -> None:
    chain = Chain().start()

    refused(chain, [proposed(chain)[1]], "pairing")


def test_reordered_confirms_are_refused() -> None:
    chain = Chain().start()
    one, one_confirm, two, two_confirm, rest = proposed(chain)

    refused(chain, [one, two_confirm, two, one_confirm, rest], "register-fails")
    refused(chain, [one_confirm, one, two, two_confirm, rest], "pairing")
    refused(chain, [one, two, one_confirm, two_confirm, rest], "pairing")


def test_a_duplicated_confirm_is_refused() -> None:
    chain = Chain().start()
    one, confirm, *rest = proposed(chain)

    refused(chain, [one, confirm, confirm, *rest], "pairing")


def test_a_duplicated_pair_is_refused() -> None:
    chain = Chain().start()
    one, confirm, *rest = proposed(chain)

    refused(chain, [one, confirm, one, confirm, *rest], "register-fails")


@pytest.mark.parametrize("options", [{"after": 1}, {"fee": 1}, {"chain_id": "x"}], ids=str)
def test_a_register_whose_own_execution_fails_is_refused_but_gets_a_code_once_decided(
    options: dict[str, Any],
) -> None:
    chain = Chain().start()
    raw = chain.register(BOB, **options)
    confirm = Chain().start().prepare([Chain().start().register(BOB)])[1]

    refused(chain, [raw, confirm], "register-fails")

    response = chain.decide([raw, confirm])
    assert [one.codespace for one in response.tx_results] == ["sdk", "register"]
    assert response.tx_results[1].code == 9


def test_a_transfer_that_fails_is_no_reason_to_refuse() -> None:
    chain = Chain().start()

    assert chain.process(
        [chain.send(ALICE, BOB, 10**12), b"rubbish", chain.send(BOB, ALICE, fee=1)]
    )


def test_evidence_that_the_own_enclave_refuses_is_refused() -> None:
    chain = Chain().start()
    lenient = Chain().start()
    raw = chain.register(BOB, verdict=2)
    confirm = lenient.prepare([lenient.register(BOB)])[1]
    pair = [raw, make_confirm(raw, to_reply(parse_confirm(confirm)))]

    reason = refused(chain, pair, "register-refused")

    assert "measurement-not-allowed" in reason.detail


@pytest.mark.parametrize("attribute", ["available", "seeded"])
def test_an_unavailable_or_unseeded_enclave_refuses_only_blocks_with_a_register(
    attribute: str,
) -> None:
    chain = Chain().start()
    txs = proposed(chain)
    setattr(chain.enclave, attribute, False)

    refused(chain, txs, "enclave-unavailable")
    assert chain.process(txs[-1:])


def test_just_the_gas_of_a_block_is_proposed() -> None:
    txs = [Chain().start().send(person, ERIN, gas=400_000) for person in (ALICE, BOB, CAROL)]

    assert Chain(genesis(max_gas=1_200_000)).start().prepare(txs) == txs
    assert Chain(genesis(max_gas=1_199_999)).start().prepare(txs) == txs[:2]


def test_too_much_gas_is_refused() -> None:
    chain = Chain(genesis(max_gas=1_000_000)).start()
    txs = [chain.send(person, ERIN) for person in (ALICE, BOB, CAROL)]

    assert "gas: expected at most 1000000, seen 1200000" in refused(chain, txs, "limit").detail
    assert chain.process(txs[:2])


def test_just_the_gas_of_a_block_is_accepted() -> None:
    txs = [Chain().start().send(person, ERIN, gas=400_000) for person in (ALICE, BOB, CAROL)]

    assert Chain(genesis(max_gas=1_200_000)).start().process(txs)
    refused(Chain(genesis(max_gas=1_199_999)).start(), txs, "limit")


def test_too_many_registrations_are_refused() -> None:
    few = Chain(genesis(network_policy=policy(max_registrations_per_block=1))).start()
    txs = proposed(Chain().start())

    assert "registrations" in refused(few, txs, "limit").detail
    assert few.process(txs[:2])


def test_too_many_bytes_are_refused() -> None:
    chain = Chain(genesis(max_bytes=4_000)).start()
    txs = [chain.send(person, ERIN, memo="x" * 250) for person in (ALICE, BOB, CAROL, DAVE)] * 3

    assert "bytes" in refused(chain, txs, "limit").detail


def test_just_the_bytes_of_a_block_are_accepted() -> None:
    txs = [Chain().start().send(person, ERIN) for person in (ALICE, BOB, CAROL)]

    assert Chain(genesis(max_bytes=size(txs))).start().process(txs)
    refused(Chain(genesis(max_bytes=size(txs) - 1)).start(), txs, "limit")


def test_a_register_with_a_second_message_is_refused_as_a_transaction() -> None:
    chain = Chain().start()
    message = MsgSend(BOB.bech32, ALICE.bech32, (Coin("uscrt", 1),))
    raw = chain.sign_all(BOB, [RaAuthenticate(BOB.address, b"evidence"), message])

    (result,) = chain.finalize([raw]).tx_results

    assert (result.codespace, result.code) == ("sdk", 18)


def test_a_block_that_cannot_be_executed_is_refused_and_proposed_empty() -> None:
    chain = Chain().start()
    chain.decide([])
    raw = chain.send(ALICE, BOB)
    broken = chain.store.prepare({("accounts", b"\x01" + ALICE.address): b"\xff"})
    chain.store.commit(broken, height=1, at_us=0, chain_id=CHAIN_ID, initial_height=1)

    assert "ValueError" in refused(chain, [raw], "exception").detail
    assert chain.prepare([raw]) == []
    assert [type(one) for one in chain.app.take_reasons()] == [RequestFailed]


def test_processing_may_be_asked_again_and_changes_nothing() -> None:
    chain = Chain().start()
    txs = proposed(chain)

    assert [chain.process(txs) for _ in range(3)] == [True] * 3
    assert chain.decide(txs).tx_results[0].code == 0
