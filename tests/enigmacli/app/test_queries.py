"""Query: answers, codes, heights and proofs (protocol.md sections 9 and 10)."""

from typing import Any

import pytest

from enigmacli import protobuf
from enigmacli.app.method_queries import MAX_PAGE
from enigmacli.app.reasons import RequestFailed
from enigmacli.chain.address import encode_address
from enigmacli.chain.gas import gas_needed
from enigmacli.chain.merkle import ProofOp, verify_store_proof
from enigmacli.chain.messages import Coin, MsgSend, RaAuthenticate
from enigmacli.chain.signing import encode_auth_info, encode_body, encode_tx
from enigmacli.errors import UntrustedAnswerError
from tests.enigmacli.app.chain import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    EXCHANGE_PK,
    FUNDS,
    IO_PK,
    PEOPLE,
    Chain,
)

REGISTRATION = "secret.registration.v1beta1"
OURS = "enigma.registration.v1"


@pytest.fixture
def chain() -> Chain:
    """Bob's node is registered, and the last block changed something."""
    started = Chain().start()
    started.produce([started.register(BOB)])
    return started


def ask(chain: Chain, method: str, kind: str, **values: Any) -> Any:
    request = protobuf.new(kind, **values).SerializeToString()
    return chain.query(f"/{method}", request)


def refused(answer: Any) -> tuple[str, int]:
    assert answer.code
    assert answer.log
    assert answer.value == b""
    return answer.codespace, answer.code


def test_the_networks_keys(chain: Chain) -> None:
    for method, key in (("TxKey", IO_PK), ("RegistrationKey", EXCHANGE_PK)):
        answer = chain.query(f"/{REGISTRATION}.Query/{method}")

        assert protobuf.parse(f"{REGISTRATION}.Key", answer.value).key == key


def test_the_encrypted_seed_of_a_node(chain: Chain) -> None:
    kind = f"{REGISTRATION}.QueryEncryptedSeedRequest"
    answer = ask(chain, f"{REGISTRATION}.Query/EncryptedSeed", kind, pub_key=BOB.node_id)

    response = protobuf.parse(f"{REGISTRATION}.QueryEncryptedSeedResponse", answer.value)
    assert len(response.encrypted_seed) == 48


def test_an_unknown_node_is_an_error_with_code_8_and_never_empty_bytes(chain: Chain) -> None:
    kind = f"{REGISTRATION}.QueryEncryptedSeedRequest"
    answers = [
        ask(chain, f"{REGISTRATION}.Query/EncryptedSeed", kind, pub_key=CAROL.node_id),
        ask(chain, f"{OURS}.Query/Node", f"{OURS}.QueryNodeRequest", node_id=CAROL.node_id),
        chain.query("/store/register/key", b"\x01" + CAROL.node_id),
        chain.query("/store/register/key", b"\x01" + CAROL.node_id, prove=True),
    ]

    assert [refused(answer) for answer in answers] == [("register", 8)] * 4


def test_a_node_id_of_another_size_is_an_invalid_request(chain: Chain) -> None:
    kind = f"{REGISTRATION}.QueryEncryptedSeedRequest"
    answer = ask(chain, f"{REGISTRATION}.Query/EncryptedSeed", kind, pub_key=b"short")

    assert refused(answer) == ("sdk", 18)


def test_the_record_of_a_node(chain: Chain) -> None:
    answer = ask(chain, f"{OURS}.Query/Node", f"{OURS}.QueryNodeRequest", node_id=BOB.node_id)

    record = protobuf.parse(f"{OURS}.QueryNodeResponse", answer.value).record
    assert (record.owner, record.height) == (BOB.address, 1)


def test_all_nodes_page_by_page() -> None:
    chain = Chain().start()
    chain.produce([chain.register(one) for one in (ALICE, BOB, CAROL)])
    chain.produce([chain.register(one) for one in (DAVE, ERIN)])
    found, key = [], b""
    for expected in (2, 2, 1):
        answer = ask(
            chain,
            f"{OURS}.Query/Nodes",
            f"{OURS}.QueryNodesRequest",
            pagination={"key": key, "limit": 2},
        )
        page = protobuf.parse(f"{OURS}.QueryNodesResponse", answer.value)
        assert len(page.nodes) == expected
        found += [one.node_id for one in page.nodes]
        key = page.pagination.next_key

    assert key == b""
    assert found == sorted(one.node_id for one in PEOPLE)


def test_all_nodes_at_once(chain: Chain) -> None:
    answer = chain.query(f"/{OURS}.Query/Nodes")

    (node,) = protobuf.parse(f"{OURS}.QueryNodesResponse", answer.value).nodes
    stored = chain.query("/store/register/key", b"\x01" + node.node_id)
    assert stored.value == node.record.SerializeToString()


@pytest.mark.parametrize("page", [{"offset": 1}, {"reverse": True}, {"count_total": True}])
def test_other_ways_of_paging_are_refused(chain: Chain, page: dict[str, Any]) -> None:
    answer = ask(chain, f"{OURS}.Query/Nodes", f"{OURS}.QueryNodesRequest", pagination=page)

    assert refused(answer) == ("sdk", 37)


def test_an_unknown_account_is_told_in_the_words_that_clients_know(chain: Chain) -> None:
    kind = "cosmos.auth.v1beta1.QueryAccountRequest"
    text = encode_address("enigma", bytes(20))
    answer = ask(chain, "cosmos.auth.v1beta1.Query/Account", kind, address=text)

    assert refused(answer) == ("sdk", 22)
    assert answer.log.startswith("rpc error: code = NotFound")


def test_addresses_of_another_prefix_are_refused(chain: Chain) -> None:
    for method in ("bank.v1beta1.Query/Balance", "bank.v1beta1.Query/AllBalances"):
        kind = f"cosmos.bank.v1beta1.Query{method.rpartition('/')[2]}Request"
        answer = ask(chain, f"cosmos.{method}", kind, address="nonsense")

        assert refused(answer) == ("sdk", 7)


def test_balances_and_their_absence(chain: Chain) -> None:
    kind = "cosmos.bank.v1beta1.QueryBalanceRequest"
    other = ask(chain, "cosmos.bank.v1beta1.Query/Balance", kind, address=BOB.bech32, denom="other")
    malformed = ask(chain, "cosmos.bank.v1beta1.Query/Balance", kind, address=BOB.bech32, denom="!")

    response = protobuf.parse("cosmos.bank.v1beta1.QueryBalanceResponse", other.value)
    assert (response.balance.denom, response.balance.amount) == ("other", "0")
    assert chain.balance(BOB) == FUNDS - 1_000
    assert refused(malformed) == ("sdk", 10)


@pytest.mark.parametrize(
    "path", ["", "/", "/unknown", "/store/register", "/store/register/key/more", "store/bank/key"]
)
def test_unknown_paths_are_refused(chain: Chain, path: str) -> None:
    assert refused(chain.query(path)) == ("sdk", 6)


def test_an_unknown_store_is_refused(chain: Chain) -> None:
    assert refused(chain.query("/store/other/key", b"\x01")) == ("sdk", 6)


def test_an_absent_entry_is_refused(chain: Chain) -> None:
    assert refused(chain.query("/store/bank/key", b"\x01nobody", prove=True)) == ("sdk", 22)


def test_a_request_that_cannot_be_read_is_refused(chain: Chain) -> None:
    assert refused(chain.query(f"/{OURS}.Query/Node", b"\xff")) == ("sdk", 18)


def test_nothing_is_answered_before_the_first_block() -> None:
    chain = Chain().start()

    assert refused(chain.query(f"/{REGISTRATION}.Query/TxKey")) == ("sdk", 26)
    assert refused(chain.query("/store/params/key", b"\x01Epoch")) == ("sdk", 26)


def test_a_bug_becomes_a_code_and_a_reason(chain: Chain) -> None:
    broken = chain.store.prepare({("register", b"\x02IoExchMasterKey"): b"\xff"})
    chain.store.commit(broken, height=2, at_us=0, chain_id="c", initial_height=1)

    assert refused(chain.query(f"/{REGISTRATION}.Query/TxKey")) == ("sdk", 1)
    assert [type(one) for one in chain.app.take_reasons()] == [RequestFailed]


# --- heights and proofs --------------------------------------------------------------------------


def proven(answer: Any, store: str, app_hash: bytes) -> None:
    ops = [ProofOp(op.type, op.key, op.data) for op in answer.proof_ops.ops]
    verify_store_proof(app_hash, store, answer.key, answer.value, ops)


def test_an_entry_is_proven_by_the_app_hash_of_the_next_header(chain: Chain) -> None:
    key = b"\x01" + BOB.node_id
    answer = chain.query("/store/register/key", key, prove=True)

    assert (answer.key, answer.height) == (key, 1)
    assert [op.type for op in answer.proof_ops.ops] == ["simple:v", "simple:v"]
    assert [op.key for op in answer.proof_ops.ops] == [key, b"register"]
    proven(answer, "register", chain.app_hashes[0])


def test_a_proof_fails_under_another_app_hash_or_value(chain: Chain) -> None:
    answer = chain.query("/store/register/key", b"\x01" + BOB.node_id, prove=True)
    ops = [ProofOp(op.type, op.key, op.data) for op in answer.proof_ops.ops]

    with pytest.raises(UntrustedAnswerError):
        verify_store_proof(bytes(32), "register", answer.key, answer.value, ops)
    with pytest.raises(UntrustedAnswerError):
        verify_store_proof(chain.app_hashes[0], "register", answer.key, b"other", ops)


def test_every_entry_of_every_store_is_provable(chain: Chain) -> None:
    rows = chain.store.snapshot().rows
    assert len(rows) > 20
    for store, _, key, _ in rows:
        answer = chain.query(f"/store/{store}/key", key, prove=True)

        proven(answer, store, chain.app_hashes[-1])


def test_without_prove_there_is_no_proof(chain: Chain) -> None:
    answer = chain.query("/store/register/key", b"\x01" + BOB.node_id)

    assert not answer.HasField("proof_ops")


def test_the_height_is_one_less_after_a_block_that_changed_nothing(chain: Chain) -> None:
    key = b"\x01" + BOB.node_id
    for number in (2, 3):
        chain.decide([])
        answer = chain.query("/store/register/key", key, prove=True)

        # the header after that height exists, and carries this app hash
        assert answer.height == number - 1
        proven(answer, "register", chain.app_hashes[answer.height - 1])


def test_any_other_height_is_an_error(chain: Chain) -> None:
    chain.decide([])
    key = b"\x01" + BOB.node_id

    for height, good in ((0, True), (1, True), (2, False), (3, False), (-1, False)):
        for answer in (
            chain.query("/store/register/key", key, height=height),
            chain.query(f"/{REGISTRATION}.Query/TxKey", height=height),
        ):
            assert (answer.code == 0) is good
            if not good:
                assert refused(answer) == ("sdk", 26)


def test_a_block_in_progress_is_not_seen(chain: Chain) -> None:
    chain.finalize([chain.send(ALICE, BOB, 5)])

    assert chain.balance(ALICE) == FUNDS


# --- Simulate -----------------------------------------------------------------------------------


def simulated(chain: Chain, raw: bytes) -> Any:
    kind = "cosmos.tx.v1beta1.SimulateRequest"
    return ask(chain, "cosmos.tx.v1beta1.Service/Simulate", kind, tx_bytes=raw)


def gas(answer: Any) -> int:
    response = protobuf.parse("cosmos.tx.v1beta1.SimulateResponse", answer.value)
    assert response.HasField("result")
    return int(response.gas_info.gas_used)


def test_a_signed_transaction_is_simulated_at_its_own_size(chain: Chain) -> None:
    raw = chain.send(ALICE, BOB)

    assert gas(simulated(chain, raw)) == gas_needed(len(raw), 0)


def test_a_simulation_without_signature_and_fee_is_enough_for_the_real_one(chain: Chain) -> None:
    for message in (
        MsgSend(ALICE.bech32, BOB.bech32, (Coin("uscrt", 5),)),
        RaAuthenticate(ALICE.address, b"some evidence"),
    ):
        bare = encode_tx(encode_body(message), encode_auth_info(ALICE.public_key, 0, 0, ()), b"")
        real = chain.sign(ALICE, message)

        registers = int(isinstance(message, RaAuthenticate))
        assert gas(simulated(chain, bare)) >= gas_needed(len(real), registers)


def test_a_simulation_tells_that_the_transaction_would_fail(chain: Chain) -> None:
    assert refused(simulated(chain, chain.send(ALICE, BOB, 10**12))) == ("sdk", 5)
    assert refused(simulated(chain, chain.send(ALICE, BOB, after=1))) == ("sdk", 32)
    assert refused(simulated(chain, chain.vote(BOB, ALICE, 1))) == ("validator", 2)
    assert refused(simulated(chain, b"")) == ("sdk", 18)


def test_a_simulation_neither_changes_anything_nor_asks_the_enclave(chain: Chain) -> None:
    chain.enclave.calls.clear()
    simulated(chain, chain.send(ALICE, BOB, 5))
    simulated(chain, chain.register(ALICE))

    assert chain.enclave.calls == []
    assert chain.balance(ALICE) == FUNDS


def test_a_page_is_bounded_whatever_is_asked_for() -> None:
    chain = Chain().start()
    chain.decide([])
    record = protobuf.new(f"{OURS}.NodeRecord", height=1).SerializeToString()
    many = {("register", b"\x01" + n.to_bytes(32)): record for n in range(MAX_PAGE + 1)}
    pending = chain.store.prepare(many)
    chain.store.commit(pending, height=2, at_us=0, chain_id="c", initial_height=1)

    answer = ask(
        chain, f"{OURS}.Query/Nodes", f"{OURS}.QueryNodesRequest", pagination={"limit": 10**6}
    )

    page = protobuf.parse(f"{OURS}.QueryNodesResponse", answer.value)
    assert len(page.nodes) == MAX_PAGE
    assert page.pagination.next_key == b"\x01" + MAX_PAGE.to_bytes(32)
