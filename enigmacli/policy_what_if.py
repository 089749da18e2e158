"""Which nodes another policy would not have admitted, and why.

Every registered node, and the bootstrap node, is judged by the validators' own function, at
the time at which the network judged it and at another time. What evidence binds, network and
owner, is compared as the present network does: under another policy, which is another
network, every node attests anew.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_bootstrap, judge_registration
from enclave.errors import EnclaveError
from enclave.network import network_id
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.records import NodeRecord
from enigmacli.errors import GenesisError, MalformedError, NotFoundError
from enigmacli.registered_evidence import Blocks, Headers, find_evidence

REGISTERED: Final = "registered"
BOOTSTRAP: Final = "bootstrap"

_ACCEPTED: Final = "ok"


class Records(Protocol):
    """Records of nodes; proven, where this home can verify anything."""

    def node(self, node_id: bytes) -> NodeRecord:
        """The record of a node."""
        ...


class Listing(Protocol):
    """The list of nodes, which is always a server's word."""

    def nodes(self) -> tuple[NodeRecord, ...]:
        """All registered nodes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The chain whose nodes are judged."""

    genesis: GenesisDocument
    listing: Listing
    records: Records
    blocks: Blocks
    headers: Headers
    proves: bool
    """Whether ``records`` come with proofs, and genesis from this home."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the validators' enclaves would say."""

    admitted: bool
    code: str
    """``ok``, or the code of the first rule that fails."""
    reason: str
    """In words; empty where admitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOutcome:
    """What another policy means for one node."""

    node_id: bytes
    role: str
    """:data:`REGISTERED` or :data:`BOOTSTRAP`."""
    owner: bytes = b""
    """20 bytes; empty for the bootstrap node."""
    height: int = 0
    """Of the registration; 0 for the bootstrap node."""
    evidence_kind: str = ""
    judged_at_us: int | None = None
    """When the network judged the evidence; None where that is not known."""
    proven: bool = False
    """Whether record, block and time are proven, and not the asked node's word."""
    then: Answer | None = None
    """At ``judged_at_us``; None where it could not be judged."""
    now: Answer | None = None
    unjudged: str = ""
    """Why it could not be judged; empty where it was."""


def what_if(network: Network, policy: Policy, at_us: int) -> Iterator[NodeOutcome]:
    """Judge every node by another policy, the bootstrap node first.

    Args:
        network: whose nodes.
        policy: the other policy.
        at_us: the second time of judgement, microseconds since the Unix epoch.

    Raises:
        GenesisError: the network has no policy yet.
        UntrustedAnswerError: the asked node lies.
        ServiceUnavailableError: it did not answer.
    """
    present = network.genesis.app_state.policy
    if present is None:
        raise GenesisError("the genesis document has no policy")
    identity = network_id(network.genesis.chain_id, present.encode())
    judged_by = replace(policy, require_owner=present.require_owner)
    if network.genesis.app_state.keys is not None:
        keys = network.genesis.app_state.keys
        yield _bootstrap_outcome(keys, judged_by, identity, at_us, proven=network.proves)
    for listed in network.listing.nodes():
        yield _outcome(network, network.records.node(listed.node_id), judged_by, identity, at_us)


def _bootstrap_outcome(
    keys: NetworkKeys, policy: Policy, identity: bytes, at_us: int, *, proven: bool
) -> NodeOutcome:
    def judge(when_us: int) -> object:
        return judge_bootstrap(
            keys.certificate, keys.exchange_pk, keys.io_pk, policy, identity, when_us
        )

    return NodeOutcome(
        node_id=keys.exchange_pk,
        role=BOOTSTRAP,
        judged_at_us=keys.at_us,
        proven=proven,
        then=_answer(judge, keys.at_us),
        now=_answer(judge, at_us),
    )


def _outcome(
    network: Network, record: NodeRecord, policy: Policy, identity: bytes, at_us: int
) -> NodeOutcome:
    known = NodeOutcome(
        node_id=record.node_id,
        role=REGISTERED,
        owner=record.owner,
        height=record.height,
        evidence_kind=record.evidence_kind,
    )
    if _is_carried_over(network.genesis, record):
        return replace(known, unjudged="genesis carried the record over without its evidence")
    try:
        evidence = find_evidence(record, network.blocks, network.headers)
    except (NotFoundError, MalformedError) as error:
        return replace(known, unjudged=error.message)

    def judge(when_us: int) -> object:
        return judge_registration(evidence.certificate, evidence.sender, policy, identity, when_us)

    return replace(
        known,
        judged_at_us=evidence.at_us,
        proven=network.proves and evidence.proven,
        then=_answer(judge, evidence.at_us),
        now=_answer(judge, at_us),
    )


def _is_carried_over(genesis: GenesisDocument, record: NodeRecord) -> bool:
    return any(
        (node.node_id, node.evidence_sha256, node.height)
        == (record.node_id, record.evidence_sha256, record.height)
        for node in genesis.app_state.registration
    )


def _answer(judge: Callable[[int], object], at_us: int) -> Answer:
    try:
        judge(at_us)
    except EnclaveError as error:
        return Answer(admitted=False, code=error.code, reason=" ".join(str(error).split()))
    return Answer(admitted=True, code=_ACCEPTED, reason="")
