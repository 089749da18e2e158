"""What the next block must say, as CometBFT's ``state.State``; pure.

A validator update of block H is in force from block H + 2. The time of a block is the
median of its last commit, weighted by power (``state/state.go``, BFT time), and genesis
time for the initial block.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

from enigmacli.chain.blocks import (
    BLOCK_PROTOCOL,
    EMPTY_HASH,
    Block,
    BlockFlag,
    BlockId,
    Commit,
    Header,
    Validator,
    ValidatorSet,
    commit_hash,
    consensus_hash,
    data_hash,
    results_hash,
)
from enigmacli.engine.app_connection import AppCallError
from enigmacli.errors import MalformedError

MAX_BLOCK_BYTES: Final = 104_857_600
"""CometBFT's ``MaxBlockSizeBytes``, in force where max_bytes is -1."""

_US_NS: Final = 1_000
_PARAM_GROUPS: Final = ("block", "evidence", "validator", "version", "abci")

# types/block.go: MaxOverheadForBlock, MaxHeaderBytes, MaxCommitOverheadBytes,
# MaxCommitSigBytes with its protobuf overhead
_BLOCK_OVERHEAD: Final = 11
_HEADER_BYTES: Final = 626
_COMMIT_OVERHEAD: Final = 94
_COMMIT_SIG_BYTES: Final = 109 + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """The chain after block ``height``."""

    chain_id: str
    initial_height: int
    height: int
    """Of the last executed block, 0 before the first."""
    block_id: BlockId
    time_ns: int
    """Of the last block; genesis time before the first."""
    last_validators: ValidatorSet | None
    """Those of ``height``, ``None`` before the first block."""
    validators: ValidatorSet
    next_validators: ValidatorSet
    params: Any
    """``tendermint.types.ConsensusParams`` of the next block."""
    app_hash: bytes
    last_results_hash: bytes

    @classmethod
    def at_genesis(
        cls,
        *,
        chain_id: str,
        initial_height: int,
        genesis_time_us: int,
        validators: ValidatorSet,
        params: Any,
        app_hash: bytes,
    ) -> Self:
        """Before the first block, with what InitChain answered."""
        return cls(
            chain_id=chain_id,
            initial_height=initial_height,
            height=0,
            block_id=BlockId(),
            time_ns=genesis_time_us * _US_NS,
            last_validators=None,
            validators=validators,
            next_validators=validators,
            params=params,
            app_hash=app_hash,
            last_results_hash=EMPTY_HASH,
        )

    @property
    def next_height(self) -> int:
        """Of the block to come."""
        return self.height + 1 if self.height else self.initial_height

    @property
    def max_gas(self) -> int:
        """Of one block, -1 for no limit."""
        return int(self.params.block.max_gas)

    @property
    def max_data_bytes(self) -> int:
        """How many bytes of transactions fit into the next block (``MaxDataBytes``)."""
        limit = self.params.block.max_bytes
        places = len(self.validators.validators)
        return int(
            (MAX_BLOCK_BYTES if limit == -1 else limit)
            - _BLOCK_OVERHEAD
            - _HEADER_BYTES
            - _COMMIT_OVERHEAD
            - _COMMIT_SIG_BYTES * places
        )

    def block(
        self, txs: tuple[bytes, ...], last_commit: Commit, proposer: bytes, time_ns: int
    ) -> Block:
        """The next block with these transactions.

        Args:
            txs: as PrepareProposal gave them.
            last_commit: for the block before; empty for the initial one.
            proposer: 20 bytes, the address of the maker's key.
            time_ns: :meth:`block_time` of ``last_commit``.
        """
        header = Header(
            block_version=BLOCK_PROTOCOL,
            app_version=self.params.version.app,
            chain_id=self.chain_id,
            height=self.next_height,
            time_ns=time_ns,
            last_block_id=self.block_id,
            last_commit_hash=commit_hash(last_commit),
            data_hash=data_hash(txs),
            validators_hash=self.validators.hash(),
            next_validators_hash=self.next_validators.hash(),
            consensus_hash=consensus_hash(self.params.block.max_bytes, self.params.block.max_gas),
            app_hash=self.app_hash,
            last_results_hash=self.last_results_hash,
            evidence_hash=EMPTY_HASH,
            proposer_address=proposer,
        )
        return Block(header, txs, last_commit)

    def block_time(self, last_commit: Commit) -> int:
        """The time that the next block must carry."""
        if self.last_validators is None:
            return self.time_ns
        return median_time(last_commit, self.last_validators)

    def after(self, header: Header, block_id: BlockId, response: Any) -> Self:
        """The chain after executing the next block.

        Args:
            header: of that block.
            block_id: of that block.
            response: ``ResponseFinalizeBlock``.

        Raises:
            AppCallError: its validator updates are not possible.
        """
        return replace(
            self,
            height=header.height,
            block_id=block_id,
            time_ns=header.time_ns,
            last_validators=self.validators,
            validators=self.next_validators,
            next_validators=update_validators(self.next_validators, response.validator_updates),
            params=update_params(self.params, response.consensus_param_updates),
            app_hash=response.app_hash,
            last_results_hash=results_hash(response.tx_results),
        )


def update_validators(validators: ValidatorSet, updates: Any) -> ValidatorSet:
    """Apply ABCI ``ValidatorUpdate`` messages; power 0 removes.

    Raises:
        AppCallError: another kind of key, one key twice, an unknown one removed, a power that
            is negative or too large, or nobody left.
    """
    powers = {one.public_key: one.power for one in validators.validators}
    changed: set[bytes] = set()
    for update in updates:
        key = update.pub_key.ed25519
        if update.pub_key.WhichOneof("sum") != "ed25519" or update.power < 0 or key in changed:
            raise AppCallError("the application gave an impossible validator update")
        changed.add(key)
        if update.power > 0:
            powers[key] = update.power
        elif powers.pop(key, None) is None:
            raise AppCallError("the application removed an unknown validator")
    try:
        return ValidatorSet.of(Validator.of(key, power) for key, power in powers.items())
    except MalformedError as error:
        raise AppCallError(f"the application's validators: {error.message}") from error


def update_params(params: Any, update: Any) -> Any:
    """Consensus parameters with every group that ``update`` has."""
    merged = type(params)()
    merged.CopyFrom(params)
    for group in _PARAM_GROUPS:
        if update.HasField(group):
            getattr(merged, group).CopyFrom(getattr(update, group))
    return merged


def median_time(commit: Commit, validators: ValidatorSet) -> int:
    """The median of a commit's times, weighted by power (CometBFT ``MedianTime``).

    Raises:
        MalformedError: the commit has other places than the set, or nobody voted.
    """
    members = validators.validators
    if len(members) != len(commit.signatures):
        raise MalformedError("the commit has other places than the validator set")
    votes = sorted(
        (place.time_ns, member.power)
        for place, member in zip(commit.signatures, members, strict=True)
        if place.flag is not BlockFlag.ABSENT
    )
    middle = sum(power for _, power in votes) // 2
    for time_ns, power in votes:
        if middle <= power:
            return time_ns
        middle -= power
    raise MalformedError("nobody voted in the commit")
