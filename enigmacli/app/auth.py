"""Accounts: numbers, sequences and public keys."""

from dataclasses import dataclass, replace
from typing import Any, Self

from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.app.overlay import Overlay, Reader
from enigmacli.chain.address import encode_address
from enigmacli.chain.tx import PUBKEY_TYPE_URL

BASE_ACCOUNT = "cosmos.auth.v1beta1.BaseAccount"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign: stored as the SDK's ``BaseAccount``."""

    address: bytes
    """20 bytes."""
    number: int
    sequence: int = 0
    """Of the next transaction."""
    public_key: bytes = b""
    """33 bytes, empty before the first transaction."""

    @classmethod
    def parse(cls, address: bytes, record: bytes) -> Self:
        """Read the record stored for a 20-byte address."""
        message = protobuf.parse(BASE_ACCOUNT, record)
        key = protobuf.parse(PUBKEY_TYPE_URL[1:], message.pub_key.value).key
        return cls(address, message.account_number, message.sequence, bytes(key))

    def encode(self, prefix: str) -> bytes:
        """The stored record, its address under the network's prefix."""
        key: dict[str, Any] = {}
        if self.public_key:
            value = protobuf.new(PUBKEY_TYPE_URL[1:], key=self.public_key)
            key["pub_key"] = {"type_url": PUBKEY_TYPE_URL, "value": value.SerializeToString()}
        message = protobuf.new(
            BASE_ACCOUNT,
            address=encode_address(prefix, self.address),
            account_number=self.number,
            sequence=self.sequence,
            **key,
        )
        return bytes(message.SerializeToString())

    def after(self, public_key: bytes) -> Self:
        """The account after one more transaction, signed with ``public_key``."""
        return replace(self, sequence=self.sequence + 1, public_key=public_key)


def find_account(state: Reader, address: bytes) -> Account | None:
    """The account of a 20-byte address, if there is one."""
    record = state.get(layout.ACCOUNTS, layout.account(address))
    return Account.parse(address, record) if record else None


def save_account(state: Overlay, account: Account, prefix: str) -> None:
    """Store an account."""
    state.set(layout.ACCOUNTS, layout.account(account.address), account.encode(prefix))


def ensure_account(state: Overlay, address: bytes, prefix: str) -> None:
    """Create the account of an address with the next number, unless it exists."""
    if state.get(layout.ACCOUNTS, layout.account(address)):
        return
    number = int.from_bytes(state.get(layout.ACCOUNTS, layout.NEXT_ACCOUNT_NUMBER))
    save_account(state, Account(address, number), prefix)
    state.set(layout.ACCOUNTS, layout.NEXT_ACCOUNT_NUMBER, (number + 1).to_bytes(8))
