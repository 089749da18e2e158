"""Validator sets: CometBFT's order, hash and bounds."""

from typing import Any

import pytest

from enigmacli.chain.answers import ValidatorsAnswer
from enigmacli.chain.rpc_json import from_json
from enigmacli.chain.validators import MAX_TOTAL_POWER, Validator, ValidatorSet
from enigmacli.errors import MalformedError
from tests.vector_files import vectors


@pytest.mark.parametrize("known", vectors("cometbft_validators"))
def test_sets_have_cometbfts_order_and_hash(known: dict[str, Any]) -> None:
    voters = ValidatorSet.of(
        Validator.of(bytes.fromhex(one["public_key"]), one["power"]) for one in known["input"]
    )

    assert [one.address.hex() for one in voters.validators] == known["order"]
    assert voters.hash().hex() == known["hash"]
    assert voters.total == known["total"]
    assert from_json(ValidatorsAnswer, known["json"]).validators == voters.validators


def test_a_set_without_members_is_refused() -> None:
    with pytest.raises(MalformedError, match="validator set of 0"):
        ValidatorSet.of([])


def test_a_member_twice_is_refused() -> None:
    with pytest.raises(MalformedError, match="stands twice"):
        ValidatorSet.of([Validator.of(bytes(32), 1), Validator.of(bytes(32), 2)])


def test_too_much_power_in_all_is_refused() -> None:
    half = MAX_TOTAL_POWER // 2 + 1

    with pytest.raises(MalformedError, match="more power than possible"):
        ValidatorSet.of([Validator.of(bytes(32), half), Validator.of(b"\x01" * 32, half)])


@pytest.mark.parametrize("power", [0, -1, MAX_TOTAL_POWER + 1])
def test_a_power_out_of_range_is_refused(power: int) -> None:
    with pytest.raises(MalformedError, match="out of range"):
        Validator.of(bytes(32), power)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(MalformedError, match="must be 32 bytes"):
        Validator.of(bytes(size), 1)
