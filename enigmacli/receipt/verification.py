"""What a join receipt proves. Pure: time and trust are arguments.

With a genesis document: more than 2/3 of the power of its validators, or of those to whom
more than 1/3 of an earlier power led over, signed a header whose state holds the record; the
transaction with the evidence stands in the block that wrote it; and the evidence is authentic
and acceptable under that genesis document's policy at that block's time.

Not: that the keys of those validators were used by their owners and at that time. Who holds old
keys can sign another history, for which only a header that the reader trusts is a remedy. And
not: that the node still is registered, or that it holds the seed.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from enclave.appraise.registration import judge_registration
from enclave.network import network_id
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain import light
from enigmacli.chain.block_time import format_time
from enigmacli.chain.merkle import verify_store_proof
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.records import NodeRecord, node_key
from enigmacli.chain.trust_store import LightBlock
from enigmacli.chain.tx import decode_tx, tx_hash
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.errors import GenesisError, MalformedError, UntrustedAnswerError
from enigmacli.receipt.document import Receipt

ACCEPT: Final = "accept"
_TRUST_HINT: Final = (
    "name a header of the receipt that you trust: --trust-height N --trust-hash HEX"
)


@dataclass(frozen=True, slots=True)
class Genesis:
    """A genesis document that the reader trusts."""

    document: GenesisDocument
    sha256: str
    """Of its file."""


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """A header that the reader trusts, from somebody whom they trust."""

    height: int
    hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds."""

    record: NodeRecord
    proving: LightBlock
    """The header whose state holds the record."""
    judged: bool
    """Whether the evidence was judged; not without a genesis document."""


def verify(
    receipt: Receipt, genesis: Genesis | None, trusted: TrustedHeader | None, now_ns: int
) -> Verified:
    """Check every claim of a receipt.

    Args:
        receipt: well-formed.
        genesis: says who may sign, and by which policy evidence is judged.
        trusted: in place of the genesis document's validators; one of the two is needed.
        now_ns: our clock, nanoseconds since the Unix epoch.

    Raises:
        UntrustedAnswerError: a claim is not proven, or the proof leads elsewhere.
        MalformedError: a part of the proof cannot be read.
        VerificationError, EvidenceFormatError: the evidence is not authentic.
        PolicyError: the evidence is authentic, and the policy refuses it.
        GenesisError: the genesis document names no policy or no validators.
    """
    # 1. cheap: what the words say of the network
    if genesis is not None:
        _check_network(receipt, genesis)
    # 2. the headers, from the anchor of trust
    verified = _verified_headers(receipt, genesis, trusted, now_ns)
    # 3. the record, in the state after the block before the last header
    claims, last = receipt.claims, verified[-1]
    node_id = _bytes(claims.node_id, "node_id")
    verify_store_proof(
        last.header.app_hash, "register", node_key(node_id), receipt.record, receipt.record_proof
    )
    record = NodeRecord.parse(node_id, receipt.record)
    # 4. the transaction that wrote it, in the block of the record
    written = _header_at(verified, record.height)
    message = _check_transaction(receipt, record, written)
    # 5. the words
    _check_claims(receipt, record, written)
    # 6. the judgement, as the validators made it: last, because it is the dearest
    if genesis is not None:
        _judge(genesis.document, record, message, written.header.time_ns)
    return Verified(record, last, judged=genesis is not None)


def _check_network(receipt: Receipt, genesis: Genesis) -> None:
    document, policy = genesis.document, genesis.document.app_state.policy
    if policy is None:
        raise GenesisError("the genesis document has no policy")
    _same("chain_id", document.chain_id, receipt.claims.chain_id)
    identity = network_id(document.chain_id, policy.encode()).hex()
    _same("network_id", identity, receipt.claims.network_id)
    _same("genesis_sha256", genesis.sha256, receipt.claims.genesis_sha256)
    _same("simulation", policy.simulation, receipt.claims.simulation)


def _verified_headers(
    receipt: Receipt, genesis: Genesis | None, trusted: TrustedHeader | None, now_ns: int
) -> tuple[LightBlock, ...]:
    """The headers that the anchor leads to; a trusted header stands in for all before it."""
    headers = receipt.headers
    for before, after in pairwise(headers):
        if after.height <= before.height:
            raise UntrustedAnswerError("the receipt's headers are not in ascending order")
    chain_id = receipt.claims.chain_id
    if trusted is not None:
        start = _trusted_at(receipt, trusted)
        anchor = headers[start]
        light.verify_alone(
            chain_id, anchor.validators, anchor.header, anchor.commit, now_ns=now_ns
        )  # fmt: skip
        lowest = _lowest_before(headers, start)
    elif genesis is not None:
        start = lowest = 0
        _check_first(chain_id, headers[0], genesis.document, now_ns)
    else:
        raise GenesisError("nothing to trust", hint=f"--genesis FILE, or {_TRUST_HINT}")
    for before, after in pairwise(headers[start:]):
        _check_step(before, after, now_ns)
    return headers[lowest:]


def _lowest_before(headers: tuple[LightBlock, ...], start: int) -> int:
    """How far a header leads back: each one names the hash of the one right before it."""
    while start > 0 and headers[start - 1].height == headers[start].height - 1:
        light.verify_backwards(headers[start].header, headers[start - 1].header)
        start -= 1
    return start


def _trusted_at(receipt: Receipt, trusted: TrustedHeader) -> int:
    for at, block in enumerate(receipt.headers):
        if block.height == trusted.height:
            _same(f"header {trusted.height}", trusted.hash.hex(), block.hash.hex())
            return at
    heights = ", ".join(str(one.height) for one in receipt.headers)
    raise UntrustedAnswerError(
        f"the receipt has no header {trusted.height}; it has {heights}",
        hint="ask a node that you trust for the hash of one of these: enigmacli query block N",
    )


def _check_first(
    chain_id: str, first: LightBlock, genesis: GenesisDocument, now_ns: int
) -> None:  # fmt: skip
    if first.height != genesis.initial_height:
        raise UntrustedAnswerError(
            f"the receipt begins at header {first.height}, to which genesis does not lead",
            hint=_TRUST_HINT,
        )
    voters = ValidatorSet.of(Validator.of(one.public_key, one.power) for one in genesis.validators)
    light.verify_initial(
        chain_id, voters, first.header, first.commit,
        initial_height=genesis.initial_height,
        genesis_time_ns=genesis.genesis_time_us * 1000, now_ns=now_ns,
    )  # fmt: skip


def _check_step(before: LightBlock, after: LightBlock, now_ns: int) -> None:
    if after.height == before.height + 1:
        light.verify_adjacent(
            before.header, after.validators, after.header, after.commit, now_ns=now_ns
        )
        return
    light.verify_skipping(
        before.header, before.validators, after.validators, after.header, after.commit,
        now_ns=now_ns,
    )  # fmt: skip


def _header_at(verified: tuple[LightBlock, ...], height: int) -> LightBlock:
    for block in verified:
        if block.height == height:
            return block
    raise UntrustedAnswerError(
        f"what is trusted leads to no header {height}, where the record was written",
        hint=_TRUST_HINT,
    )


def _check_transaction(
    receipt: Receipt, record: NodeRecord, written: LightBlock
) -> RaAuthenticate:  # fmt: skip
    receipt.tx_proof.verify(written.header.data_hash, tx_hash(receipt.tx))
    message = decode_tx(receipt.tx).register
    if message is None:
        raise UntrustedAnswerError("the receipt's transaction registers nothing")
    digest = hashlib.sha256(message.certificate).hexdigest()
    _same("evidence", record.evidence_sha256.hex(), digest)
    if any(record.owner):
        _same("owner", record.owner.hex(), message.sender.hex())
    return message


def _check_claims(receipt: Receipt, record: NodeRecord, written: LightBlock) -> None:
    claims = receipt.claims
    _same("height", record.height, claims.height)
    _same("time", format_time(written.header.time_ns), claims.time)
    _same("tx_hash", tx_hash(receipt.tx).hex(), claims.tx_hash)
    _same("owner", record.owner.hex(), claims.owner)
    _same("evidence_sha256", record.evidence_sha256.hex(), claims.evidence_sha256)
    _same("evidence_kind", record.evidence_kind, claims.evidence_kind)
    _same("measurement", record.measurement.hex(), claims.measurement)
    _same("tcb_status", record.tcb_status, claims.tcb_status)
    _same("verdict", ACCEPT, claims.verdict)


def _judge(
    genesis: GenesisDocument, record: NodeRecord, message: RaAuthenticate, time_ns: int
) -> None:
    policy = genesis.app_state.policy
    if policy is None:
        raise GenesisError("the genesis document has no policy")
    identity = network_id(genesis.chain_id, policy.encode())
    judged = judge_registration(
        message.certificate, message.sender, policy, identity, time_ns // 1000
    )
    _same("node_id", record.node_id.hex(), judged.node_id.hex())
    _same("measurement", record.measurement.hex(), judged.measurement.hex())


def _same(what: str, expected: object, seen: object) -> None:
    if expected != seen:
        raise UntrustedAnswerError(
            f"the receipt's {what} is not the proven one, expected {expected}, seen {seen}",
            details={"expected": str(expected), "seen": str(seen)},
        )


def _bytes(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedError(f"the receipt's {what} is not hex") from error
