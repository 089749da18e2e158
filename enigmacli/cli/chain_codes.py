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
        "sdk/6": "the chain does not know this kind of message or query",
        "sdk/7": "an address is malformed",
        "sdk/8": "a public key is malformed, or not the account's",
        "sdk/10": "an amount or denomination is malformed",
        "sdk/12": "the memo is too long",
        "sdk/14": "the transaction has more than one signature",
        "sdk/15": "the transaction has no signature",
        "sdk/18": "the request is malformed",
        "sdk/22": "the state has nothing under this key",
        "sdk/26": "the height asked for is not kept, or not reached yet",
        "sdk/31": "the transaction has extension options, which no transaction here may have",
        "sdk/35": "a bug in the node",
        "sdk/37": "the node does not offer this",
        "sdk/38": "what was asked for does not exist",
        "sdk/32": "the sequence number is not the account's next one",
    }
)
"""Meaning by ``codespace/code``."""

_FETCH: Final = "Fetch new evidence with `enigmacli attest fetch`, and send it soon."
_POLICY: Final = "`enigmacli policy explain` says what the network asks of a node."
_TX: Final = "Build the transaction again with this program."
_SEND_AGAIN: Final = "Send it again."

CHAIN_REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "register/2": "See `enigmacli attest verify FILE`; then fetch evidence again.",
        "register/3": _POLICY,
        "register/4": f"Check the clock. {_FETCH}",
        "register/5": "Fetch evidence for this node's key, this network and the account that pays.",
        "register/6": "See `enigmacli attest parse FILE`; then fetch evidence again.",
        "register/7": "Use the owner's account, or make another key in a new home.",
        "register/8": "Check the node_id, and that --node is a node of the right network.",
        "register/9": "Nothing: only a proposer's mistake gives it, and no block keeps it.",
        "register/10": "Send it again, or to another node with --node.",
        "validator/2": "Use the account of a validator's operator with --from.",
        "validator/3": "Register the node under a policy with owners first.",
        "validator/4": "Remove the other key's power first, or name another node.",
        "validator/5": "Compare the key with `enigmacli nodes -o json`.",
        "validator/6": "Nothing: it is as you want it.",
        "validator/7": "Make another validator before this one leaves.",
        "validator/8": "Choose a smaller power.",
        "sdk/2": _TX,
        "sdk/4": "Compare --chain-id with the network's, and sign again.",
        "sdk/5": "Send coins to the account, or choose a smaller amount.",
        "sdk/9": "Send coins to the address: the first coins make its account.",
        "sdk/11": "Leave --gas out, or give more.",
        "sdk/13": "Leave --fees out, or give at least --gas-prices of the policy.",
        "sdk/19": "Wait for its block: `enigmacli query tx HASH`.",
        "sdk/20": _SEND_AGAIN,
        "sdk/21": _TX,
        "sdk/30": _SEND_AGAIN,
        "sdk/6": _TX,
        "sdk/7": _TX,
        "sdk/8": _TX,
        "sdk/10": _TX,
        "sdk/12": "Shorten the memo.",
        "sdk/14": _TX,
        "sdk/15": "Sign it.",
        "sdk/18": _TX,
        "sdk/22": "Check what was asked for.",
        "sdk/26": "Ask for a newer one.",
        "sdk/31": _TX,
        "sdk/35": "Tell its operator, with the log line.",
        "sdk/37": "Ask another node with --node.",
        "sdk/38": "Check what was asked for.",
        "sdk/32": "Wait until the account's earlier transaction is in a block, then send it again.",
    }
)
"""What to do about each."""
