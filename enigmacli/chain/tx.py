"""Transactions: canonical Cosmos ``TxRaw`` with one signer, and the implicit confirm.

Two kinds of refusal, both :class:`~enigmacli.chain.sdk_codes.TxInvalidError`: bytes that
cannot be read (``sdk_code`` 2), and features that every transaction here must do without
(their own numbers). Everything in this module depends on the bytes alone; sequence, balance
and signature are judged elsewhere.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.chain import address
from enigmacli.chain.canonical import parse_canonical
from enigmacli.chain.gas import gas_needed
from enigmacli.chain.messages import (
    Coin,
    ConfirmNode,
    Message,
    MsgSend,
    RaAuthenticate,
    SetValidator,
    parse_message,
    read_address,
    read_coins,
)
from enigmacli.chain.sdk_codes import SdkCode, TxInvalidError

__all__ = [
    "MAX_MEMO_SIZE",
    "Coin",
    "ConfirmNode",
    "Message",
    "MsgSend",
    "RaAuthenticate",
    "SetValidator",
    "Tx",
    "TxInvalidError",
    "decode_simulation",
    "decode_tx",
    "encode_confirm",
    "is_confirm",
    "parse_confirm",
    "tx_hash",
]

MAX_MEMO_SIZE: Final = 256
"""Bytes (cosmos-sdk ``x/auth``, ``DefaultMaxMemoCharacters``)."""

PUBKEY_TYPE_URL: Final = "/cosmos.crypto.secp256k1.PubKey"
SIGN_MODE_UNSPECIFIED: Final = 0
SIGN_MODE_DIRECT: Final = 1


@dataclass(frozen=True, slots=True)
class Tx:
    """A well-formed transaction of one signer; its signature is not yet verified."""

    raw: bytes
    body_bytes: bytes
    auth_info_bytes: bytes
    messages: tuple[Message, ...]
    """At least one; all of the same sender."""
    memo: str
    timeout_height: int
    """0: none."""
    fee_amount: tuple[Coin, ...]
    gas_limit: int
    public_key: bytes
    """33 bytes, compressed secp256k1."""
    sequence: int
    signature: bytes
    """r ‖ s; empty in a simulation."""

    @property
    def hash(self) -> bytes:
        """SHA-256 of the raw transaction."""
        return tx_hash(self.raw)

    @property
    def sender(self) -> bytes:
        """20 bytes of the account that signs and pays."""
        return self.messages[0].sender

    @property
    def register(self) -> RaAuthenticate | None:
        """The register message, where this is a register transaction."""
        message = self.messages[0]
        return message if isinstance(message, RaAuthenticate) else None

    @property
    def gas_needed(self) -> int:
        """Gas by the formula."""
        return gas_needed(len(self.raw), registers=1 if self.register else 0)


def tx_hash(raw: bytes) -> bytes:
    """SHA-256 of the raw transaction, by which blocks and clients know it."""
    return hashlib.sha256(raw).digest()


def decode_tx(raw: bytes) -> Tx:
    """Read a signed transaction.

    Raises:
        TxInvalidError: not canonical, or a refused feature.
    """
    return _decode(raw, simulate=False)


def decode_simulation(raw: bytes) -> Tx:
    """Read a transaction to be simulated, as clients send it.

    The signature may be empty, the sign mode unspecified, the fee absent, and the public
    key empty or another's (a client need not know it).

    Raises:
        TxInvalidError: not canonical, or a refused feature.
    """
    return _decode(raw, simulate=True)


def _decode(raw: bytes, *, simulate: bool) -> Tx:
    outer = parse_canonical("cosmos.tx.v1beta1.TxRaw", raw)
    body = parse_canonical("cosmos.tx.v1beta1.TxBody", outer.body_bytes)
    auth = parse_canonical("cosmos.tx.v1beta1.AuthInfo", outer.auth_info_bytes)
    _check_body(body)
    _check_fee(auth, simulate=simulate)
    messages = _read_messages(body)
    public_key = _read_public_key(auth, simulate=simulate)
    _check_one_sender(messages, public_key, simulate=simulate)
    _check_fee_payer(auth.fee, messages[0].sender)
    return Tx(
        raw=raw,
        body_bytes=outer.body_bytes,
        auth_info_bytes=outer.auth_info_bytes,
        messages=messages,
        memo=body.memo,
        timeout_height=body.timeout_height,
        fee_amount=read_coins(auth.fee.amount),
        gas_limit=auth.fee.gas_limit,
        public_key=public_key,
        sequence=auth.signer_infos[0].sequence,
        signature=_one_signature(outer.signatures, simulate=simulate),
    )


def _check_body(body: Any) -> None:
    if body.extension_options or body.non_critical_extension_options:
        raise TxInvalidError(
            "extension-options",
            "extension options are refused",
            SdkCode.UNKNOWN_EXTENSION_OPTIONS,
        )
    if len(body.memo.encode()) > MAX_MEMO_SIZE:
        raise TxInvalidError(
            "memo-size", f"memo is longer than {MAX_MEMO_SIZE} bytes", SdkCode.MEMO_TOO_LARGE
        )


def _check_fee(auth: Any, *, simulate: bool) -> None:
    if not simulate and not auth.HasField("fee"):
        raise TxInvalidError("fee-missing", "fee is missing", SdkCode.INSUFFICIENT_FEE)
    if auth.HasField("tip"):
        raise TxInvalidError("tip", "tips are refused", SdkCode.NOT_SUPPORTED)
    if auth.fee.granter:
        raise TxInvalidError("fee-granter", "fee grants are refused", SdkCode.NOT_SUPPORTED)


def _check_fee_payer(fee: Any, sender: bytes) -> None:
    if fee.payer and read_address(fee.payer) != sender:
        raise TxInvalidError("fee-payer", "the fee payer must be the signer", SdkCode.NOT_SUPPORTED)


def _read_messages(body: Any) -> tuple[Message, ...]:
    messages = tuple(parse_message(message.type_url, message.value) for message in body.messages)
    if not messages:
        raise TxInvalidError("no-message", "a transaction needs a message", SdkCode.INVALID_REQUEST)
    if len(messages) > 1 and any(isinstance(message, RaAuthenticate) for message in messages):
        raise TxInvalidError(
            "register-alone", "a register must be the only message", SdkCode.INVALID_REQUEST
        )
    return messages


def _read_public_key(auth: Any, *, simulate: bool) -> bytes:
    if len(auth.signer_infos) != 1:
        raise TxInvalidError(
            "one-signer",
            f"exactly one signer is needed, got {len(auth.signer_infos)}",
            SdkCode.UNAUTHORIZED,
        )
    signer = auth.signer_infos[0]
    modes = (SIGN_MODE_DIRECT, SIGN_MODE_UNSPECIFIED) if simulate else (SIGN_MODE_DIRECT,)
    if not signer.mode_info.HasField("single") or signer.mode_info.single.mode not in modes:
        raise TxInvalidError("sign-mode", "only SIGN_MODE_DIRECT is known", SdkCode.NOT_SUPPORTED)
    if signer.public_key.type_url != PUBKEY_TYPE_URL:
        raise TxInvalidError(
            "public-key-type", "the public key must be secp256k1", SdkCode.INVALID_PUBKEY
        )
    key = bytes(parse_canonical(PUBKEY_TYPE_URL[1:], signer.public_key.value).key)
    if not (simulate and not key) and (len(key) != address.PUBLIC_KEY_SIZE or key[0] not in (2, 3)):
        raise TxInvalidError(
            "public-key-form", "the public key must be compressed, 33 bytes", SdkCode.INVALID_PUBKEY
        )
    return key


def _check_one_sender(messages: tuple[Message, ...], public_key: bytes, *, simulate: bool) -> None:
    senders = {message.sender for message in messages}
    if len(senders) != 1:
        raise TxInvalidError(
            "one-signer", "all messages must have the same sender", SdkCode.UNAUTHORIZED
        )
    if not simulate and senders != {address.address_of(public_key)}:
        raise TxInvalidError(
            "signer-is-sender", "the public key is not the sender's", SdkCode.INVALID_PUBKEY
        )


def _one_signature(signatures: Any, *, simulate: bool) -> bytes:
    if not signatures:
        if simulate:
            return b""
        raise TxInvalidError("no-signature", "the signature is missing", SdkCode.NO_SIGNATURES)
    if len(signatures) > 1:
        raise TxInvalidError(
            "one-signature", "exactly one signature is needed", SdkCode.TOO_MANY_SIGNATURES
        )
    return bytes(signatures[0])


# --- confirm ------------------------------------------------------------------------------


def is_confirm(raw: bytes) -> bool:
    """Whether ``raw`` carries a confirm message, well-formed or not, signed or not."""
    try:
        body = protobuf.parse(
            "cosmos.tx.v1beta1.TxBody",
            protobuf.parse("cosmos.tx.v1beta1.TxRaw", raw).body_bytes,
        )
    except ValueError:
        return False
    return any(message.type_url == ConfirmNode.TYPE_URL for message in body.messages)


def encode_confirm(confirm: ConfirmNode) -> bytes:
    """The implicit transaction: ``TxRaw`` with a body of this one message and nothing else."""
    body = protobuf.new(
        "cosmos.tx.v1beta1.TxBody",
        messages=[{"type_url": ConfirmNode.TYPE_URL, "value": confirm.encode()}],
    )
    raw = protobuf.new("cosmos.tx.v1beta1.TxRaw", body_bytes=body.SerializeToString())
    return bytes(raw.SerializeToString())


def parse_confirm(raw: bytes) -> ConfirmNode:
    """Read a confirm transaction.

    Raises:
        TxInvalidError: encoding what was read does not give the same bytes.
    """
    outer = parse_canonical("cosmos.tx.v1beta1.TxRaw", raw)
    body = parse_canonical("cosmos.tx.v1beta1.TxBody", outer.body_bytes)
    if [message.type_url for message in body.messages] != [ConfirmNode.TYPE_URL]:
        raise TxInvalidError("confirm-form", "a confirm has exactly one message, its own")
    confirm = ConfirmNode.parse(body.messages[0].value)
    if encode_confirm(confirm) != raw:
        raise TxInvalidError("confirm-form", "a confirm has nothing but its message")
    return confirm
