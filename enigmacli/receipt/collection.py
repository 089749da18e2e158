"""What goes into a receipt, asked of a node and verified before it is written down."""

from typing import Final, Protocol

from enclave.network import network_id
from enigmacli.chain import merkle
from enigmacli.chain.answers import BlockAnswer, QueryAnswer
from enigmacli.chain.block_time import format_time
from enigmacli.chain.light_client import LightClient
from enigmacli.chain.merkle import verify_store_proof
from enigmacli.chain.records import NodeRecord, node_key
from enigmacli.chain.tx import tx_hash
from enigmacli.errors import GenesisError, NotFoundError, NotRegisteredError, TrustExpiredError
from enigmacli.receipt.document import MAX_HEADERS, Claims, Receipt
from enigmacli.receipt.verification import ACCEPT, Genesis
from enigmacli.registered_evidence import registration_of

_STORE: Final = "register"


class Node(Protocol):
    """A node, which may lie."""

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        """Ask the application."""
        ...

    def block(self, height: int | None = None) -> BlockAnswer:
        """The block of a height."""
        ...


def collect(node: Node, light: LightClient, genesis: Genesis, node_id: bytes) -> Receipt:
    """Make the receipt of a registered node.

    Args:
        node: of the network.
        light: verified headers from the same node, remembering nothing of earlier calls.
        genesis: of the network.
        node_id: 32 bytes.

    Raises:
        NotRegisteredError: the node asked says so.
        NotFoundError: it no longer has the block, or the transaction is not in it.
        TrustExpiredError: the way from what is trusted to the record is too long.
        UntrustedAnswerError: it gave something that is not the chain's.
    """
    answer = node.abci_query(f"/store/{_STORE}/key", node_key(node_id), prove=True)
    if not answer.value:
        raise NotRegisteredError(f"the chain knows no node {node_id.hex()}")
    record = NodeRecord.parse(node_id, answer.value)
    written = light.at(record.height)
    proving = light.wait_for(answer.height + 1)
    verify_store_proof(
        proving.header.app_hash, _STORE, node_key(node_id), answer.value, answer.proof
    )
    headers = tuple(one for one in light.path if one.height <= proving.height)
    if len(headers) > MAX_HEADERS:
        raise TrustExpiredError(
            f"{len(headers)} headers lead from what is trusted to the record, "
            f"and a receipt has at most {MAX_HEADERS}",
            hint="trust a later header: --trust-height N --trust-hash HEX",
        )
    txs = node.block(record.height).block.txs
    index = _index_of(record, txs)
    return Receipt(
        claims=_claims(genesis, record, txs[index], format_time(written.header.time_ns)),
        headers=headers,
        record=answer.value,
        record_proof=answer.proof,
        tx=txs[index],
        tx_proof=merkle.prove([tx_hash(one) for one in txs], index),
    )


def _index_of(record: NodeRecord, txs: tuple[bytes, ...]) -> int:
    """Where the transaction stands whose evidence the record names, and whose confirm follows."""
    for at, raw in enumerate(txs[:-1]):
        if registration_of(record, raw, txs[at + 1]) is not None:
            return at
    raise NotFoundError(f"block {record.height} does not hold the transaction of the record")


def _claims(genesis: Genesis, record: NodeRecord, tx: bytes, time: str) -> Claims:
    policy = genesis.document.app_state.policy
    if policy is None:
        raise GenesisError("the genesis document has no policy")
    return Claims(
        chain_id=genesis.document.chain_id,
        network_id=network_id(genesis.document.chain_id, policy.encode()).hex(),
        genesis_sha256=genesis.sha256,
        simulation=policy.simulation,
        node_id=record.node_id.hex(),
        owner=record.owner.hex(),
        height=record.height,
        time=time,
        tx_hash=tx_hash(tx).hex(),
        evidence_sha256=record.evidence_sha256.hex(),
        evidence_kind=record.evidence_kind,
        measurement=record.measurement.hex(),
        tcb_status=record.tcb_status,
        verdict=ACCEPT,
    )
