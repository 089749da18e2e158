"""JSON forms that only a server writes; what clients read too is in ``chain.rpc_json``."""

import base64
from typing import Any, Final

from enigmacli.chain.answers import QueryAnswer
from enigmacli.chain.merkle import Proof, ProofOp

_SECOND_NS: Final = 1_000_000_000


def to_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def consensus_params(message: Any) -> dict[str, Any]:
    """``tendermint.types.ConsensusParams`` as CometBFT writes them."""
    age = message.evidence.max_age_duration
    return {
        "block": {
            "max_bytes": str(message.block.max_bytes),
            "max_gas": str(message.block.max_gas),
        },
        "evidence": {
            "max_age_num_blocks": str(message.evidence.max_age_num_blocks),
            "max_age_duration": str(age.seconds * _SECOND_NS + age.nanos),
            "max_bytes": str(message.evidence.max_bytes),
        },
        "validator": {"pub_key_types": list(message.validator.pub_key_types)},
        "version": {"app": str(message.version.app)},
        "abci": {"vote_extensions_enable_height": str(message.abci.vote_extensions_enable_height)},
    }


def read_query_response(message: Any) -> QueryAnswer:
    """``tendermint.abci.ResponseQuery`` as a value."""
    return QueryAnswer(
        code=message.code,
        log=message.log,
        info=message.info,
        index=message.index,
        key=message.key,
        value=message.value,
        proof=tuple(ProofOp(op.type, op.key, op.data) for op in message.proof_ops.ops),
        height=message.height,
        codespace=message.codespace,
    )


def tx_proof(root: bytes, tx: bytes, proof: Proof) -> dict[str, Any]:
    """A transaction's Merkle proof (``types/tx.go``, ``TxProof``)."""
    inner: dict[str, Any] = {
        "total": str(proof.total),
        "index": str(proof.index),
        "leaf_hash": to_base64(proof.leaf_hash),
    }
    if proof.aunts:
        inner["aunts"] = [to_base64(aunt) for aunt in proof.aunts]
    return {"root_hash": root.hex().upper(), "data": to_base64(tx), "proof": inner}
