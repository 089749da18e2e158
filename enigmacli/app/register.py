"""Registered nodes: a register transaction and the confirm behind it become a record.

Nothing here looks into the evidence: that it is acceptable is what the confirm says, and
that more than 2/3 of the power agrees is what the block says (protocol.md section 8.4).
"""

import hashlib
from typing import Any

from enclave.calls import MAX_CERTIFICATE_BYTES, AdmitReply
from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.app.genesis_nodes import MAX_TCB_STATUS, MEASUREMENT_BYTES
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.params import Params
from enigmacli.app.refusals import RefusedError, RegisterCode
from enigmacli.chain.address import encode_address
from enigmacli.chain.results import Event, EventAttribute
from enigmacli.chain.sdk_codes import TxInvalidError
from enigmacli.chain.tx import (
    ConfirmNode,
    RaAuthenticate,
    Tx,
    encode_confirm,
    parse_confirm,
    tx_hash,
)

RECORD = "enigma.registration.v1.NodeRecord"
WRAP_BYTES = 48
"""Of one epoch's seed in ``encrypted_seed``."""
_KEY_BYTES = 32


def find_node(state: Reader, node_id: bytes) -> Any:
    """The ``NodeRecord`` of a 32-byte node_id, or None."""
    record = state.get(layout.REGISTER, layout.node(node_id))
    return protobuf.parse(RECORD, record) if record else None


def check_owner(state: Reader, node_id: bytes, owner: bytes) -> None:
    """Refuse a node that is registered by somebody else.

    Raises:
        RefusedError: it is.
    """
    record = find_node(state, node_id)
    if record is not None and record.owner != owner:
        raise RefusedError(
            RegisterCode.OTHER_OWNER,
            f"other-owner: node {node_id.hex()} is registered by another owner, "
            f"expected {record.owner.hex()}, seen {owner.hex()}",
        )


def check_certificate(message: RaAuthenticate) -> None:
    """Refuse evidence that is absent or too long to be evidence; it is not looked into.

    Raises:
        RefusedError: malformed.
    """
    if not 1 <= len(message.certificate) <= MAX_CERTIFICATE_BYTES:
        raise RefusedError(
            RegisterCode.MALFORMED,
            f"certificate-size: expected 1 to {MAX_CERTIFICATE_BYTES} bytes, "
            f"seen {len(message.certificate)}",
        )


def register(
    state: Overlay,
    params: Params,
    tx: Tx,
    message: RaAuthenticate,
    follower: bytes | None,
    *,
    height: int,
) -> ConfirmNode:
    """Write a node's record from its register transaction and the confirm behind it.

    Args:
        state: changed.
        params: of the network.
        tx: a transaction whose fee is paid.
        message: its one message.
        follower: the raw transaction behind it if that is a confirm, well-formed or not.
        height: of the block.

    Raises:
        RefusedError: no valid confirm, malformed evidence, or another owner's node.
    """
    check_certificate(message)
    confirm = _read_confirm(params, tx, follower)
    owner = params.owner(tx.sender)
    check_owner(state, confirm.node_id, owner)
    record = protobuf.new(
        RECORD,
        evidence_sha256=hashlib.sha256(message.certificate).digest(),
        encrypted_seed=confirm.encrypted_seed,
        owner=owner,
        height=height,
        evidence_kind=confirm.evidence_kind,
        measurement=confirm.measurement,
        tcb_status=confirm.tcb_status,
        epoch=confirm.epoch,
    )
    state.set(layout.REGISTER, layout.node(confirm.node_id), record.SerializeToString())
    return confirm


def events(params: Params, tx: Tx, confirm: ConfirmNode) -> tuple[Event, ...]:
    """The event of a registration, in the peer's order."""
    attributes = (
        ("module", "register"),
        ("signer", encode_address(params.prefix, tx.sender)),
        ("encrypted_seed", f"0x{confirm.encrypted_seed.hex()}"),
        ("node_id", f"0x{confirm.node_id.hex()}"),
    )
    return (
        Event(
            "message", tuple(EventAttribute(name, text, index=True) for name, text in attributes)
        ),
    )


def make_confirm(register_raw: bytes, reply: AdmitReply) -> bytes:
    """The confirm transaction that carries an enclave's answer to a raw register transaction."""
    return encode_confirm(
        ConfirmNode(
            register_tx_hash=tx_hash(register_raw),
            node_id=reply.node_id,
            encrypted_seed=reply.encrypted_seed,
            epoch=reply.epoch,
            evidence_kind=reply.evidence_kind,
            measurement=reply.measurement,
            tcb_status=reply.tcb_status,
        )
    )


def to_reply(confirm: ConfirmNode) -> AdmitReply:
    """What an enclave must have answered for this confirm."""
    return AdmitReply(
        node_id=confirm.node_id,
        encrypted_seed=confirm.encrypted_seed,
        epoch=confirm.epoch,
        evidence_kind=confirm.evidence_kind,
        measurement=confirm.measurement,
        tcb_status=confirm.tcb_status,
    )


def confirm_size_bound(epoch: int) -> int:
    """No confirm of that epoch has more bytes."""
    longest = AdmitReply(
        node_id=bytes(_KEY_BYTES),
        encrypted_seed=bytes(WRAP_BYTES * (epoch + 1)),
        epoch=2**32 - 1,
        evidence_kind=max(MEASUREMENT_BYTES, key=len),
        measurement=bytes(max(MEASUREMENT_BYTES.values())),
        tcb_status="x" * MAX_TCB_STATUS,
    )
    return len(make_confirm(b"", longest))


def _read_confirm(params: Params, tx: Tx, follower: bytes | None) -> ConfirmNode:
    if follower is None:
        raise RefusedError(
            RegisterCode.NOT_REGISTERED, "confirm-missing: no confirm follows this register"
        )
    try:
        confirm = parse_confirm(follower)
    except TxInvalidError as error:
        raise _invalid(f"malformed: {error.message}") from error
    wrong = _wrong_field(params, tx, confirm)
    if wrong:
        raise _invalid(wrong)
    return confirm


def _wrong_field(params: Params, tx: Tx, confirm: ConfirmNode) -> str:
    """What a canonical confirm has wrong, empty if nothing."""
    kinds = params.policy.evidence_kinds
    rules: tuple[tuple[str, object, object], ...] = (
        ("register_tx_hash", tx.hash.hex(), confirm.register_tx_hash.hex()),
        ("epoch", params.epoch, confirm.epoch),
        ("size of encrypted_seed", WRAP_BYTES * (params.epoch + 1), len(confirm.encrypted_seed)),
        ("size of node_id", _KEY_BYTES, len(confirm.node_id)),
        ("evidence_kind of the policy", True, confirm.evidence_kind in kinds),
        (
            "size of measurement",
            MEASUREMENT_BYTES.get(confirm.evidence_kind),
            len(confirm.measurement),
        ),
        ("tcb_status of bearable size", True, len(confirm.tcb_status.encode()) <= MAX_TCB_STATUS),
    )
    for name, expected, seen in rules:
        if expected != seen:
            return f"{name}, expected {expected}, seen {seen}"
    return ""


def _invalid(what: str) -> RefusedError:
    return RefusedError(RegisterCode.NOT_REGISTERED, f"confirm-invalid: {what}")
