"""The form of a join receipt: claims for readers, and the proof that has the last word.

One JSON document without floating numbers. Reading it trusts nothing and does bounded work.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from enclave import canonical_json
from enigmacli.chain.answers import QueryAnswer, SignedHeader, ValidatorsAnswer
from enigmacli.chain.merkle import Proof, ProofOp, leaf_hash
from enigmacli.chain.rpc_json import from_json, to_json
from enigmacli.chain.trust_store import LightBlock
from enigmacli.chain.tx import tx_hash
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import MalformedError

SCHEMA: Final = 1
KIND: Final = "join-receipt"
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_HEADERS: Final = 32
"""Between the anchor of trust and the record; more want an anchor that is nearer."""

_MAX_DEPTH: Final = 16


@dataclass(frozen=True, slots=True)
class Claims:
    """What a receipt says in words; each is compared with the proof."""

    chain_id: str
    network_id: str
    """64 hex digits, as all of 32 bytes here."""
    genesis_sha256: str
    simulation: bool
    node_id: str
    owner: str
    """40 hex digits, all zero where the policy requires no owner."""
    height: int
    """Of the block that holds the transaction."""
    time: str
    """Of that block, RFC 3339: when the network judged."""
    tx_hash: str
    evidence_sha256: str
    evidence_kind: str
    measurement: str
    tcb_status: str
    verdict: str
    """``accept``: this program's own judgement at ``time``, with the validators' code."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`document` writes.

        Raises:
            MalformedError: a claim is missing or of another type.
        """
        found: dict[str, Any] = {}
        for name in cls.__slots__:
            wanted = {"simulation": bool, "height": int}.get(name, str)
            if type(value.get(name)) is not wanted:
                raise MalformedError(f"the receipt's {name} is missing, or no {wanted.__name__}")
            found[name] = value[name]
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt, well-formed and not verified."""

    claims: Claims
    headers: tuple[LightBlock, ...]
    """From the anchor to the header that proves the record, ascending."""
    record: bytes
    """The value in the state, :class:`~enigmacli.chain.records.NodeRecord`."""
    record_proof: tuple[ProofOp, ...]
    """Leads to the app hash in the last header."""
    tx: bytes
    """The signed register transaction, evidence and all."""
    tx_proof: Proof
    """Leads to the data hash in the header of ``claims.height``."""

    def encode(self) -> bytes:
        """The file."""
        proof = {
            "headers": [_header_value(one) for one in self.headers],
            "record": _base64(self.record),
            "record_proof": to_json(QueryAnswer(proof=self.record_proof))["response"]["proofOps"],
            "tx": _base64(self.tx),
            "tx_proof": {
                "total": self.tx_proof.total,
                "index": self.tx_proof.index,
                "aunts": [_base64(one) for one in self.tx_proof.aunts],
            },
        }
        document = {"schema": SCHEMA, "kind": KIND, **self.claims.document(), "proof": proof}
        return json.dumps(document, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a receipt.

        Raises:
            MalformedError: it is none, or of another schema.
        """
        try:
            value = canonical_json.loads(data, max_bytes=MAX_BYTES, max_depth=_MAX_DEPTH)
        except ValueError as error:
            raise MalformedError(f"the receipt is not strict JSON: {error}") from error
        if not isinstance(value, dict) or value.get("kind") != KIND:
            raise MalformedError("the file is no join receipt")
        if value.get("schema") != SCHEMA:
            raise MalformedError("the receipt is of another schema, and not read by this version")
        try:
            return cls._read(value, value["proof"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedError("the receipt's proof is incomplete or malformed") from error

    @classmethod
    def _read(cls, value: Mapping[str, Any], proof: Mapping[str, Any]) -> Self:
        headers = proof["headers"]
        if not isinstance(headers, list) or not 1 <= len(headers) <= MAX_HEADERS:
            raise MalformedError(f"a receipt has 1 to {MAX_HEADERS} headers")
        answer = from_json(QueryAnswer, {"response": {"proofOps": proof["record_proof"]}})
        tx = base64.b64decode(proof["tx"], validate=True)
        return cls(
            claims=Claims.of(value),
            headers=tuple(_read_header(one) for one in headers),
            record=base64.b64decode(proof["record"], validate=True),
            record_proof=answer.proof,
            tx=tx,
            tx_proof=_read_tx_proof(tx, proof["tx_proof"]),
        )


def _header_value(block: LightBlock) -> dict[str, Any]:
    listed = block.validators.validators
    return {
        "signed_header": to_json(SignedHeader(block.header, block.commit))["signed_header"],
        "validators": to_json(ValidatorsAnswer(block.height, listed, len(listed), len(listed))),
    }


def _read_header(value: Mapping[str, Any]) -> LightBlock:
    found = from_json(SignedHeader, {"signed_header": value["signed_header"], "canonical": False})
    validators = from_json(ValidatorsAnswer, value["validators"]).validators
    return LightBlock(found.header, found.commit, ValidatorSet.of(validators))


def _read_tx_proof(tx: bytes, value: Mapping[str, Any]) -> Proof:
    total, index = value["total"], value["index"]
    aunts = tuple(base64.b64decode(one, validate=True) for one in value["aunts"])
    if type(total) is not int or type(index) is not int:
        raise MalformedError("the transaction's place in its block is no number")
    if any(len(one) != 32 for one in aunts):  # noqa: PLR2004 -- SHA-256
        raise MalformedError("a hash in the transaction's proof is not 32 bytes")
    return Proof(total, index, leaf_hash(tx_hash(tx)), aunts)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
