"""Which raw key holds what in which store; ``docs/state.md`` says the same in words."""

from typing import Final

ACCOUNTS: Final = "accounts"
BANK: Final = "bank"
PARAMS: Final = "params"
REGISTER: Final = "register"
VALIDATORS: Final = "validators"

NEXT_ACCOUNT_NUMBER: Final = b"\x02NextAccountNumber"
"""accounts: u64be, the number of the next account that is created."""

CHAIN_ID: Final = b"\x01ChainId"
"""params: the chain id in ASCII."""
PREFIX: Final = b"\x01Bech32Prefix"
"""params: the prefix of addresses in ASCII."""
POLICY: Final = b"\x01Policy"
"""params: canonical JSON of the policy."""
BLOCK: Final = b"\x01Block"
"""params: ``tendermint.types.BlockParams``."""
EPOCH: Final = b"\x01Epoch"
"""params: u32be, the epoch of the current exchange key."""

EXCHANGE_KEY: Final = b"\x02NodeExchMasterKey"
"""register: ``MasterKey``, the current epoch's exchange_pk."""
IO_KEY: Final = b"\x02IoExchMasterKey"
"""register: ``MasterKey``, the current epoch's io_pk."""

NODES: Final = b"\x01"
"""register: prefix of all node records."""
BALANCES: Final = b"\x01"
"""bank: prefix of all balances."""
VALIDATOR_RECORDS: Final = b"\x01"
"""validators: prefix of all validators."""


def account(address: bytes) -> bytes:
    """accounts: ``BaseAccount`` of a 20-byte address."""
    return b"\x01" + address


def balance(address: bytes, denom: str) -> bytes:
    """bank: decimal amount in ASCII of one denomination."""
    return balances(address) + denom.encode()


def balances(address: bytes) -> bytes:
    """bank: prefix of all balances of a 20-byte address."""
    return BALANCES + address


def node(node_id: bytes) -> bytes:
    """register: ``NodeRecord`` of a 32-byte node_id."""
    return NODES + node_id


def of_epoch(key: bytes, epoch: int) -> bytes:
    """register: :data:`EXCHANGE_KEY` or :data:`IO_KEY` of one epoch."""
    return key + epoch.to_bytes(4)


def validator(consensus_pubkey: bytes) -> bytes:
    """validators: ``ValidatorRecord`` of a 32-byte key."""
    return VALIDATOR_RECORDS + consensus_pubkey


def votes(consensus_pubkey: bytes) -> bytes:
    """validators: prefix of all open votes for a 32-byte key."""
    return b"\x02" + consensus_pubkey


def vote(consensus_pubkey: bytes, operator: bytes) -> bytes:
    """validators: ``VoteRecord`` of a 20-byte operator for a 32-byte key."""
    return votes(consensus_pubkey) + operator


def served_key(node_id: bytes) -> bytes:
    """validators: the 32-byte key that a node_id serves."""
    return b"\x03" + node_id
