"""The codes with which the chain refuses a transaction (protocol.md section 7)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CHAIN_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "register/2": "the evidence is not authentic",
        "register/3": "the evidence is authentic, but the network's policy refuses it",
        "register/4": "the evidence is not fresh: too old, or dated in the future",
        "register/5": "the evidence binds another key, network or account",
        "register/6": "the evidence is malformed",
        "register/7": "the node is registered by another owner",
        "register/8": "the node is not registered",
        "register/9": "a confirm stands where none is allowed, or is missing",
        "register/10": "the enclave of the node that checked is unavailable: try again",
        "validator/2": "the sender operates no validator",
        "validator/3": "the node is not registered, or has no owner",
        "validator/4": "the node serves another validator key already",
        "validator/5": "there is no such validator to remove",
        "validator/6": "the validator has this power already",
        "validator/7": "the change would leave no validator",
        "validator/8": "a power or the total would exceed its limit",
        "sdk/2": "the transaction is not canonically encoded",
        "sdk/4": "the signature or the chain id is wrong",
        "sdk/5": "the account owns less than the amount",
        "sdk/9": "the account is not known to the chain",
        "sdk/11": "the gas limit is below what the transaction needs",
        "sdk/13": "the fee is below the network's price",
        "sdk/19": "the transaction waits for its block already",
        "sdk/20": "the node's queue of transactions is full: try again",
        "sdk/21": "the transaction is too large",
        "sdk/30": "the transaction's timeout height has passed",
        "sdk/32": "the sequence number is not the account's next one",
    }
)
"""Meaning by ``codespace/code``."""
