"""Who was admitted to the network, and who of them votes: the flow of ``nodes``.

A node's list is its word: it may leave nodes out. A single record can be proven.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from enigmacli.chain.answers import SignedHeader
from enigmacli.chain.queries import Verified
from enigmacli.chain.records import NodeRecord
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import NotFoundError, UntrustedAnswerError


class Chain(Protocol):
    """The application, as the node asked tells of it."""

    def nodes(self) -> tuple[NodeRecord, ...]:
        """All registered nodes."""
        ...

    def serving(self, consensus_pubkey: bytes) -> bytes:
        """The node_id that serves a validator key."""
        ...


class Headers(Protocol):
    """The blocks of the node asked."""

    def validators(self, height: int | None = None) -> ValidatorSet:
        """Who votes now."""
        ...

    def commit(self, height: int | None = None) -> SignedHeader:
        """A header with its commit."""
        ...


Prove = Callable[[bytes], tuple[NodeRecord, Verified | None]]
"""The record of a node_id, and the header that proves it."""


@dataclass(frozen=True, slots=True)
class Voter:
    """A validator, and the node that serves it."""

    public_key: bytes
    """32 bytes, ed25519."""
    power: int
    node_id: bytes
    """32 bytes; the network's first exchange key for a bootstrap node; empty where unknown."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A registered node."""

    record: NodeRecord
    power: int
    """Of the validator that it serves, 0 where it serves none."""
    verified: Verified | None
    """The header that proves the record; ``None``: it is the node's word."""


@dataclass(frozen=True, slots=True)
class Census:
    """Everybody, in the order of admission."""

    admissions: tuple[Admission, ...]
    voters: tuple[Voter, ...]


def take_census(chain: Chain, headers: Headers, prove: Prove | None = None) -> Census:
    """Ask for all nodes and validators.

    Args:
        chain: the application.
        headers: the chain's blocks.
        prove: proves single records; left out, all is the node's word.

    Raises:
        UntrustedAnswerError: a record that was listed is not what the state holds.
        ServiceUnavailableError: the node did not answer.
    """
    voters = tuple(
        _voter(chain, one.public_key, one.power) for one in headers.validators().validators
    )
    powers = {voter.node_id: voter.power for voter in voters if voter.node_id}
    admissions = (
        Admission(record, powers.get(record.node_id, 0), _proof(record, prove))
        for record in chain.nodes()
    )
    return Census(tuple(sorted(admissions, key=_first_first)), voters)


def _first_first(admission: Admission) -> tuple[int, bytes]:
    return admission.record.height, admission.record.node_id


def _voter(chain: Chain, public_key: bytes, power: int) -> Voter:
    try:
        return Voter(public_key, power, chain.serving(public_key))
    except NotFoundError:  # it left in between
        return Voter(public_key, power, b"")


def _proof(listed: NodeRecord, prove: Prove | None) -> Verified | None:
    if prove is None:
        return None
    record, verified = prove(listed.node_id)
    if record != listed and record.height <= listed.height:
        raise UntrustedAnswerError(
            f"the node lists another record of {listed.node_id.hex()} than the state holds"
        )
    return verified


def block_times(headers: Headers, heights: Iterable[int]) -> dict[int, int]:
    """The times of blocks in nanoseconds since the Unix epoch, as far as the node has them."""
    found = {}
    for height in heights:
        try:
            found[height] = headers.commit(height).header.time_ns
        except NotFoundError:
            continue  # pruned
    return found
