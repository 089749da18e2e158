import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from enigmacli.app.genesis import GenesisDocument
from enigmacli.home import Home

ADDRESS = "enigma19rl4cm2hmr8afy4kldpxz3fka4jguq0adg5p6h"
TEST = ("--keyring-backend", "test")


def document_of(program: Any) -> GenesisDocument:
    return GenesisDocument.parse((program.home / "config" / "genesis.json").read_bytes())


def test_an_account_is_added_once(simulated: Any) -> None:
    first = simulated.ok("genesis", "add-account", ADDRESS, "5foo,100uscrt")
    second = simulated.ok("genesis", "add-account", ADDRESS, "100uscrt,5foo")

    assert first["changed"]
    assert not second["changed"]
    (balance,) = document_of(simulated).app_state.balances
    assert [str(coin) for coin in balance.coins] == ["5foo", "100uscrt"]


def test_a_dry_run_says_what_would_change_and_changes_nothing(simulated: Any) -> None:
    before = document_of(simulated)

    made = simulated.ok("genesis", "add-account", ADDRESS, "1uscrt", "--dry-run")

    assert made["changed"]
    assert document_of(simulated) == before


def test_an_account_may_be_named_by_its_key(simulated: Any) -> None:
    key = simulated.ok("keys", "add", "bob", *TEST)

    made = simulated.ok("genesis", "add-account", "bob", "1uscrt", *TEST)

    assert made["address"] == key["address"]


def test_an_account_without_coins_is_an_account(simulated: Any) -> None:
    simulated.ok("genesis", "add-account", ADDRESS)

    state = document_of(simulated).app_state
    assert [state.bech32(account) for account in state.accounts] == [ADDRESS]
    assert state.balances == ()


def test_a_validator_is_this_homes_key_unless_another_is_named(simulated: Any) -> None:
    node = "09" * 32
    made = simulated.ok("genesis", "add-validator", "--operator", ADDRESS, "--node-id", node)

    (validator,) = document_of(simulated).validators
    assert made["address"] == validator.address.hex().upper()
    assert (validator.power, validator.name) == (10, "alpha")
    again = simulated.ok(
        "genesis", "add-validator", "--operator", ADDRESS, "--node-id", node, "--power", "7",
        "--pubkey", made["pubkey"], "--name", "beta",
    )  # fmt: skip
    assert again["changed"]
    (validator,) = document_of(simulated).validators
    assert (validator.power, validator.name) == (7, "beta")


def test_the_bootstrap_node_must_be_known_to_be_the_default(simulated: Any) -> None:
    failed = simulated("genesis", "add-validator", "--operator", ADDRESS)

    assert failed.code == 3
    assert "enigmacli bootstrap" in failed.err


def test_a_policy_may_be_written_in_any_layout(simulated: Any, tmp_path: Path) -> None:
    policy = document_of(simulated).app_state.policy
    assert policy is not None
    value = policy.to_value() | {"max_evidence_age_s": 60}
    (tmp_path / "policy.json").write_text(json.dumps(value, indent=4))

    made = simulated.ok("genesis", "set-policy", str(tmp_path / "policy.json"))

    assert made["changed"]
    policy = document_of(simulated).app_state.policy
    assert policy is not None
    assert policy.max_evidence_age_s == 60
    assert not simulated.ok("genesis", "set-policy", "-", stdin=json.dumps(value))["changed"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b"[" * 5000, b'{"a":1,"a":1}'])
def test_a_malformed_policy_is_exit_5_and_changes_nothing(simulated: Any, content: bytes) -> None:
    before = document_of(simulated)

    failed = simulated("genesis", "set-policy", "-", stdin=content)

    assert failed.code == 5
    assert document_of(simulated) == before


def test_validation_names_what_is_missing(simulated: Any) -> None:
    failed = simulated("genesis", "validate", "-o", "json")

    assert failed.code == 3
    assert failed.error["code"] == "not-bootstrapped"
    assert failed.error["hint"] == "enigmacli bootstrap"


@pytest.mark.parametrize("content", [b"", b"\x00" * 99, b'{"chain_id":', b"null"])
def test_validation_of_a_damaged_file_is_exit_3(
    simulated: Any, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "genesis.json").write_bytes(content)

    assert simulated("genesis", "validate", str(tmp_path / "genesis.json")).code == 3


def test_a_truncated_document_in_the_home_is_exit_3_everywhere(simulated: Any) -> None:
    file = simulated.home / "config" / "genesis.json"
    file.write_bytes(file.read_bytes()[:-30])

    for arguments in (["show"], ["validate"], ["add-account", ADDRESS, "1uscrt"]):
        failed = simulated("-o", "json", "genesis", *arguments)
        assert failed.code == 3
        assert failed.error["code"] == "genesis"


def test_the_document_is_shown_as_it_is(simulated: Any) -> None:
    data = (simulated.home / "config" / "genesis.json").read_bytes()

    assert simulated("genesis", "show").out.encode() == data
    assert simulated.ok("genesis", "show") == json.loads(data)
    assert simulated("genesis", "show", "--hash").out.strip() == hashlib.sha256(data).hexdigest()


def test_a_home_without_document_names_the_next_command(program: Any) -> None:
    program.ok("init", "alpha")

    failed = program("genesis", "show")

    assert failed.code == 3
    assert "init MONIKER --genesis" in failed.err


def test_a_document_without_policy_is_made_on_request(program: Any) -> None:
    program.ok("init", "alpha", "--chain-id", "net-5")

    assert document_of(program).app_state.policy is None
    failed = program("enclave", "keygen")
    assert failed.code == 3
    assert "genesis set-policy FILE" in failed.err


def test_nothing_changes_while_another_process_owns_the_home(simulated: Any) -> None:
    with Home(simulated.home).lock():
        failed = simulated("genesis", "add-account", ADDRESS, "1uscrt", "-o", "json")

    assert failed.code == 3
    assert failed.error["code"] == "home-busy"
    assert document_of(simulated).app_state.accounts == ()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add-account", ADDRESS, "uscrt"], 2),
        (["add-account", ADDRESS, "-5uscrt"], 2),
        (["add-account", ADDRESS, "5"], 2),
        (["add-account", ADDRESS, "1uscrt,2uscrt"], 3),
        (["add-account", ADDRESS[:-1] + "q", "1uscrt"], 5),
        (["add-account", "nobody", "1uscrt"], 3),
        (["add-validator", "--operator", ADDRESS, "--pubkey", "x"], 2),
        (["add-validator", "--operator", ADDRESS, "--node-id", "12"], 2),
        (["add-validator", "--operator", ADDRESS, "--power", "0"], 2),
        (["add-validator"], 2),
        (["set-policy", "/nowhere/policy.json"], 3),
        (["validate", "/nowhere/genesis.json"], 3),
    ],
)
def test_bad_input_changes_nothing(simulated: Any, arguments: list[str], code: int) -> None:
    before = document_of(simulated)

    failed = simulated("genesis", *arguments)

    assert failed.code == code
    assert document_of(simulated) == before
