"""Is this block the next one of the chain? Everything is checked before anything is executed.

The rules are those of CometBFT's ``state/validation.go`` and of its block sync. First what
the server alone could have forged, then the commit, which is the word of more than 2/3 of
the power that this node knows. A block with a good commit that disagrees with the own state
is no lie of the server any more: the chain has forked, or this node executed wrongly.
"""

from dataclasses import fields
from typing import Any

from enigmacli.chain.blocks import (
    BLOCK_PROTOCOL,
    EMPTY_HASH,
    Block,
    BlockId,
    Commit,
    Header,
    commit_hash,
    data_hash,
    make_block_id,
)
from enigmacli.chain.light import verify_commit
from enigmacli.engine.chain_state import ChainState
from enigmacli.errors import ChainForkError, MalformedError, UntrustedAnswerError


def verify_next(state: ChainState, block: Block, commit: Commit) -> BlockId:
    """Check a block and the votes for it against the chain so far; the block's id.

    Raises:
        UntrustedAnswerError: not the next block of this chain, or not decided by its validators.
        ChainForkError: the validators decided a block that contradicts the own state.
    """
    _check_consistent(state, block)
    block_id = make_block_id(block)
    verify_commit(state.chain_id, state.validators, block_id, block.header.height, commit)
    _check_last_commit(state, block)
    _check_agrees(state, block)
    return block_id


def _check_consistent(state: ChainState, block: Block) -> None:
    """What the header says about itself, its body and the voters."""
    header = block.header
    for name, expected, seen in (
        ("chain id", state.chain_id, header.chain_id),
        ("height", state.next_height, header.height),
        ("block version", BLOCK_PROTOCOL, header.block_version),
        ("data hash", data_hash(block.txs), header.data_hash),
        ("last commit hash", commit_hash(block.last_commit), header.last_commit_hash),
        ("evidence hash", EMPTY_HASH, header.evidence_hash),
        ("validators hash", state.validators.hash(), header.validators_hash),
    ):
        if expected != seen:
            raise UntrustedAnswerError(
                f"block {state.next_height} has another {name}", details=_pair(expected, seen)
            )


def _check_last_commit(state: ChainState, block: Block) -> None:
    last = block.last_commit
    if state.last_validators is None:
        if last != Commit():
            raise UntrustedAnswerError("the initial block has a last commit")
        return
    verify_commit(state.chain_id, state.last_validators, state.block_id, state.height, last)


def _check_agrees(state: ChainState, block: Block) -> None:
    """The header is the one this node would have made from its own state."""
    header = block.header
    if all(one.address != header.proposer_address for one in state.validators.validators):
        raise ChainForkError(f"the proposer of block {header.height} is no validator")
    expected = state.block(
        block.txs, block.last_commit, header.proposer_address, _block_time(state, block)
    ).header
    for field in fields(Header):
        _check_field(header, field.name, getattr(expected, field.name))
    if state.height and header.time_ns <= state.time_ns:
        raise ChainForkError(f"block {header.height} is not later than the one before")


def _block_time(state: ChainState, block: Block) -> int:
    try:
        return state.block_time(block.last_commit)
    except MalformedError as error:
        raise UntrustedAnswerError(f"block {block.header.height}: {error.message}") from error


def _check_field(header: Header, name: str, expected: Any) -> None:
    seen = getattr(header, name)
    if seen == expected:
        return
    raise ChainForkError(
        f"block {header.height} carries another {name} than this node computed",
        hint="stop and compare with other nodes: state or program differ",
        details=_pair(expected, seen),
    )


def _pair(expected: Any, seen: Any) -> dict[str, str]:
    return {"expected": _text(expected), "seen": _text(seen)}


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
