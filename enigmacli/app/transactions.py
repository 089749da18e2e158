"""What a signed transaction passes before its message: form, account, signature, sequence, fee.

Each step is a function of its own, for a block takes them in another order (signature first)
than CheckTx (cheap steps first). None of them changes anything but :func:`pay_fee`.
"""

from typing import Final

from enigmacli.app.auth import Account, find_account, save_account
from enigmacli.app.bank import FEE_COLLECTOR, move
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.app.params import Params
from enigmacli.app.refusals import RefusedError, of_invalid
from enigmacli.chain.address import encode_address
from enigmacli.chain.gas import fee_for
from enigmacli.chain.messages import MsgSend
from enigmacli.chain.sdk_codes import SdkCode, TxInvalidError
from enigmacli.chain.signing import verify_signature
from enigmacli.chain.tx import Tx, decode_simulation, decode_tx

MAX_TX_BYTES: Final = 68 * 1024
"""The longest transaction: 64 KiB of evidence and what stands around it."""


def read_tx(raw: bytes, params: Params, *, simulate: bool = False) -> Tx:
    """Decode a raw transaction, and check what depends on its bytes alone.

    Raises:
        RefusedError: too long, not canonical, a refused feature, or a foreign prefix.
    """
    if len(raw) > MAX_TX_BYTES:
        raise RefusedError(
            SdkCode.TX_TOO_LARGE,
            f"tx-size: expected at most {MAX_TX_BYTES} bytes, seen {len(raw)}",
        )
    try:
        tx = decode_simulation(raw) if simulate else decode_tx(raw)
    except TxInvalidError as error:
        raise of_invalid(error) from error
    _check_prefixes(tx, params.prefix)
    return tx


def check_timeout(tx: Tx, height: int) -> None:
    """Refuse a transaction whose ``timeout_height`` lies before ``height``.

    Raises:
        RefusedError: it does.
    """
    if 0 < tx.timeout_height < height:
        raise RefusedError(
            SdkCode.TX_TIMEOUT_HEIGHT,
            f"timeout-height: expected height {tx.timeout_height} at most, seen {height}",
        )


def load_account(state: Reader, tx: Tx, params: Params) -> Account:
    """The sender's account.

    Raises:
        RefusedError: there is none.
    """
    sender = tx.sender
    account = find_account(state, sender)
    if account is None:
        raise RefusedError(
            SdkCode.UNKNOWN_ADDRESS,
            f"unknown-account: {encode_address(params.prefix, sender)} does not exist",
        )
    return account


def check_signature(tx: Tx, account: Account, params: Params) -> None:
    """Refuse a transaction that the account did not sign for this chain.

    Raises:
        RefusedError: the signature does not verify.
    """
    try:
        verify_signature(tx, params.chain_id, account.number)
    except TxInvalidError as error:
        raise of_invalid(error) from error


def check_sequence(tx: Tx, account: Account) -> None:
    """Refuse a transaction that is not the account's next.

    Raises:
        RefusedError: another sequence.
    """
    if tx.sequence != account.sequence:
        raise RefusedError(
            SdkCode.WRONG_SEQUENCE,
            "wrong-sequence: account sequence mismatch, "
            f"expected {account.sequence}, seen {tx.sequence}",
        )


def check_fee(tx: Tx, params: Params) -> None:
    """Refuse a gas limit that is too low or does not fit a block, and a fee below the price.

    Raises:
        RefusedError: one of them.
    """
    if tx.gas_limit < tx.gas_needed:
        raise RefusedError(
            SdkCode.OUT_OF_GAS,
            f"gas-limit: expected at least {tx.gas_needed}, seen {tx.gas_limit}",
        )
    if tx.gas_limit > params.max_gas:
        raise RefusedError(
            SdkCode.OUT_OF_GAS,
            f"gas-limit: expected at most {params.max_gas}, a block's, seen {tx.gas_limit}",
        )
    least = fee_for(tx.gas_limit, params.gas_price)
    paid = sum(coin.amount for coin in tx.fee_amount if coin.denom == least.denom)
    if paid < least.amount:
        raise RefusedError(
            SdkCode.INSUFFICIENT_FEE,
            f"insufficient-fee: expected at least {least}, seen {paid}{least.denom}",
        )


def pay_fee(state: Overlay, tx: Tx, account: Account, params: Params) -> None:
    """Count the sequence up, keep the public key, and take the fee.

    Raises:
        RefusedError: the sender has less; the overlay is then to be forgotten.
    """
    save_account(state, account.after(tx.public_key), params.prefix)
    move(state, account.address, FEE_COLLECTOR, [coin for coin in tx.fee_amount if coin.amount])


def _check_prefixes(tx: Tx, prefix: str) -> None:
    texts = [
        text
        for message in tx.messages
        if isinstance(message, MsgSend)
        for text in (message.from_address, message.to_address)
    ]
    for text in texts:
        found = text.rpartition("1")[0]  # well-formed bech32, as decoding has found
        if found != prefix:
            raise RefusedError(
                SdkCode.INVALID_ADDRESS, f"address-prefix: expected {prefix}, seen {found}"
            )
