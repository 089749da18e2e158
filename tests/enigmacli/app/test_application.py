"""The requests around blocks: Info, InitChain, Finalize and Commit, and what is not offered."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enclave.errors import EnclaveUnavailableError, ReportSignatureError
from enigmacli import protobuf
from enigmacli.app.application import Application
from enigmacli.app.consensus_params import ConsensusParams
from enigmacli.app.errors import RequestOrderError
from enigmacli.app.genesis import GenesisValidator
from enigmacli.app.reasons import AdvanceFailed
from enigmacli.app.state import StateStore
from enigmacli.errors import GenesisError, NotBootstrappedError
from tests.enigmacli.app.chain import (
    ALICE,
    BLOCK_US,
    BOB,
    CAROL,
    EXCHANGE_PK,
    GENESIS_US,
    IO_PK,
    Chain,
    genesis,
    timestamp,
)
from tests.enigmacli.app.simulated_enclave import SimulatedEnclave

# --- Info and InitChain --------------------------------------------------------------------------


def test_info_before_the_first_block_names_height_zero() -> None:
    chain = Chain()
    before = chain.info()
    chain.init_chain()
    chain.finalize([])
    after = chain.info()

    for info in (before, after):
        assert (info.last_block_height, info.last_block_app_hash) == (0, b"")
        assert (info.version, info.app_version) == ("1.2.3", 1)


def test_info_names_the_last_committed_block_only() -> None:
    chain = Chain().start()
    first = chain.decide([chain.send(ALICE, BOB)])
    second = chain.finalize([chain.send(ALICE, BOB)])

    info = chain.info()

    assert (info.last_block_height, info.last_block_app_hash) == (1, first.app_hash)
    assert second.app_hash != first.app_hash


def test_init_chain_answers_with_the_app_hash_of_the_genesis_state() -> None:
    chain = Chain()

    response = chain.init_chain()

    assert len(response.app_hash) == 32
    assert chain.decide([]).app_hash == response.app_hash


def test_init_chain_may_come_again_until_the_first_commit() -> None:
    chain = Chain()
    once, again = chain.init_chain(), chain.init_chain()
    chain.finalize([chain.send(ALICE, BOB)])
    after_finalize = chain.init_chain()

    assert once.app_hash == again.app_hash == after_finalize.app_hash
    assert chain.decide([]).app_hash == once.app_hash
    with pytest.raises(RequestOrderError, match="after the first block"):
        chain.init_chain()


def test_init_chain_keeps_nothing_on_disk(tmp_path: Path) -> None:
    chain = Chain(path=tmp_path / "state.db")
    chain.init_chain()
    chain.finalize([])

    again = Chain(path=tmp_path / "state.db")

    assert again.info().last_block_height == 0
    assert again.store.snapshot().rows == ()


def test_init_chain_has_the_own_enclave_judge_the_bootstrap_evidence_at_its_time() -> None:
    chain = Chain().start()

    recorded_us = GENESIS_US - 60_000_000
    assert chain.enclave.bootstraps == [(b"bootstrap evidence", recorded_us, EXCHANGE_PK, IO_PK)]


def test_init_chain_refuses_forged_bootstrap_evidence() -> None:
    document = genesis()
    keys = document.app_state.keys
    assert keys is not None
    forged = replace(keys, certificate=b"forged")
    state = replace(document.app_state, keys=forged)

    with pytest.raises(ReportSignatureError):
        Chain(replace(document, app_state=state)).start()


def test_init_chain_refuses_when_nobody_can_judge() -> None:
    with pytest.raises(EnclaveUnavailableError):
        Chain(enclave=SimulatedEnclave(available=False)).start()

    chain = Chain()
    chain.app = Application(chain.store, chain.enclave, None)
    with pytest.raises(RequestOrderError, match="enclave"):
        chain.init_chain()


def test_init_chain_refuses_validators_that_are_not_the_engines() -> None:
    document = genesis({ALICE: 10, BOB: 5})

    with pytest.raises(GenesisError, match="not in the engine's list"):
        Chain(replace(document, validators=document.validators[:1])).start()
    extra = GenesisValidator(CAROL.consensus_key, 1)
    with pytest.raises(GenesisError, match="does not name"):
        Chain(replace(document, validators=(*document.validators, extra))).start()


def test_init_chain_refuses_an_incomplete_or_unlimited_genesis() -> None:
    document = genesis()

    with pytest.raises(NotBootstrappedError):
        Chain(replace(document, app_state=replace(document.app_state, keys=None))).start()
    with pytest.raises(GenesisError, match="max_gas"):
        Chain(replace(document, consensus=ConsensusParams(max_gas=-1))).start()
    with pytest.raises(GenesisError, match="chain id"):
        Chain(replace(document, chain_id="Upper")).start()


def test_white_space_in_app_state_changes_nothing() -> None:
    chain = Chain()
    spaced = json.dumps(json.loads(chain.genesis.app_state_bytes()), indent=4).encode()
    request: dict[str, Any] = {
        "time": timestamp(GENESIS_US),
        "chain_id": chain.genesis.chain_id,
        "consensus_params": chain.genesis.consensus.to_message(),
        "validators": [{"pub_key": {"ed25519": ALICE.consensus_key}, "power": 10}],
        "app_state_bytes": spaced,
        "initial_height": 1,
    }

    assert chain.ask("init_chain", request).app_hash == Chain().init_chain().app_hash


def test_genesis_entries_stand_in_ascending_order_and_nodes_in_that_of_their_list() -> None:
    document = genesis({ALICE: 10, BOB: 1, CAROL: 1})
    chain = Chain(document).start()
    chain.decide([])

    keys: dict[str, list[bytes]] = {}
    for store, _, key, _ in chain.store.snapshot().rows:
        keys.setdefault(store, []).append(key)

    nodes = [b"\x01" + one.node_id for one in document.app_state.registration]
    assert keys["register"][:2] == nodes
    assert keys["register"][2:] == sorted(keys["register"][2:])
    for store in ("accounts", "bank", "params", "validators"):
        assert keys[store] == sorted(keys[store])


def test_a_chain_may_start_at_a_later_height() -> None:
    chain = Chain(genesis(initial_height=100)).start()

    chain.decide([chain.send(ALICE, BOB)])

    assert chain.info().last_block_height == 100
    assert chain.query("/store/params/key", b"\x01Epoch").height == 100


# --- Finalize and Commit -------------------------------------------------------------------------


def test_a_second_finalize_of_the_same_height_replaces_the_first() -> None:
    chain, other = Chain().start(), Chain().start()
    chain.finalize([chain.send(ALICE, BOB)])

    response = chain.decide([chain.send(ALICE, CAROL)])

    assert response.app_hash == other.decide([other.send(ALICE, CAROL)]).app_hash


def test_a_crash_before_commit_leaves_the_block_before(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    chain = Chain(path=path).start()
    first = chain.decide([chain.send(ALICE, BOB)])
    raw = chain.send(ALICE, CAROL)
    finalized = chain.finalize([raw])

    again = Chain(path=path)

    assert again.info().last_block_app_hash == first.app_hash
    assert again.decide([raw]).app_hash == finalized.app_hash
    assert again.info().last_block_height == 2


def test_a_restart_after_commit_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    chain, unbroken = Chain(path=path).start(), Chain().start()
    for one in (chain, unbroken):
        one.decide([one.send(ALICE, BOB), *one.prepare([one.register(CAROL)])])
    chain.store.close()

    again = Chain(path=path)

    assert again.decide([again.send(ALICE, BOB)]).app_hash == (
        unbroken.decide([unbroken.send(ALICE, BOB)]).app_hash
    )


def test_only_the_next_height_may_be_finalized() -> None:
    chain = Chain().start()
    for height in (0, 2):
        with pytest.raises(RequestOrderError, match="expected 1"):
            chain.ask("finalize_block", {"height": height, "time": timestamp(GENESIS_US)})


def test_a_commit_needs_a_finalized_block() -> None:
    chain = Chain().start()
    with pytest.raises(RequestOrderError):
        chain.commit()
    chain.decide([])
    with pytest.raises(RequestOrderError):
        chain.commit()


def test_no_block_comes_before_genesis() -> None:
    chain = Chain()
    for ask in (chain.prepare, chain.process, chain.finalize):
        with pytest.raises(RequestOrderError, match="InitChain comes first"):
            ask([])


def test_commit_tells_the_enclave_the_time_of_the_block() -> None:
    chain = Chain().start()

    chain.decide([])

    assert chain.enclave.clock_us == GENESIS_US + BLOCK_US


def test_a_failed_advance_is_noted_and_ignored() -> None:
    chain = Chain().start()
    chain.enclave.available = False

    chain.decide([])

    (reason,) = chain.app.take_reasons()
    assert isinstance(reason, AdvanceFailed)
    assert reason.height == 1
    assert chain.info().last_block_height == 1


def test_an_exception_in_finalize_goes_out() -> None:
    chain = Chain().start()
    chain.decide([])
    raw = chain.send(ALICE, BOB)
    broken = chain.store.prepare({("accounts", b"\x01" + ALICE.address): b"\xff"})
    chain.store.commit(broken, height=1, at_us=0, chain_id="c", initial_height=1)

    with pytest.raises(ValueError, match="BaseAccount"):
        chain.finalize([raw])


def test_results_stand_in_the_order_of_the_transactions() -> None:
    chain = Chain().start()
    txs = [b"rubbish", chain.send(ALICE, BOB), b"\x00", chain.send(BOB, ALICE)]

    assert [one.code for one in chain.decide(txs).tx_results] == [2, 0, 2, 0]


# --- what else the engine may ask ----------------------------------------------------------------


def test_echo_and_flush_are_answered() -> None:
    chain = Chain()

    assert chain.ask("echo", {"message": "hello"}).message == "hello"
    chain.ask("flush", {})


def test_no_snapshots_are_offered_or_taken() -> None:
    chain = Chain()

    assert not chain.ask("list_snapshots", {}).snapshots
    assert chain.ask("offer_snapshot", {}).result == 3  # REJECT
    assert chain.ask("load_snapshot_chunk", {}).chunk == b""
    assert chain.ask("apply_snapshot_chunk", {}).result == 2  # ABORT


def test_vote_extensions_are_empty_and_no_others_are_accepted() -> None:
    chain = Chain()

    assert chain.ask("extend_vote", {}).vote_extension == b""
    assert chain.ask("verify_vote_extension", {}).status == 1
    assert chain.ask("verify_vote_extension", {"vote_extension": b"x"}).status == 2


@pytest.mark.parametrize("data", [b"\xff", b"", b"\xa2\x01\x00" * 2 + b"\x07"])
def test_bytes_that_are_no_request_are_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Request|request"):
        Chain().app.handle(data)


def test_reasons_are_taken_once_and_do_not_pile_up() -> None:
    chain = Chain(enclave=SimulatedEnclave()).start()
    chain.enclave.available = False
    for _ in range(1_100):
        chain.app.reasons.append(AdvanceFailed(1, "x"))

    assert len(chain.app.take_reasons()) == 1_000
    assert chain.app.take_reasons() == ()


def test_the_application_needs_nothing_but_its_store_to_answer(tmp_path: Path) -> None:
    chain = Chain(path=tmp_path / "state.db").start()
    chain.decide([])
    chain.store.close()
    store = StateStore(tmp_path / "state.db")
    app = Application(store, SimulatedEnclave(available=False), None)

    request = protobuf.new("tendermint.abci.Request", info={}).SerializeToString()

    response = protobuf.parse("tendermint.abci.Response", app.handle(request))
    assert response.info.last_block_height == 1
