import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from enigmacli.app.app_state import AppState, NetworkKeys
from enigmacli.app.genesis import (
    GenesisDocument,
    GenesisValidator,
    genesis_hash,
    new_genesis,
    validate,
)
from enigmacli.chain.messages import Coin
from enigmacli.errors import GenesisError, NotBootstrappedError
from tests.enigmacli.app.chain import (
    ALICE,
    BOB,
    EXCHANGE_PK,
    GENESIS_US,
    IO_PK,
    genesis,
    policy,
)

DOCUMENT = genesis({ALICE: 10, BOB: 5})
KEYS = NetworkKeys(EXCHANGE_PK, IO_PK, b"evidence", GENESIS_US)


def test_a_document_reads_back_as_it_was_written() -> None:
    assert GenesisDocument.parse(DOCUMENT.encode()) == DOCUMENT
    assert AppState.parse(DOCUMENT.app_state_bytes()) == DOCUMENT.app_state


def test_there_is_one_way_of_writing() -> None:
    assert GenesisDocument.parse(DOCUMENT.encode()).encode() == DOCUMENT.encode()


def test_an_empty_document_reads_back_too() -> None:
    document = new_genesis("my-chain", GENESIS_US + 999_999)

    assert GenesisDocument.parse(document.encode()) == document
    assert document.genesis_time_us == GENESIS_US


def test_the_hash_is_over_the_exact_bytes() -> None:
    assert (
        genesis_hash(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_the_form_is_that_of_the_engine() -> None:
    value = json.loads(DOCUMENT.encode())

    assert value["genesis_time"] == "2026-05-28T20:26:40Z"
    assert value["initial_height"] == "1"
    assert value["consensus_params"]["block"] == {"max_bytes": "1048576", "max_gas": "50000000"}
    assert value["validators"][0]["pub_key"]["type"] == "tendermint/PubKeyEd25519"
    assert {one["power"] for one in value["validators"]} == {"10", "5"}


Mutation = Callable[[dict[str, Any]], None]


def at(*path: str | int, value: Any) -> Mutation:
    """Set what stands at a path."""

    def mutate(document: dict[str, Any]) -> None:
        target: Any = document
        for name in path[:-1]:
            target = target[name]
        target[path[-1]] = value

    return mutate


REGISTER = ("app_state", "register")
MALFORMED: dict[str, Mutation] = {
    "unknown member": at("extra", value=1),
    "unknown member of app_state": at("app_state", "extra", value={}),
    "app_hash": at("app_hash", value="00"),
    "chain id in upper case": at("chain_id", value="Chain"),
    "chain id too long": at("chain_id", value="a" * 51),
    "chain id empty": at("chain_id", value=""),
    "time with a fraction": at("genesis_time", value="2026-05-28T20:26:40.5Z"),
    "time with an offset": at("genesis_time", value="2026-05-28T20:26:40+00:00"),
    "time is a number": at("genesis_time", value=1),
    "initial height zero": at("initial_height", value="0"),
    "initial height as number": at("initial_height", value=1),
    "initial height with a sign": at("initial_height", value="+1"),
    "gas without limit": at("consensus_params", "block", "max_gas", value="-1"),
    "no room in blocks": at("consensus_params", "block", "max_bytes", value="0"),
    "other validator keys": at(
        "consensus_params", "validator", "pub_key_types", value=["secp256k1"]
    ),
    "vote extensions": at("consensus_params", "abci", "vote_extensions_enable_height", value="1"),
    "an authority": at("consensus_params", "authority", value={"authority": "enigma1abc"}),
    "validator address": at("validators", 0, "address", value="00" * 20),
    "validator power zero": at("validators", 0, "power", value="0"),
    "validator key type": at("validators", 0, "pub_key", "type", value="other"),
    "address of another prefix": at(
        "app_state",
        "accounts",
        "accounts",
        0,
        "address",
        value="cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4",
    ),
    "prefix in upper case": at("app_state", "accounts", "bech32_prefix", value="Enigma"),
    "amount zero": at("app_state", "bank", "balances", 0, "coins", 0, "amount", value="0"),
    "amount negative": at("app_state", "bank", "balances", 0, "coins", 0, "amount", value="-1"),
    "amount as number": at("app_state", "bank", "balances", 0, "coins", 0, "amount", value=5),
    "amount of many digits": at(
        "app_state", "bank", "balances", 0, "coins", 0, "amount", value="9" * 70
    ),
    "denomination": at("app_state", "bank", "balances", 0, "coins", 0, "denom", value="!"),
    "key of another size": at(*REGISTER, "io_master_key", "bytes", value="AAAA"),
    "key not base64": at(*REGISTER, "io_master_key", "bytes", value="@"),
    "base64 without its padding bits": at(
        *REGISTER, "bootstrap", "certificate", value="Ym9vdHN0cmFwIGV2aWRlbmNlZR=="
    ),
    "bootstrap time": at(*REGISTER, "bootstrap", "time", value="yesterday"),
    "policy": at(*REGISTER, "params", "require_owner", value="yes"),
    "policy member too many": at(*REGISTER, "params", "extra", value=1),
    "registration is no list": at(*REGISTER, "registration", value={}),
    "node id in upper case": at(*REGISTER, "registration", 0, "node_id", value="AA" * 32),
    "node seed of another size": at(*REGISTER, "registration", 0, "encrypted_seed", value="AAAA"),
    "node measurement": at(*REGISTER, "registration", 0, "measurement", value="00"),
    "node height": at(*REGISTER, "registration", 0, "height", value=-1),
    "node evidence kind": at(*REGISTER, "registration", 0, "evidence_kind", value="other"),
    "node tcb status": at(*REGISTER, "registration", 0, "tcb_status", value="x" * 65),
    "validator node id": at("app_state", "validators", 0, "node_id", value="00"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_another_form_is_refused(name: str) -> None:
    value = json.loads(DOCUMENT.encode())
    MALFORMED[name](value)

    with pytest.raises(GenesisError):
        GenesisDocument.parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    "path",
    [
        ("validators",),
        ("app_state", "validators"),
        ("app_state", "accounts", "accounts"),
        ("app_state", "bank", "balances"),
    ],
    ids=".".join,
)
def test_lists_are_sorted_and_without_doubles(path: tuple[str, ...]) -> None:
    def mutated(change: Callable[[list[Any]], None]) -> bytes:
        document = json.loads(DOCUMENT.encode())
        found = document
        for name in path:
            found = found[name]
        change(found)
        return json.dumps(document).encode()

    for change in (list.reverse, lambda entries: entries.append(entries[-1])):
        with pytest.raises(GenesisError, match="ascending"):
            GenesisDocument.parse(mutated(change))


def test_a_genesis_as_cometbft_0_39_shows_it_is_the_same() -> None:
    value = json.loads(DOCUMENT.encode())
    value["consensus_params"]["authority"] = {"authority": ""}

    assert GenesisDocument.parse(json.dumps(value).encode()) == DOCUMENT


def test_every_member_is_needed() -> None:
    for name in ("app_state", "chain_id", "consensus_params", "genesis_time", "initial_height"):
        value = json.loads(DOCUMENT.encode())
        del value[name]

        with pytest.raises(GenesisError, match=f"lacks '{name}'"):
            GenesisDocument.parse(json.dumps(value).encode())


def test_keys_come_all_together_or_not_at_all() -> None:
    for name in ("bootstrap", "io_master_key", "node_exch_master_key"):
        value = json.loads(DOCUMENT.encode())
        del value["app_state"]["register"][name]

        with pytest.raises(GenesisError, match="not all"):
            GenesisDocument.parse(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"{", b'{"a":1,"a":2}', b"[]", b"\xff", b"{}x", b"null"])
def test_what_is_no_strict_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(GenesisError):
        GenesisDocument.parse(data)


# --- building ------------------------------------------------------------------------------------


def test_a_document_is_built_step_by_step() -> None:
    built = (
        new_genesis(DOCUMENT.chain_id, GENESIS_US - 5_000_000)
        .with_account(BOB.address, (Coin("uscrt", 5),))
        .with_account(ALICE.address)
        .with_policy(policy())
        .with_validator(GenesisValidator(ALICE.consensus_key, 10), ALICE.address, EXCHANGE_PK)
        .with_network_keys(KEYS)
    )

    validate(built)
    assert built.genesis_time_us == GENESIS_US  # raised to the bootstrap's
    assert GenesisDocument.parse(built.encode()) == built
    assert built.app_state.accounts == tuple(sorted((ALICE.address, BOB.address)))


def test_an_account_may_be_added_again_with_the_same_coins_only() -> None:
    once = new_genesis("c", GENESIS_US).with_account(BOB.address, (Coin("uscrt", 5),))

    assert once.with_account(BOB.address, (Coin("uscrt", 5),)) == once
    with pytest.raises(GenesisError, match="other coins"):
        once.with_account(BOB.address, (Coin("uscrt", 6),))


def test_a_bootstrapped_document_keeps_its_policy_and_keys() -> None:
    document = DOCUMENT.with_policy(policy())

    assert document == DOCUMENT
    with pytest.raises(GenesisError, match="another network"):
        DOCUMENT.with_policy(policy(max_evidence_age_s=1))
    with pytest.raises(GenesisError, match="another bootstrap"):
        DOCUMENT.with_network_keys(replace(KEYS, io_pk=EXCHANGE_PK))
    assert DOCUMENT.with_network_keys(KEYS) == DOCUMENT


def test_a_validator_with_the_same_key_is_replaced() -> None:
    again = DOCUMENT.with_validator(
        GenesisValidator(BOB.consensus_key, 7), BOB.address, BOB.node_id
    )

    assert sorted(one.power for one in again.validators) == [7, 10]
    assert len(again.app_state.validators) == 2


# --- consistency --------------------------------------------------------------------------------


def with_state(**changes: Any) -> GenesisDocument:
    return replace(DOCUMENT, app_state=replace(DOCUMENT.app_state, **changes))


def test_a_complete_document_is_valid() -> None:
    validate(DOCUMENT)


def test_a_document_without_keys_is_not_bootstrapped() -> None:
    with pytest.raises(NotBootstrappedError):
        validate(with_state(keys=None))


def test_a_document_without_policy_or_validators_is_refused() -> None:
    with pytest.raises(GenesisError, match="policy"):
        validate(with_state(policy=None))
    with pytest.raises(GenesisError, match="validators is empty"):
        validate(with_state(validators=()))


def test_the_bootstrap_may_not_be_later_than_the_start() -> None:
    late = replace(KEYS, at_us=GENESIS_US + 1_000_000)

    with pytest.raises(GenesisError, match=r"later than genesis_time"):
        validate(with_state(keys=late))


def test_network_keys_must_be_canonical() -> None:
    with pytest.raises(GenesisError, match="node_exch_master_key"):
        validate(with_state(keys=replace(KEYS, exchange_pk=bytes(32))))
    with pytest.raises(GenesisError, match="io_master_key"):
        validate(with_state(keys=replace(KEYS, io_pk=b"\xff" * 32)))


def test_validators_are_the_engines_one_to_one() -> None:
    with pytest.raises(GenesisError, match="not in the engine's list"):
        validate(replace(DOCUMENT, validators=DOCUMENT.validators[:1]))
    with pytest.raises(GenesisError, match="does not name"):
        validate(with_state(validators=DOCUMENT.app_state.validators[:1]))


def test_a_validator_is_the_bootstrap_node_or_registered() -> None:
    with pytest.raises(GenesisError, match="neither the bootstrap node"):
        validate(with_state(registration=()))


def test_a_node_serves_one_validator_key() -> None:
    entries = tuple(replace(one, node_id=EXCHANGE_PK) for one in DOCUMENT.app_state.validators)

    with pytest.raises(GenesisError, match="another key already"):
        validate(with_state(validators=entries))


def test_powers_keep_their_limits() -> None:
    heavy = tuple(replace(one, power=2**50 + 1) for one in DOCUMENT.validators)

    with pytest.raises(GenesisError, match=r"2\^50"):
        validate(replace(DOCUMENT, validators=heavy))


def test_coins_belong_to_accounts() -> None:
    with pytest.raises(GenesisError, match="is no account"):
        validate(with_state(accounts=DOCUMENT.app_state.accounts[1:]))


def test_a_node_is_carried_over_once_and_of_an_allowed_kind() -> None:
    node = DOCUMENT.app_state.registration[0]

    with pytest.raises(GenesisError, match="names a node twice"):
        validate(with_state(registration=(node, node)))
    other = replace(node, evidence_kind="dcap-sgx")
    with pytest.raises(GenesisError, match="evidence_kind"):
        validate(with_state(registration=(other,)))
    with pytest.raises(GenesisError, match="owner"):
        validate(with_state(registration=(replace(node, owner=bytes(20)),)))


def test_parsing_does_not_change_what_it_reads() -> None:
    value = json.loads(DOCUMENT.encode())
    before = copy.deepcopy(value)

    GenesisDocument.from_value(value)

    assert value == before
