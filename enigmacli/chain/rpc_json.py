"""Blocks, commits and answers in CometBFT's RPC encoding, both ways, for server and client.

One table for each type says where each field stands and how it is written; reading checks
everything, since the other side may be hostile. Forms: cometbft v0.38 ``rpc/core/types``.
"""

from typing import Any, Final, TypeVar

from enigmacli.chain import json_codec as form
from enigmacli.chain.answers import (
    AbciInfo,
    BlockAnswer,
    BlockResults,
    BroadcastAnswer,
    BroadcastCommitAnswer,
    NodeStatus,
    QueryAnswer,
    SignedHeader,
    TxAnswer,
    ValidatorsAnswer,
    ValidatorUpdate,
)
from enigmacli.chain.blocks import Block, BlockFlag, BlockId, Commit, CommitSig, Header, read_flag
from enigmacli.chain.json_codec import Codec, Field, listing, record
from enigmacli.chain.merkle import ProofOp
from enigmacli.chain.results import Event, EventAttribute, TxResult
from enigmacli.chain.validators import PUBLIC_KEY_SIZE, Validator, validator_address
from enigmacli.errors import MalformedError

T = TypeVar("T")

_KEY_TYPE: Final = "tendermint/PubKeyEd25519"
_UPDATE_KEY_TYPE: Final = "tendermint.crypto.PublicKey_Ed25519"


def to_json(value: Any) -> Any:
    """A block, commit, answer or part of one, as CometBFT's RPC writes it."""
    return CODECS[type(value)].write(value)


def from_json(cls: type[T], value: Any) -> T:
    """Read what :func:`to_json` writes.

    Raises:
        MalformedError: ``value`` is not of that form.
    """
    found: T = CODECS[cls].read(value, cls.__name__)
    return found


def _read_address(value: Any, name: str) -> bytes:
    address = form.HEX.read(value, name)
    if len(address) not in (0, 20):
        raise MalformedError(f"{name} is not 20 bytes")
    return bytes(address)


def _read_validator_key(value: Any, name: str) -> bytes:
    key = form.BASE64.read(value, name)
    if len(key) != PUBLIC_KEY_SIZE:
        raise MalformedError(f"{name} is not {PUBLIC_KEY_SIZE} bytes")
    return bytes(key)


def _read_block_flag(value: Any, name: str) -> BlockFlag:
    return read_flag(form.UINT32.read(value, name))


def _make_validator(address: bytes, public_key: bytes, power: int) -> Validator:
    if address != validator_address(public_key):
        raise MalformedError("a validator's address is not that of its key")
    return Validator.of(public_key, power)


_ADDRESS: Final = Codec(form.HEX.write, _read_address)
_VALIDATOR_KEY: Final = Codec(form.BASE64.write, _read_validator_key)
_FLAG: Final = Codec(int, _read_block_flag)


def _key_fields(path: str, attribute: str, kind: str, value_path: str = "value") -> tuple[Any, ...]:
    return (
        Field(f"{path}.type", None, form.constant(kind, allowed=(kind,))),
        Field(f"{path}.{value_path}", attribute, _VALIDATOR_KEY),
    )


_BLOCK_ID: Final = record(
    BlockId,
    Field("hash", "hash", form.HEX),
    Field("parts.total", "parts_total", form.UINT32),
    Field("parts.hash", "parts_hash", form.HEX),
)
_HEADER: Final = record(
    Header,
    Field("version.block", "block_version", form.UINT64),
    Field("version.app", "app_version", form.UINT64, missing=0, omit=True),
    Field("chain_id", "chain_id", form.TEXT),
    Field("height", "height", form.INT64),
    Field("time", "time_ns", form.TIME),
    Field("last_block_id", "last_block_id", _BLOCK_ID),
    Field("last_commit_hash", "last_commit_hash", form.HEX),
    Field("data_hash", "data_hash", form.HEX),
    Field("validators_hash", "validators_hash", form.HEX),
    Field("next_validators_hash", "next_validators_hash", form.HEX),
    Field("consensus_hash", "consensus_hash", form.HEX),
    Field("app_hash", "app_hash", form.HEX),
    Field("last_results_hash", "last_results_hash", form.HEX),
    Field("evidence_hash", "evidence_hash", form.HEX),
    Field("proposer_address", "proposer_address", _ADDRESS),
)
_COMMIT_SIG: Final = record(
    CommitSig,
    Field("block_id_flag", "flag", _FLAG),
    Field("validator_address", "validator_address", _ADDRESS),
    Field("timestamp", "time_ns", form.TIME),
    Field("signature", "signature", form.OPTIONAL_BASE64),
)
_COMMIT: Final = record(
    Commit,
    Field("height", "height", form.INT64),
    Field("round", "round", form.INT32),
    Field("block_id", "block_id", _BLOCK_ID),
    Field("signatures", "signatures", listing(_COMMIT_SIG)),
)
_BLOCK: Final = record(
    Block,
    Field("header", "header", _HEADER),
    Field("data.txs", "txs", listing(form.BASE64)),
    Field("evidence.evidence", None, form.constant([], allowed=([], None))),
    Field("last_commit", "last_commit", _COMMIT),
)
_VALIDATOR: Final = record(
    _make_validator,
    Field("address", "address", _ADDRESS),
    *_key_fields("pub_key", "public_key", _KEY_TYPE),
    Field("voting_power", "power", form.INT64),
    Field("proposer_priority", None, form.constant("0"), missing=None),
)
_EVENT: Final = record(
    Event,
    Field("type", "type", form.TEXT),
    Field(
        "attributes",
        "attributes",
        listing(
            record(
                EventAttribute,
                Field("key", "key", form.TEXT),
                Field("value", "value", form.TEXT),
                Field("index", "index", form.BOOL, missing=False),
            )
        ),
        missing=(),
    ),
)
_TX_RESULT: Final = record(
    TxResult,
    Field("code", "code", form.UINT32, missing=0),
    Field("data", "data", form.OPTIONAL_BASE64, missing=b""),
    Field("log", "log", form.TEXT, missing=""),
    Field("info", "info", form.TEXT, missing=""),
    Field("gas_wanted", "gas_wanted", form.INT64, missing=0),
    Field("gas_used", "gas_used", form.INT64, missing=0),
    Field("events", "events", listing(_EVENT), missing=()),
    Field("codespace", "codespace", form.TEXT, missing=""),
)
_PROOF_OP: Final = record(
    ProofOp,
    Field("type", "type", form.TEXT),
    Field("key", "key", form.OPTIONAL_BASE64, missing=b""),
    Field("data", "data", form.OPTIONAL_BASE64, missing=b""),
)
_PROOF_OPS: Final = listing(_PROOF_OP)
_PROOF: Final = Codec(
    lambda ops: {"ops": _PROOF_OPS.write(ops)} if ops else None,
    lambda value, name: _PROOF_OPS.read(
        value.get("ops") if isinstance(value, dict) else value, name
    ),
)
_UPDATE: Final = record(
    ValidatorUpdate,
    *_key_fields("pub_key.Sum", "public_key", _UPDATE_KEY_TYPE, "value.ed25519"),
    Field("power", "power", form.INT64, missing=0, omit=True),
)
_STATUS: Final = record(
    NodeStatus,
    Field("node_info.protocol_version.p2p", "p2p_version", form.UINT64),
    Field("node_info.protocol_version.block", "block_version", form.UINT64),
    Field("node_info.protocol_version.app", "app_version", form.UINT64),
    Field("node_info.id", "node_id", form.TEXT),
    Field("node_info.listen_addr", "listen_addr", form.TEXT),
    Field("node_info.network", "network", form.TEXT),
    Field("node_info.version", "version", form.TEXT),
    Field("node_info.channels", "channels", form.HEX),
    Field("node_info.moniker", "moniker", form.TEXT),
    Field("node_info.other.tx_index", "tx_index", form.TEXT),
    Field("node_info.other.rpc_address", "rpc_address", form.TEXT),
    Field("sync_info.latest_block_hash", "latest_block_hash", form.HEX),
    Field("sync_info.latest_app_hash", "latest_app_hash", form.HEX),
    Field("sync_info.latest_block_height", "latest_block_height", form.INT64),
    Field("sync_info.latest_block_time", "latest_block_time_ns", form.TIME),
    Field("sync_info.earliest_block_hash", "earliest_block_hash", form.HEX),
    Field("sync_info.earliest_app_hash", "earliest_app_hash", form.HEX),
    Field("sync_info.earliest_block_height", "earliest_block_height", form.INT64),
    Field("sync_info.earliest_block_time", "earliest_block_time_ns", form.TIME),
    Field("sync_info.catching_up", "catching_up", form.BOOL),
    Field("validator_info.address", "validator_address", _ADDRESS),
    *_key_fields("validator_info.pub_key", "validator_public_key", _KEY_TYPE),
    Field("validator_info.voting_power", "voting_power", form.INT64),
)

CODECS: Final[dict[type, Codec]] = {
    BlockId: _BLOCK_ID,
    Header: _HEADER,
    CommitSig: _COMMIT_SIG,
    Commit: _COMMIT,
    Block: _BLOCK,
    Validator: _VALIDATOR,
    Event: _EVENT,
    TxResult: _TX_RESULT,
    NodeStatus: _STATUS,
    BlockAnswer: record(
        BlockAnswer, Field("block_id", "block_id", _BLOCK_ID), Field("block", "block", _BLOCK)
    ),
    SignedHeader: record(
        SignedHeader,
        Field("signed_header.header", "header", _HEADER),
        Field("signed_header.commit", "commit", _COMMIT),
        Field("canonical", "canonical", form.BOOL),
    ),
    ValidatorsAnswer: record(
        ValidatorsAnswer,
        Field("block_height", "height", form.INT64),
        Field("validators", "validators", listing(_VALIDATOR)),
        Field("count", "count", form.INT64),
        Field("total", "total", form.INT64),
    ),
    BlockResults: record(
        BlockResults,
        Field("height", "height", form.INT64),
        Field("txs_results", "tx_results", listing(_TX_RESULT, nil=True)),
        Field("finalize_block_events", "events", listing(_EVENT, nil=True)),
        Field("validator_updates", "validator_updates", listing(_UPDATE, nil=True)),
        Field("consensus_param_updates", None, form.constant(None), missing=None),
        Field("app_hash", "app_hash", form.OPTIONAL_BASE64),
    ),
    TxAnswer: record(
        TxAnswer,
        Field("hash", "hash", form.HEX),
        Field("height", "height", form.INT64),
        Field("index", "index", form.UINT32),
        Field("tx_result", "result", _TX_RESULT),
        Field("tx", "tx", form.BASE64),
    ),
    QueryAnswer: record(
        QueryAnswer,
        Field("response.code", "code", form.UINT32, missing=0),
        Field("response.log", "log", form.TEXT, missing=""),
        Field("response.info", "info", form.TEXT, missing=""),
        Field("response.index", "index", form.INT64, missing=0),
        Field("response.key", "key", form.OPTIONAL_BASE64, missing=b""),
        Field("response.value", "value", form.OPTIONAL_BASE64, missing=b""),
        Field("response.proofOps", "proof", _PROOF, missing=()),
        Field("response.height", "height", form.INT64, missing=0),
        Field("response.codespace", "codespace", form.TEXT, missing=""),
    ),
    BroadcastAnswer: record(
        BroadcastAnswer,
        Field("code", "code", form.UINT32),
        Field("data", "data", form.HEX),
        Field("log", "log", form.TEXT),
        Field("codespace", "codespace", form.TEXT),
        Field("hash", "hash", form.HEX),
    ),
    BroadcastCommitAnswer: record(
        BroadcastCommitAnswer,
        Field("check_tx", "check_tx", _TX_RESULT),
        Field("tx_result", "tx_result", _TX_RESULT),
        Field("hash", "hash", form.HEX),
        Field("height", "height", form.INT64),
    ),
    AbciInfo: record(
        AbciInfo,
        Field("response.data", "data", form.TEXT, missing="", omit=True),
        Field("response.version", "version", form.TEXT, missing="", omit=True),
        Field("response.app_version", "app_version", form.UINT64, missing=0, omit=True),
        Field("response.last_block_height", "last_block_height", form.INT64, missing=0, omit=True),
        Field(
            "response.last_block_app_hash",
            "last_block_app_hash",
            form.OPTIONAL_BASE64,
            missing=b"",
            omit=True,
        ),
    ),
}
