"""Methods that read the chain: status, genesis, blocks, commits, results, validators."""

import hashlib
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.api import encoding
from enigmacli.api.heights import block_range, page_bounds, pick_height
from enigmacli.api.jsonrpc import Method
from enigmacli.api.node_view import NodeView, Row
from enigmacli.api.params import Param
from enigmacli.api.rpc_error import RpcError
from enigmacli.chain import merkle
from enigmacli.chain.answers import (
    BlockAnswer,
    BlockResults,
    NodeStatus,
    SignedHeader,
    TxAnswer,
    ValidatorsAnswer,
    ValidatorUpdate,
)
from enigmacli.chain.blocks import (
    BLOCK_PROTOCOL,
    Block,
    BlockId,
    Commit,
    Validator,
    ValidatorSet,
    validator_address,
)
from enigmacli.chain.results import TxResult, read_event
from enigmacli.chain.rpc_json import to_json

_HEIGHT: Final = Param("height", "int64")
_PAGES: Final = (Param("page", "int64"), Param("per_page", "int64"))


def methods(node: NodeView) -> dict[str, Method]:
    """The methods by name."""
    reader = ChainReader(node)
    return {
        "health": Method(dict),
        "status": Method(reader.status),
        "net_info": Method(reader.net_info),
        "genesis": Method(reader.genesis),
        "block": Method(reader.block, (_HEIGHT,)),
        "block_by_hash": Method(reader.block_by_hash, (Param("hash", "bytes", b""),)),
        "blockchain": Method(
            reader.blockchain, (Param("minHeight", "int64", 0), Param("maxHeight", "int64", 0))
        ),
        "header": Method(reader.header, (_HEIGHT,)),
        "header_by_hash": Method(reader.header_by_hash, (Param("hash", "hex", b""),)),
        "commit": Method(reader.commit, (_HEIGHT,)),
        "block_results": Method(reader.block_results, (_HEIGHT,)),
        "validators": Method(reader.validators, (_HEIGHT, *_PAGES)),
        "consensus_params": Method(reader.consensus_params, (_HEIGHT,)),
        "tx": Method(
            reader.tx, (Param("hash", "bytes", b""), Param("prove", "bool", default=False))
        ),
    }


class ChainReader:
    """Answers from the block store, up to the last committed height."""

    def __init__(self, node: NodeView) -> None:
        self._node = node
        self._chain = node.chain
        self._store = node.chain.store

    # --- the node --------------------------------------------------------------------------

    def status(self) -> Any:
        """Who this is and how far it came."""
        state, identity = self._chain.state, self._node.identity
        latest, earliest = self._edge(state.height), self._edge(self._store.base)
        power = next(
            (
                v.power
                for v in state.validators.validators
                if v.public_key == identity.validator_key
            ),
            0,
        )
        return to_json(
            NodeStatus(
                block_version=BLOCK_PROTOCOL,
                app_version=state.params.version.app,
                node_id=identity.node_id,
                listen_addr=identity.listen_addr,
                network=state.chain_id,
                version=identity.version,
                moniker=identity.moniker,
                rpc_address=self._node.rpc_address(),
                latest_block_hash=latest[0],
                latest_app_hash=latest[1],
                latest_block_height=state.height,
                latest_block_time_ns=latest[2],
                earliest_block_hash=earliest[0],
                earliest_app_hash=earliest[1],
                earliest_block_height=self._store.base if state.height else 0,
                earliest_block_time_ns=earliest[2],
                catching_up=self._node.catching_up(),
                validator_address=validator_address(identity.validator_key),
                validator_public_key=identity.validator_key,
                voting_power=power,
            )
        )

    def net_info(self) -> Any:
        """This engine has no peers."""
        return {"listening": True, "listeners": [], "n_peers": "0", "peers": []}

    def genesis(self) -> Any:
        """The document that the chain started from."""
        return {"genesis": self._chain.genesis.to_value()}

    # --- blocks ----------------------------------------------------------------------------

    def block(self, height: int | None) -> Any:
        """A block with its id."""
        row, block = self._load(self._height(height))
        return to_json(BlockAnswer(_block_id(row), block))

    def block_by_hash(self, hash: bytes) -> Any:  # noqa: A002 -- the parameter's published name
        """A block with its id; ``null`` where there is none."""
        height = self._store.height_of(hash)
        if height is None or height > self._chain.state.height:
            return {"block_id": to_json(BlockId()), "block": None}
        return self.block(height)

    def header(self, height: int | None) -> Any:
        """A header."""
        return {"header": to_json(self._load(self._height(height))[1].header)}

    def header_by_hash(self, hash: bytes) -> Any:  # noqa: A002 -- the parameter's published name
        """A header; ``null`` where there is none."""
        height = self._store.height_of(hash)
        if height is None or height > self._chain.state.height:
            return {"header": None}
        return self.header(height)

    def blockchain(self, minHeight: int, maxHeight: int) -> Any:  # noqa: N803 -- published names
        """Headers of up to 20 heights, the highest first."""
        latest = self._chain.state.height
        heights = block_range(minHeight, maxHeight, self._store.base, latest)
        metas = []
        for height in heights:
            row, block = self._load(height)
            metas.append(
                {
                    "block_id": to_json(_block_id(row)),
                    "block_size": str(len(row.block)),
                    "header": to_json(block.header),
                    "num_txs": str(len(block.txs)),
                }
            )
        return {"last_height": str(latest), "block_metas": metas}

    def commit(self, height: int | None) -> Any:
        """A header and the votes for it; those of the newest block are not canonical yet."""
        picked = self._height(height)
        row, block = self._load(picked)
        if picked == self._chain.state.height:
            seen = Commit.parse(row.seen_commit)
            return to_json(SignedHeader(block.header, seen, canonical=False))
        canonical = self._load(picked + 1)[1].last_commit
        return to_json(SignedHeader(block.header, canonical))

    def block_results(self, height: int | None) -> Any:
        """What executing a block gave."""
        picked = self._height(height)
        response = self._result(picked)
        answer = to_json(
            BlockResults(
                height=picked,
                tx_results=tuple(TxResult.of(result) for result in response.tx_results),
                events=tuple(read_event(event) for event in response.events),
                validator_updates=tuple(
                    ValidatorUpdate(update.pub_key.ed25519, update.power)
                    for update in response.validator_updates
                ),
                app_hash=response.app_hash,
            )
        )
        if response.HasField("consensus_param_updates"):
            params = encoding.consensus_params(response.consensus_param_updates)
            answer["consensus_param_updates"] = params
        return answer

    def validators(self, height: int | None, page: int | None, per_page: int | None) -> Any:
        """A page of the validators of a height, that of the block to come included."""
        picked = self._height(height, ahead=1)
        powers = self._store.validators(picked) or []
        members = ValidatorSet.of(
            Validator.of(one.public_key, one.power) for one in powers
        ).validators
        first, end = page_bounds(page, per_page, len(members))
        listed = members[first:end]
        return to_json(ValidatorsAnswer(picked, listed, len(listed), len(members)))

    def consensus_params(self, height: int | None) -> Any:
        """The parameters of a height, that of the block to come included."""
        picked = self._height(height, ahead=1)
        raw = self._store.params(picked) or b""
        message = protobuf.parse("tendermint.types.ConsensusParams", raw)
        return {
            "block_height": str(picked),
            "consensus_params": encoding.consensus_params(message),
        }

    def tx(self, hash: bytes, *, prove: bool) -> Any:  # noqa: A002 -- the parameter's published name
        """A committed transaction and its result."""
        place = self._chain.committed_tx(hash)
        if place is None:
            raise RpcError.internal(f"tx ({hash.hex().upper()}) not found")
        return self.tx_at(place.height, place.index, prove=prove)

    def tx_at(self, height: int, index: int, *, prove: bool) -> Any:
        """The transaction at a place of a committed block, and its result."""
        block = self._load(height)[1]
        result = TxResult.of(self._result(height).tx_results[index])
        raw = block.txs[index]
        answer = to_json(TxAnswer(hashlib.sha256(raw).digest(), height, index, result, raw))
        if prove:
            leaves = [hashlib.sha256(tx).digest() for tx in block.txs]
            proof = merkle.prove(leaves, index)
            answer["proof"] = encoding.tx_proof(block.header.data_hash, raw, proof)
        return answer

    # --- reading ---------------------------------------------------------------------------

    def _height(self, given: int | None, ahead: int = 0) -> int:
        latest = self._chain.state.height
        if latest == 0 and not ahead:
            raise RpcError.internal("the chain has no block yet")
        return pick_height(given, latest + ahead, self._store.base)

    def _load(self, height: int) -> tuple[Row, Block]:
        row = self._store.block(height)
        if row is None:
            raise RpcError.internal(f"block at height {height} is not available")
        return row, Block.parse(row.block)

    def _result(self, height: int) -> Any:
        raw = self._store.result(height)
        if raw is None:
            raise RpcError.internal(f"could not find results for height #{height}")
        return protobuf.parse("tendermint.abci.ResponseFinalizeBlock", raw)

    def _edge(self, height: int) -> tuple[bytes, bytes, int]:
        """Hash, app hash and time of one end of the chain; empty, at 1970, before a block."""
        if not height or self._chain.state.height == 0:
            return b"", b"", 0
        row, block = self._load(height)
        return row.hash, block.header.app_hash, block.header.time_ns


def _block_id(row: Row) -> BlockId:
    return BlockId(row.hash, row.parts_total, row.parts_hash)
