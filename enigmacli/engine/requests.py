"""The ABCI requests of a block's life, as CometBFT builds them (``state/execution.go``)."""

from typing import Any

from enigmacli import protobuf
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.block_time import to_timestamp
from enigmacli.chain.blocks import Block, Commit, Validator, ValidatorSet
from enigmacli.engine.chain_state import ChainState

_US_NS = 1_000


def init_chain(genesis: GenesisDocument, validators: ValidatorSet) -> Any:
    """``RequestInitChain``."""
    return protobuf.new(
        "tendermint.abci.RequestInitChain",
        time=to_timestamp(genesis.genesis_time_us * _US_NS),
        chain_id=genesis.chain_id,
        consensus_params=genesis.consensus.to_message(),
        validators=[_validator_update(one) for one in validators.validators],
        app_state_bytes=genesis.app_state_bytes(),
        initial_height=genesis.initial_height,
    )


def prepare_proposal(
    state: ChainState, txs: list[bytes], last_commit: Commit, proposer: bytes, time_ns: int
) -> Any:
    """``RequestPrepareProposal`` for the next block."""
    return protobuf.new(
        "tendermint.abci.RequestPrepareProposal",
        max_tx_bytes=state.max_data_bytes,
        txs=txs,
        local_last_commit=protobuf.new(
            "tendermint.abci.ExtendedCommitInfo",
            round=last_commit.round,
            votes=[
                protobuf.new("tendermint.abci.ExtendedVoteInfo", **vote)
                for vote in _votes(state, last_commit)
            ],
        ),
        height=state.next_height,
        time=to_timestamp(time_ns),
        next_validators_hash=state.next_validators.hash(),
        proposer_address=proposer,
    )


def process_proposal(state: ChainState, block: Block, block_hash: bytes) -> Any:
    """``RequestProcessProposal`` for a proposed next block."""
    return protobuf.new(
        "tendermint.abci.RequestProcessProposal",
        proposed_last_commit=_commit_info(state, block.last_commit),
        **_block_fields(block, block_hash),
    )


def finalize_block(state: ChainState, block: Block, block_hash: bytes) -> Any:
    """``RequestFinalizeBlock`` for the decided next block."""
    return protobuf.new(
        "tendermint.abci.RequestFinalizeBlock",
        decided_last_commit=_commit_info(state, block.last_commit),
        **_block_fields(block, block_hash),
    )


def _block_fields(block: Block, block_hash: bytes) -> dict[str, Any]:
    header = block.header
    return {
        "txs": block.txs,
        "hash": block_hash,
        "height": header.height,
        "time": to_timestamp(header.time_ns),
        "next_validators_hash": header.next_validators_hash,
        "proposer_address": header.proposer_address,
    }


def _commit_info(state: ChainState, commit: Commit) -> Any:
    votes = [protobuf.new("tendermint.abci.VoteInfo", **vote) for vote in _votes(state, commit)]
    return protobuf.new("tendermint.abci.CommitInfo", round=commit.round, votes=votes)


def _votes(state: ChainState, commit: Commit) -> list[dict[str, Any]]:
    if state.last_validators is None:
        return []
    return [
        {
            "validator": protobuf.new(
                "tendermint.abci.Validator", address=member.address, power=member.power
            ),
            "block_id_flag": int(place.flag),
        }
        for member, place in zip(state.last_validators.validators, commit.signatures, strict=True)
    ]


def _validator_update(validator: Validator) -> Any:
    return protobuf.new(
        "tendermint.abci.ValidatorUpdate",
        pub_key={"ed25519": validator.public_key},
        power=validator.power,
    )
