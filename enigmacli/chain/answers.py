"""What a node answers to JSON-RPC calls, as values shared by server and client.

Source: cometbft v0.38 ``rpc/core/types/responses.go``. A server's word is not verified by
having the right form; :mod:`~enigmacli.chain.light` and :mod:`~enigmacli.chain.merkle` do that.
"""

from dataclasses import dataclass

from enigmacli.chain.blocks import Block, BlockId, Commit, Header
from enigmacli.chain.merkle import ProofOp
from enigmacli.chain.results import Event, TxResult
from enigmacli.chain.validators import Validator


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """``status``: who the node is and how far it came."""

    p2p_version: int = 8
    block_version: int
    app_version: int
    node_id: str
    """Lower-case hex of the 20-byte address of the node's key."""
    listen_addr: str
    network: str
    """The chain id."""
    version: str
    channels: bytes = b""
    moniker: str
    tx_index: str = "on"
    rpc_address: str = ""
    latest_block_hash: bytes
    latest_app_hash: bytes
    latest_block_height: int
    latest_block_time_ns: int
    earliest_block_hash: bytes
    earliest_app_hash: bytes
    earliest_block_height: int
    earliest_block_time_ns: int
    catching_up: bool
    validator_address: bytes
    validator_public_key: bytes
    """32 bytes, ed25519."""
    voting_power: int


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    """``block``: a block and the id that votes named."""

    block_id: BlockId
    block: Block


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """``commit``: a header, and the commit that decided it."""

    header: Header
    commit: Commit
    canonical: bool = True
    """Whether it is the commit that the next block carries."""


@dataclass(frozen=True, slots=True)
class ValidatorsAnswer:
    """``validators``: one page of a height's validators, in their order."""

    height: int
    validators: tuple[Validator, ...]
    count: int
    """Validators in this page."""
    total: int


@dataclass(frozen=True, slots=True)
class ValidatorUpdate:
    """A change of the voters that a block made; power 0 removes."""

    public_key: bytes
    """32 bytes, ed25519."""
    power: int


@dataclass(frozen=True, slots=True)
class BlockResults:
    """``block_results``: what executing a block gave."""

    height: int
    tx_results: tuple[TxResult, ...]
    events: tuple[Event, ...]
    validator_updates: tuple[ValidatorUpdate, ...]
    app_hash: bytes
    """Of the state after this block; the next header carries it."""


@dataclass(frozen=True, slots=True)
class TxAnswer:
    """``tx``: a transaction in its block."""

    hash: bytes
    height: int
    index: int
    """Its place in the block."""
    result: TxResult
    tx: bytes


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """``abci_query``: what the application answered."""

    code: int = 0
    log: str = ""
    info: str = ""
    index: int = 0
    key: bytes = b""
    value: bytes = b""
    proof: tuple[ProofOp, ...] = ()
    height: int = 0
    """Whose state this is; header ``height + 1`` proves it."""
    codespace: str = ""


@dataclass(frozen=True, slots=True)
class BroadcastAnswer:
    """``broadcast_tx_sync`` and ``broadcast_tx_async``: the mempool's answer."""

    code: int
    data: bytes
    log: str
    codespace: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class BroadcastCommitAnswer:
    """``broadcast_tx_commit``: CheckTx, then execution; height 0 where CheckTx refused."""

    check_tx: TxResult
    tx_result: TxResult
    hash: bytes
    height: int


@dataclass(frozen=True, slots=True)
class AbciInfo:
    """``abci_info``: what the application says about itself."""

    data: str = ""
    version: str = ""
    app_version: int = 0
    last_block_height: int = 0
    last_block_app_hash: bytes = b""
