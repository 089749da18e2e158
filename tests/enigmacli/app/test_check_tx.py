"""CheckTx, new and again (protocol.md section 8.1)."""

from typing import Any

import pytest

from enigmacli.app.notes import MAX_WAIT_BLOCKS
from enigmacli.app.proto_size import proto_size
from enigmacli.app.reasons import EnclaveUnavailable, RequestFailed
from enigmacli.app.register import confirm_size_bound
from enigmacli.chain.tx import is_confirm
from tests.enigmacli.app.chain import (
    ALICE,
    BLOCK_US,
    BOB,
    CAROL,
    DAVE,
    GENESIS_US,
    Chain,
    genesis,
    policy,
)


def code(response: Any) -> tuple[str, int]:
    return response.codespace, response.code


def started(**options: Any) -> Chain:
    """A chain with one block, at which the checks are made."""
    chain = Chain(genesis(**options)).start()
    chain.decide([])
    return chain


def test_a_good_transfer_may_wait() -> None:
    chain = started()
    response = chain.check(chain.send(ALICE, BOB))

    assert code(response) == ("", 0)
    assert (response.gas_wanted, response.gas_used > 0) == (400_000, True)


def test_transactions_may_come_before_the_first_block() -> None:
    chain = Chain().start()

    assert code(chain.check(chain.send(ALICE, BOB))) == ("", 0)
    assert code(chain.check(chain.send(ALICE, BOB, after=1))) == ("", 0)


def test_no_transaction_may_come_before_genesis() -> None:
    chain = Chain()

    assert code(chain.check(b"anything")) == ("sdk", 26)


def test_several_of_one_sender_are_accepted_in_their_order() -> None:
    chain = started()

    assert [chain.check(chain.send(ALICE, BOB, after=n)).code for n in (0, 1, 2)] == [0, 0, 0]
    assert code(chain.check(chain.send(ALICE, BOB, after=4))) == ("sdk", 32)
    assert code(chain.check(chain.send(ALICE, BOB, after=1))) == ("sdk", 32)


def test_a_refused_transaction_does_not_count_up() -> None:
    chain = started()
    chain.check(chain.register(ALICE, verdict=1))

    assert code(chain.check(chain.send(ALICE, BOB))) == ("", 0)


def test_a_commit_starts_the_checks_anew() -> None:
    chain = started()
    raws = [chain.send(ALICE, BOB, after=n) for n in (0, 1)]
    for raw in raws:
        assert chain.check(raw).code == 0

    chain.decide([])

    assert [chain.check(raw, again=True).code for raw in raws] == [0, 0]


def test_what_was_included_is_refused_again() -> None:
    chain = started()
    raw = chain.send(ALICE, BOB)
    chain.decide([raw])

    assert code(chain.check(raw, again=True)) == ("sdk", 32)


def test_the_balance_covers_all_that_waits() -> None:
    chain = started()
    most = 600_000_000

    assert chain.check(chain.send(ALICE, BOB, fee=most)).code == 0
    assert code(chain.check(chain.send(ALICE, BOB, fee=most, after=1))) == ("sdk", 5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"chain_id": "other"}, ("sdk", 4)),
        ({"after": 1}, ("sdk", 32)),
        ({"fee": 1}, ("sdk", 13)),
        ({"gas": 50_000}, ("sdk", 11)),
        ({"timeout_height": 1}, ("sdk", 30)),
        ({"memo": "x" * 257}, ("sdk", 12)),
    ],
    ids=str,
)
def test_what_a_block_would_refuse_may_not_wait(
    options: dict[str, Any], expected: tuple[str, int]
) -> None:
    chain = started()

    assert code(chain.check(chain.send(ALICE, BOB, **options))) == expected


def test_bytes_that_are_no_transaction_may_not_wait() -> None:
    chain = started()

    assert code(chain.check(b"\x00")) == ("sdk", 2)
    assert code(chain.check(bytes(68 * 1024 + 1))) == ("sdk", 21)


def test_cheap_rules_come_before_the_signature_and_that_before_the_evidence() -> None:
    chain = started()
    chain.enclave.calls.clear()

    poor = chain.register(BOB, verdict=1, fee=1, chain_id="other")
    forged = chain.register(BOB, verdict=1, chain_id="other")

    assert code(chain.check(poor)) == ("sdk", 13)
    assert code(chain.check(forged)) == ("sdk", 4)
    assert chain.enclave.calls == []


# --- confirms and registers ----------------------------------------------------------------------


def test_a_confirm_is_not_sent() -> None:
    chain = started()
    raw = chain.register(BOB)
    confirm = chain.prepare([raw])[1]
    assert is_confirm(confirm)

    assert code(chain.check(confirm)) == ("register", 9)


def test_a_register_with_good_evidence_may_wait() -> None:
    chain = started()

    assert code(chain.check(chain.register(BOB))) == ("", 0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"verdict": 1}, 2),
        ({"verdict": 2}, 3),
        ({"valid_until_us": GENESIS_US}, 4),
        ({"owner": ALICE.address}, 5),
        ({"certificate": b"something"}, 6),
        ({"certificate": b""}, 6),
    ],
    ids=["not authentic", "policy", "too old", "binding", "malformed", "empty"],
)
def test_refused_evidence_has_its_code(options: dict[str, Any], expected: int) -> None:
    chain = started()

    assert code(chain.check(chain.register(BOB, **options))) == ("register", expected)


def test_the_log_names_the_rule_what_was_expected_and_seen() -> None:
    chain = started()

    log = chain.check(chain.register(BOB, verdict=2)).log

    assert log == (
        "measurement-not-allowed: evidence is refused, expected verdict 0, seen verdict 2"
    )


def test_another_owners_node_gets_code_7() -> None:
    chain = started()
    chain.produce([chain.register(BOB)])

    answer = chain.check(chain.register(CAROL, node_id=BOB.node_id))

    assert code(answer) == ("register", 7)


def test_evidence_of_the_near_future_is_judged_at_its_own_start() -> None:
    chain = started()
    later = chain.register(BOB, valid_from_us=chain.next_us + 1)

    assert code(chain.check(later)) == ("", 0)


def test_evidence_is_judged_at_the_time_of_the_last_block() -> None:
    chain = Chain().start()
    chain.check(chain.register(BOB))
    assert chain.enclave.judged_at_us == GENESIS_US
    chain.decide([])

    chain.check(chain.register(BOB))

    assert chain.enclave.judged_at_us == GENESIS_US + BLOCK_US


def test_an_enclave_that_does_not_answer_gives_code_10_and_a_reason() -> None:
    chain = started()
    chain.enclave.available = False
    chain.app.take_reasons()

    assert code(chain.check(chain.register(BOB))) == ("register", 10)
    assert [type(one) for one in chain.app.take_reasons()] == [EnclaveUnavailable]
    assert code(chain.check(chain.send(ALICE, BOB))) == ("", 0)


def test_a_register_takes_half_of_a_block_at_most() -> None:
    raw_size = len(Chain().start().register(BOB))
    # a confirm of epoch 0 has at most 392 bytes here; see the bound's own test
    for max_bytes, expected in ((2 * raw_size, ("sdk", 21)), (2 * (raw_size + 500), ("", 0))):
        chain = started(max_bytes=max_bytes)

        assert code(chain.check(chain.register(BOB))) == expected


def test_a_register_that_takes_just_half_of_a_block_may_wait() -> None:
    raw = Chain().start().register(BOB)
    half = proto_size(len(raw)) + proto_size(confirm_size_bound(0))

    assert code(started(max_bytes=2 * half).check(raw)) == ("", 0)
    assert code(started(max_bytes=2 * half - 1).check(raw)) == ("sdk", 21)


def test_owners_are_zero_where_none_is_required() -> None:
    chain = started(network_policy=policy(require_owner=False))

    assert code(chain.check(chain.register(BOB))) == ("register", 5)
    assert code(chain.check(chain.register(BOB, owner=bytes(20)))) == ("", 0)


# --- again ---------------------------------------------------------------------------------------


def test_a_recheck_does_not_ask_the_judge() -> None:
    chain = started()
    raw = chain.register(BOB)
    chain.check(raw)
    chain.decide([])
    chain.enclave.calls.clear()

    assert code(chain.check(raw, again=True)) == ("", 0)
    assert chain.enclave.calls == []


def test_a_recheck_drops_what_has_expired() -> None:
    chain = started()
    raw = chain.register(BOB, valid_until_us=GENESIS_US + 2 * BLOCK_US)
    assert chain.check(raw).code == 0
    chain.decide([])
    assert chain.check(raw, again=True).code == 0  # the last instant
    chain.decide([])

    assert code(chain.check(raw, again=True)) == ("register", 4)


def test_a_recheck_drops_a_node_that_another_owner_registered() -> None:
    chain = started()
    raw = chain.register(CAROL, node_id=BOB.node_id)
    assert chain.check(raw).code == 0
    chain.produce([chain.register(BOB)])

    assert code(chain.check(raw, again=True)) == ("register", 7)


def test_a_recheck_drops_what_the_own_enclave_refused() -> None:
    chain = started()
    raw = chain.register(BOB, valid_until_us=GENESIS_US + BLOCK_US)
    assert chain.check(raw).code == 0
    assert chain.prepare([raw]) == []  # too old at the next block's time
    chain.decide([])

    assert code(chain.check(raw, again=True)) == ("register", 4)
    assert "evidence-too-old" in chain.check(raw).log


def test_what_is_not_yet_valid_is_dropped_from_a_proposal_and_waits_on() -> None:
    chain = started()
    raw = chain.register(BOB, valid_from_us=chain.next_us + 1)
    assert chain.check(raw).code == 0

    assert chain.prepare([raw]) == []
    chain.decide([])

    assert chain.check(raw, again=True).code == 0
    assert len(chain.prepare([raw])) == 2


def test_an_enclave_that_does_not_answer_is_no_refusal() -> None:
    chain = started()
    raw = chain.register(BOB)
    chain.check(raw)
    chain.enclave.available = False
    assert chain.prepare([raw]) == []
    chain.enclave.available = True
    chain.decide([])

    assert chain.check(raw, again=True).code == 0


def test_a_recheck_drops_what_three_decided_blocks_lacked_although_proposed() -> None:
    chain = started()
    raw = chain.register(BOB)
    chain.check(raw)
    answers = []
    for _ in range(3):
        assert len(chain.prepare([raw])) == 2
        assert len(chain.prepare([raw])) == 2  # a second round counts no second time
        chain.decide([])
        answers.append(chain.check(raw, again=True))

    assert [code(one) for one in answers] == [("", 0), ("", 0), ("register", 3)]
    assert "proposed 3 times" in answers[-1].log


def test_all_own_proposals_of_a_height_are_missed_together_and_once() -> None:
    chain = started()
    raws = [chain.register(person) for person in (BOB, CAROL, DAVE)]
    for raw in raws:
        assert chain.check(raw).code == 0
    answers = []
    for _ in range(3):
        assert len(chain.prepare(raws[:2])) == 4
        assert len(chain.prepare(raws[1:])) == 4
        chain.decide([])
        answers.append([code(chain.check(raw, again=True)) for raw in raws])

    assert answers == [[("", 0)] * 3, [("", 0)] * 3, [("register", 3)] * 3]


def test_a_height_without_an_own_proposal_does_not_count() -> None:
    chain = started()
    raw = chain.register(BOB)
    chain.check(raw)
    for _ in range(5):
        chain.decide([])

    assert chain.check(raw, again=True).code == 0


def test_a_recheck_drops_what_has_waited_a_hundred_blocks() -> None:
    chain = started()
    raw = chain.register(BOB)
    chain.check(raw)
    for _ in range(MAX_WAIT_BLOCKS - 1):
        chain.decide([])
    assert chain.check(raw, again=True).code == 0
    chain.decide([])

    answer = chain.check(raw, again=True)

    assert code(answer) == ("register", 4)
    assert "waited-too-long" in answer.log


def test_a_recheck_without_a_note_judges_again() -> None:
    chain = started()
    raw = chain.register(BOB, verdict=1)

    assert code(chain.check(raw, again=True)) == ("register", 2)


def test_a_bug_becomes_a_code_and_a_reason() -> None:
    chain = Chain().start()
    chain.enclave.bug = ZeroDivisionError("a bug")

    answer = chain.check(chain.register(BOB))

    assert (code(answer), answer.log) == (("sdk", 1), "internal")
    assert chain.app.take_reasons() == (RequestFailed("check_tx", "ZeroDivisionError: a bug"),)


def test_memory_errors_are_not_hidden() -> None:
    chain = Chain().start()
    chain.enclave.bug = MemoryError()

    with pytest.raises(MemoryError):
        chain.check(chain.register(BOB))
