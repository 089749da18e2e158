"""Voting power: operators vote, more than 2/3 of the power decides (protocol.md section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.powers import MAX_POWER, MAX_TOTAL
from enigmacli.app.refusals import RefusedError, ValidatorCode
from enigmacli.app.register import find_node
from enigmacli.chain.messages import SetValidator

VOTE_BLOCKS: Final = 10_000
"""A vote cast at height h counts up to height h + VOTE_BLOCKS."""
_SMALL_SET: Final = 4
"""From this many validators on, no raise may give one more than a third."""

_RECORD: Final = "enigma.validator.v1.ValidatorRecord"
_VOTE: Final = "enigma.validator.v1.VoteRecord"


@dataclass(frozen=True, slots=True)
class Validator:
    """One record of the store."""

    consensus_pubkey: bytes
    power: int
    operator: bytes
    node_id: bytes


def read_validators(state: Reader) -> dict[bytes, Validator]:
    """All validators by key, in ascending order of their keys."""
    found: dict[bytes, Validator] = {}
    for record in state.scan(layout.VALIDATORS, layout.VALIDATOR_RECORDS).values():
        item = protobuf.parse(_RECORD, record)
        found[item.consensus_pubkey] = Validator(
            item.consensus_pubkey, item.power, item.operator, item.node_id
        )
    return found


def save_validator(state: Overlay, validator: Validator) -> None:
    """Store a validator, and which key its node serves."""
    key = validator.consensus_pubkey
    record = protobuf.new(
        _RECORD,
        consensus_pubkey=key,
        power=validator.power,
        operator=validator.operator,
        node_id=validator.node_id,
    )
    state.set(layout.VALIDATORS, layout.validator(key), record.SerializeToString())
    state.set(layout.VALIDATORS, layout.served_key(validator.node_id), key)


def updates_between(before: Reader, after: Reader) -> tuple[tuple[bytes, int], ...]:
    """(key, power) of each key whose power changed, sorted by key; 0 where it is gone."""
    old = {key: one.power for key, one in read_validators(before).items()}
    new = {key: one.power for key, one in read_validators(after).items()}
    keys = sorted({*old, *new})
    return tuple((key, new.get(key, 0)) for key in keys if old.get(key, 0) != new.get(key, 0))


def set_validator(state: Overlay, vote: SetValidator, height: int) -> None:
    """Cast a vote, and carry out the change that more than 2/3 of the power now agree on.

    Raises:
        RefusedError: the sender operates no validator, or the change is not allowed.
    """
    validators = read_validators(state)
    if vote.sender not in {one.operator for one in validators.values()}:
        raise RefusedError(
            ValidatorCode.NOT_OPERATOR, "not-operator: the sender operates no validator"
        )
    changed = _change(state, validators, vote)
    _check_limits(validators, changed, vote.consensus_pubkey)
    _save_vote(state, vote, height)
    total = sum(one.power for one in validators.values())
    if 3 * _agreeing(state, validators, vote, height) > 2 * total:
        _apply(state, validators.get(vote.consensus_pubkey), changed, vote.consensus_pubkey)


def _change(
    state: Reader, validators: Mapping[bytes, Validator], vote: SetValidator
) -> Validator | None:
    """The record that the vote wants, None for removal."""
    held = validators.get(vote.consensus_pubkey)
    if held is None:
        return _newcomer(state, vote)
    if held.node_id != vote.node_id:
        raise RefusedError(
            ValidatorCode.NODE_IN_USE,
            f"node-in-use: the key is served by another node, expected {held.node_id.hex()}, "
            f"seen {vote.node_id.hex()}",
        )
    if held.power == vote.power:
        raise RefusedError(ValidatorCode.UNCHANGED, f"unchanged: the power is {vote.power} already")
    if vote.power == 0:
        return None
    return Validator(held.consensus_pubkey, vote.power, held.operator, held.node_id)


def _newcomer(state: Reader, vote: SetValidator) -> Validator:
    if vote.power == 0:
        raise RefusedError(ValidatorCode.UNKNOWN_KEY, "unknown-key: no such validator to remove")
    node = find_node(state, vote.node_id)
    if node is None or not any(node.owner):
        raise RefusedError(
            ValidatorCode.NODE_NOT_REGISTERED,
            f"node-not-registered: {vote.node_id.hex()} is not registered with an owner",
        )
    if state.get(layout.VALIDATORS, layout.served_key(vote.node_id)):
        raise RefusedError(
            ValidatorCode.NODE_IN_USE, f"node-in-use: {vote.node_id.hex()} serves another key"
        )
    return Validator(vote.consensus_pubkey, vote.power, node.owner, vote.node_id)


def _check_limits(
    validators: Mapping[bytes, Validator], changed: Validator | None, key: bytes
) -> None:
    powers = {one.consensus_pubkey: one.power for one in validators.values()}
    before = powers.pop(key, 0)
    power = changed.power if changed else 0
    total = sum(powers.values()) + power
    if total == 0:
        raise RefusedError(ValidatorCode.NONE_LEFT, "none-left: no validator would be left")
    if power > MAX_POWER:
        raise _limit("power", "2^50", power)
    if total > MAX_TOTAL:
        raise _limit("total power", "2^59", total)
    if len(validators) >= _SMALL_SET and power > before and 3 * power > total:
        raise _limit("power of one validator", f"a third of {total}", power)


def _limit(what: str, most: str, seen: int) -> RefusedError:
    return RefusedError(
        ValidatorCode.LIMIT, f"limit-exceeded: {what}, expected at most {most}, seen {seen}"
    )


def _save_vote(state: Overlay, vote: SetValidator, height: int) -> None:
    record = protobuf.new(
        _VOTE,
        operator=vote.sender,
        consensus_pubkey=vote.consensus_pubkey,
        power=vote.power,
        node_id=vote.node_id,
        height=height,
    )
    key = layout.vote(vote.consensus_pubkey, vote.sender)
    state.set(layout.VALIDATORS, key, record.SerializeToString())


def _agreeing(
    state: Overlay, validators: Mapping[bytes, Validator], vote: SetValidator, height: int
) -> int:
    """The power whose operators want just this; lapsed votes are erased on the way."""
    weights: dict[bytes, int] = {}
    for one in validators.values():
        weights[one.operator] = weights.get(one.operator, 0) + one.power
    agreeing = 0
    for key, record in state.scan(layout.VALIDATORS, layout.votes(vote.consensus_pubkey)).items():
        cast: Any = protobuf.parse(_VOTE, record)
        if height - cast.height > VOTE_BLOCKS:
            state.delete(layout.VALIDATORS, key)
        elif (cast.power, cast.node_id) == (vote.power, vote.node_id):
            agreeing += weights.get(cast.operator, 0)
    return agreeing


def _apply(state: Overlay, held: Validator | None, changed: Validator | None, key: bytes) -> None:
    if changed is not None:
        save_validator(state, changed)
    elif held is not None:
        state.delete(layout.VALIDATORS, layout.validator(key))
        state.delete(layout.VALIDATORS, layout.served_key(held.node_id))
    for vote_key in state.scan(layout.VALIDATORS, layout.votes(key)):
        state.delete(layout.VALIDATORS, vote_key)
