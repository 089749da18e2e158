"""Signing transactions, and checking signatures: SIGN_MODE_DIRECT over secp256k1.

A signature is r ‖ s, 64 bytes, over the SHA-256 of the SignDoc, with s at most N/2 (the
Cosmos SDK's rule, ``crypto/keys/secp256k1``). libsecp256k1 makes deterministic, low-s
signatures; it takes DER, so the two numbers are packed here.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import coincurve

from enigmacli import protobuf
from enigmacli.chain.gas import gas_needed
from enigmacli.chain.messages import Coin, Message, RaAuthenticate
from enigmacli.chain.sdk_codes import SdkCode, TxInvalidError
from enigmacli.chain.tx import PUBKEY_TYPE_URL, SIGN_MODE_DIRECT, Tx

SIGNATURE_SIZE: Final = 64

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_REMEMBERED: Final = 8_192
_SIZE_SLACK: Final = 2**63 - 1  # the largest numbers, so that an estimate is never too low


def sign_bytes(body: bytes, auth: bytes, chain_id: str, account_number: int) -> bytes:
    """The SignDoc: what the signer signs."""
    document = protobuf.new(
        "cosmos.tx.v1beta1.SignDoc",
        body_bytes=body,
        auth_info_bytes=auth,
        chain_id=chain_id,
        account_number=account_number,
    )
    return bytes(document.SerializeToString())


def verify_signature(tx: Tx, chain_id: str, account_number: int) -> None:
    """Refuse a transaction whose signature is not its public key's, over its own bytes.

    Raises:
        TxInvalidError: code UNAUTHORIZED; wrong length, high s, or no match.
    """
    message = sign_bytes(tx.body_bytes, tx.auth_info_bytes, chain_id, account_number)
    if not is_signature(tx.public_key, message, tx.signature):
        raise TxInvalidError(
            "signature",
            "signature does not verify; check chain id, account number and sequence "
            f"(chain id {chain_id}, account number {account_number}, sequence {tx.sequence})",
            SdkCode.UNAUTHORIZED,
        )


def is_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether r ‖ s, with a low s, is the key's signature over SHA-256 of ``message``."""
    return _is_signature_of(public_key, hashlib.sha256(message).digest(), signature)


# a node is asked about the same transaction in CheckTx, Prepare and Process
@lru_cache(maxsize=_REMEMBERED)
def _is_signature_of(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    if len(signature) != SIGNATURE_SIZE or len(public_key) != 33:  # noqa: PLR2004 -- compressed
        return False
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        return False
    try:
        return coincurve.PublicKey(public_key).verify(_to_der(r, s), digest, hasher=None)
    except ValueError:  # not a point of the curve
        return False


def sign(private_key: coincurve.PrivateKey, message: bytes) -> bytes:
    """Sign SHA-256 of ``message``: r ‖ s, deterministic, low s."""
    return private_key.sign_recoverable(message)[:SIGNATURE_SIZE]


def _to_der(r: int, s: int) -> bytes:
    body = b"".join(
        bytes((0x02, len(number))) + number
        for number in (value.to_bytes(value.bit_length() // 8 + 1) for value in (r, s))
    )
    return bytes((0x30, len(body))) + body


# --- building -----------------------------------------------------------------------------


def encode_body(message: Message, *, memo: str = "", timeout_height: int = 0) -> bytes:
    """The TxBody of one message."""
    body = protobuf.new(
        "cosmos.tx.v1beta1.TxBody",
        messages=[{"type_url": message.type_url, "value": message.encode()}],
        memo=memo,
        timeout_height=timeout_height,
    )
    return bytes(body.SerializeToString())


def encode_auth_info(
    public_key: bytes, sequence: int, gas_limit: int, fee: tuple[Coin, ...]
) -> bytes:
    """The AuthInfo of one signer who pays the fee."""
    key = protobuf.new(PUBKEY_TYPE_URL[1:], key=public_key)
    auth = protobuf.new(
        "cosmos.tx.v1beta1.AuthInfo",
        signer_infos=[
            {
                "public_key": {"type_url": PUBKEY_TYPE_URL, "value": key.SerializeToString()},
                "mode_info": {"single": {"mode": SIGN_MODE_DIRECT}},
                "sequence": sequence,
            }
        ],
        fee={"amount": [coin.message() for coin in fee], "gas_limit": gas_limit},
    )
    return bytes(auth.SerializeToString())


def encode_tx(body: bytes, auth: bytes, signature: bytes) -> bytes:
    """The raw transaction."""
    raw = protobuf.new(
        "cosmos.tx.v1beta1.TxRaw", body_bytes=body, auth_info_bytes=auth, signatures=[signature]
    )
    return bytes(raw.SerializeToString())


def build_and_sign(
    message: Message,
    *,
    sign: Callable[[bytes], bytes],
    public_key: bytes,
    chain_id: str,
    account_number: int,
    sequence: int,
    gas_limit: int,
    fee: tuple[Coin, ...],
    memo: str = "",
    timeout_height: int = 0,
) -> bytes:
    """A raw, signed transaction of one message.

    Args:
        message: what it says; its sender must be the account of ``public_key``.
        sign: given the sign bytes, the 64-byte signature (a keyring's).
        public_key: 33 bytes.
        chain_id: of the network.
        account_number: of the account on chain.
        sequence: the account's next.
        gas_limit: at least :func:`estimate_gas`.
        fee: coins, sorted by denomination.
        memo: free text.
        timeout_height: the last height at which it may be included; 0: any.
    """
    body = encode_body(message, memo=memo, timeout_height=timeout_height)
    auth = encode_auth_info(public_key, sequence, gas_limit, fee)
    return encode_tx(body, auth, sign(sign_bytes(body, auth, chain_id, account_number)))


def estimate_gas(message: Message, *, memo: str = "", denom: str = "uscrt") -> int:
    """Gas that a transaction of this message needs, whatever its sequence, fee and limits."""
    body = encode_body(message, memo=memo, timeout_height=_SIZE_SLACK)
    fee = (Coin(denom, _SIZE_SLACK),)
    auth = encode_auth_info(bytes(33), _SIZE_SLACK, _SIZE_SLACK, fee)
    size = len(encode_tx(body, auth, bytes(SIGNATURE_SIZE)))
    return gas_needed(size, registers=1 if isinstance(message, RaAuthenticate) else 0)
