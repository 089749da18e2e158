"""Registers and confirms in a decided block (protocol.md sections 7 and 8.4)."""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from enclave.calls import AdmitReply
from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.app.register import confirm_size_bound, make_confirm
from enigmacli.chain.tx import ConfirmNode, encode_confirm, parse_confirm, tx_hash
from tests import corpus
from tests.enigmacli.app.chain import ALICE, BOB, CAROL, FUNDS, Chain, Person, genesis, policy
from tests.enigmacli.app.simulated_enclave import MEASUREMENT, SimulatedEnclave, evidence


def confirmed(chain: Chain, raw: bytes, person: Person, **changes: Any) -> bytes:
    """The confirm that the enclave would make for a person's register, or a changed one."""
    reply = chain.enclave.admit(evidence(person.node_id, person.address), person.address, 0)
    confirm = parse_confirm(make_confirm(raw, reply))
    values = {one.name: getattr(confirm, one.name) for one in fields(confirm)}
    return encode_confirm(ConfirmNode(**(values | changes)))


def record(chain: Chain, person: Person) -> Any:
    value = chain.store.get("register", b"\x01" + person.node_id)
    return protobuf.parse("enigma.registration.v1.NodeRecord", value) if value else None


def codes(response: Any) -> list[tuple[str, int]]:
    return [(one.codespace, one.code) for one in response.tx_results]


def test_a_register_with_its_confirm_writes_the_record() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    response = chain.decide([raw, confirmed(chain, raw, BOB)])

    found = record(chain, BOB)
    assert codes(response) == [("", 0), ("", 0)]
    assert found.evidence_sha256 == hashlib.sha256(evidence(BOB.node_id, BOB.address)).digest()
    assert found.encrypted_seed == hashlib.sha384(b"the seed" + BOB.node_id).digest()
    assert (found.owner, found.height, found.epoch) == (BOB.address, 1, 0)
    assert (found.evidence_kind, found.measurement) == ("epid", MEASUREMENT)
    assert found.tcb_status == "OK"


def test_a_confirm_has_no_gas_and_both_have_their_response() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    first, second = chain.decide([raw, confirmed(chain, raw, BOB)]).tx_results

    assert (second.gas_wanted, second.gas_used) == (0, 0)
    answers = [
        protobuf.parse("cosmos.base.abci.v1beta1.TxMsgData", one.data).msg_responses[0]
        for one in (first, second)
    ]
    assert [one.type_url for one in answers] == [
        "/secret.registration.v1beta1.RaAuthenticateResponse",
        "/enigma.registration.v1.ConfirmNodeResponse",
    ]
    seed = hashlib.sha384(b"the seed" + BOB.node_id).hexdigest()
    response = protobuf.parse(
        "secret.registration.v1beta1.RaAuthenticateResponse", answers[0].value
    )
    assert response.data == f"S: {seed}"


def test_the_event_has_the_peers_attributes_in_their_order() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    (event,) = chain.decide([raw, confirmed(chain, raw, BOB)]).tx_results[0].events

    seed = hashlib.sha384(b"the seed" + BOB.node_id).hexdigest()
    assert event.type == "message"
    assert [(one.key, one.value) for one in event.attributes] == [
        ("module", "register"),
        ("signer", BOB.bech32),
        ("encrypted_seed", f"0x{seed}"),
        ("node_id", f"0x{BOB.node_id.hex()}"),
    ]


def only_fee(chain: Chain, txs: list[bytes], expected: list[tuple[str, int]]) -> None:
    """Nothing is registered; Bob has paid his fee and his sequence went up."""
    response = chain.decide(txs)

    assert codes(response) == expected, [one.log for one in response.tx_results]
    assert record(chain, BOB) is None
    assert chain.balance(BOB) == FUNDS - 1_000
    assert chain.account(BOB)[1] == 1
    assert all(not one.data and not one.events for one in response.tx_results if one.code)


NOT_REGISTERED, MISPLACED = ("register", 8), ("register", 9)


def test_a_register_without_confirm_changes_only_fee_and_sequence() -> None:
    chain = Chain().start()
    only_fee(chain, [chain.register(BOB)], [NOT_REGISTERED])


def test_a_confirm_that_is_not_adjacent_does_not_count() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    txs = [raw, chain.send(ALICE, CAROL), confirmed(chain, raw, BOB)]

    only_fee(chain, txs, [NOT_REGISTERED, ("", 0), MISPLACED])


def test_a_confirm_before_its_register_does_not_count() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    only_fee(chain, [confirmed(chain, raw, BOB), raw], [MISPLACED, NOT_REGISTERED])


def test_a_confirm_of_another_register_does_not_count() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    other = chain.register(CAROL)

    only_fee(chain, [raw, confirmed(chain, other, BOB)], [NOT_REGISTERED, MISPLACED])


def trailing(raw: bytes) -> bytes:
    """The same with an explicit default behind it: readable, not canonical."""
    return raw + b"\x12\x00"


INVALID: dict[str, Callable[[Chain, bytes], bytes]] = {
    "not canonical": lambda chain, raw: trailing(confirmed(chain, raw, BOB)),
    "another epoch": lambda chain, raw: confirmed(chain, raw, BOB, epoch=1),
    "no seed": lambda chain, raw: confirmed(chain, raw, BOB, encrypted_seed=b""),
    "two epochs' seeds": lambda chain, raw: confirmed(chain, raw, BOB, encrypted_seed=bytes(96)),
    "a short seed": lambda chain, raw: confirmed(chain, raw, BOB, encrypted_seed=bytes(47)),
    "a short node id": lambda chain, raw: confirmed(chain, raw, BOB, node_id=bytes(31)),
    "another hash": lambda chain, raw: confirmed(chain, raw, BOB, register_tx_hash=bytes(32)),
    "a kind not of the policy": lambda chain, raw: confirmed(
        chain, raw, BOB, evidence_kind="dcap-tdx", measurement=bytes(48)
    ),
    "a measurement of another kind": lambda chain, raw: confirmed(
        chain, raw, BOB, measurement=bytes(48)
    ),
    "an endless status": lambda chain, raw: confirmed(chain, raw, BOB, tcb_status="x" * 65),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_confirm_does_not_count(name: str) -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    only_fee(chain, [raw, INVALID[name](chain, raw)], [NOT_REGISTERED, MISPLACED])


def test_a_confirm_elsewhere_gets_code_9_and_changes_nothing() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    confirm = confirmed(chain, raw, BOB)
    before = chain.decide([raw, confirm]).app_hash

    assert codes(chain.decide([confirm, confirm])) == [MISPLACED, MISPLACED]
    assert chain.app_hashes[-1] == before


def test_a_second_confirm_behind_the_pair_gets_code_9() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    confirm = confirmed(chain, raw, BOB)

    assert codes(chain.decide([raw, confirm, confirm])) == [("", 0), ("", 0), MISPLACED]


def test_a_confirm_inside_a_signed_transaction_gets_code_9() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    message = parse_confirm(confirmed(chain, raw, BOB))
    signed = chain.sign(ALICE, message)  # type: ignore[arg-type]

    assert codes(chain.decide([signed])) == [MISPLACED]


def test_the_confirm_of_a_register_that_fails_before_its_fee_gets_code_9() -> None:
    chain = Chain().start()
    raw = chain.register(BOB, after=1)

    assert codes(chain.decide([raw, confirmed(chain, raw, BOB)])) == [("sdk", 32), MISPLACED]


def test_a_register_of_too_much_evidence_gets_code_6() -> None:
    chain = Chain().start()
    raw = chain.register(BOB, certificate=bytes(64 * 1024 + 1), gas=1_000_000)

    assert codes(chain.decide([raw, confirmed(chain, raw, BOB)])) == [("register", 6), MISPLACED]


def test_finalize_never_asks_the_enclave_nor_reads_evidence() -> None:
    chain = Chain().start()
    chain.enclave.calls.clear()
    raw = chain.register(BOB, certificate=b"no evidence at all")
    confirm = confirmed(chain, raw, BOB)
    chain.enclave.calls.clear()

    response = chain.finalize([raw, confirm])

    assert codes(response) == [("", 0), ("", 0)]
    assert chain.enclave.calls == []


# --- known nodes ---------------------------------------------------------------------------------


def test_the_same_owner_renews_the_record() -> None:
    chain = Chain().start()
    first = chain.register(BOB)
    chain.decide([first, confirmed(chain, first, BOB)])
    second = chain.register(BOB)

    response = chain.decide([second, confirmed(chain, second, BOB, tcb_status="NEW")])

    assert codes(response) == [("", 0), ("", 0)]
    assert (record(chain, BOB).tcb_status, record(chain, BOB).height) == ("NEW", 2)


def test_another_owner_is_refused_with_code_7() -> None:
    chain = Chain().start()
    first = chain.register(BOB)
    chain.decide([first, confirmed(chain, first, BOB)])
    second = chain.register(CAROL, node_id=BOB.node_id)

    response = chain.decide([second, confirmed(chain, second, BOB)])

    assert codes(response) == [("register", 7), MISPLACED]
    assert record(chain, BOB).owner == BOB.address


def test_without_required_owners_every_owner_is_zero_and_anybody_renews() -> None:
    chain = Chain(genesis(network_policy=policy(require_owner=False))).start()
    first = chain.register(BOB)
    chain.decide([first, confirmed(chain, first, BOB)])
    second = chain.register(CAROL, node_id=BOB.node_id)

    response = chain.decide([second, confirmed(chain, second, BOB)])

    assert codes(response) == [("", 0), ("", 0)]
    assert record(chain, BOB).owner == bytes(20)


def test_no_confirm_is_longer_than_the_bound() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    longest = confirmed(chain, raw, BOB, measurement=bytes(48), tcb_status="x" * 64)

    assert len(longest) <= confirm_size_bound(0)
    assert confirm_size_bound(1) >= confirm_size_bound(0) + 48


def test_the_committed_confirms_are_those_of_the_last_block() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)
    confirm = confirmed(chain, raw, BOB)
    at_us = chain.next_us

    chain.decide([chain.send(ALICE, CAROL), raw, confirm])

    (found,) = chain.app.committed_confirms(1)
    assert found.place == 1
    assert (found.certificate, found.owner) == (evidence(BOB.node_id, BOB.address), BOB.address)
    assert found.at_us == at_us
    assert make_confirm(raw, found.confirm) == confirm
    chain.decide([])
    assert chain.app.committed_confirms(1) == chain.app.committed_confirms(2) == ()


def test_registered_keys_are_the_peers() -> None:
    chain = Chain(enclave=SimulatedEnclave()).start()
    chain.decide([])

    for name in (layout.EXCHANGE_KEY, layout.IO_KEY):
        current = chain.store.get("register", name)

        assert name in {b"\x02NodeExchMasterKey", b"\x02IoExchMasterKey"}
        assert chain.store.get("register", name + bytes(4)) == current
        assert len(protobuf.parse("secret.registration.v1beta1.MasterKey", current).bytes) == 32


def test_known_confirms_come_out() -> None:
    cases = corpus.load("kat/protocol_v1.json")["confirm"]
    assert cases
    for case in cases:
        reply = AdmitReply(
            bytes.fromhex(case["node_id"]),
            bytes.fromhex(case["encrypted_seed"]),
            case["epoch"],
            case["evidence_kind"],
            bytes.fromhex(case["measurement"]),
            case["tcb_status"],
        )

        assert make_confirm(bytes.fromhex(case["register_tx"]), reply).hex() == case["tx"]


def test_the_hash_in_a_confirm_is_that_of_the_raw_transaction() -> None:
    chain = Chain().start()
    raw = chain.register(BOB)

    assert parse_confirm(confirmed(chain, raw, BOB)).register_tx_hash == tx_hash(raw)
