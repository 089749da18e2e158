"""How a registered node becomes a validator: operators vote, as protocol.md section 7 says.

A vote binds the validator's key to the registered node that serves it; the node's owner becomes
the key's operator. Votes are cast until their power decides, no more.
"""

import time
from typing import Final

from enigmacli.app import layout
from enigmacli.bootstrap import DEFAULT_POWER
from enigmacli.chain.rpc import RpcClient
from enigmacli.errors import WaitTimeoutError
from enigmacli.localnet.folder import Member, Network
from enigmacli.localnet.homes import validator_key
from enigmacli.localnet.steps import TEST_KEYS, Steps

POWER: Final = DEFAULT_POWER
"""Of every validator: the same, so that no third of the power stands behind one of four."""

ACTIVE_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.05


def promote(steps: Steps, member: Member, node_id: bytes) -> None:
    """Make a node that has caught up a validator, unless it is one.

    Args:
        steps: of the network.
        member: the node.
        node_id: under which it is registered, 32 bytes.

    Raises:
        EnigmaError: a vote was refused, or could not be sent.
        WaitTimeoutError: the new validator did not become active in time.
    """
    network = steps.network
    key = validator_key(network.home(member))
    if not _is_stored(network, key):
        vote = ("tx", "validator", "set", key.hex(), str(POWER), "--node-id", node_id.hex(),
                "--node", network.first.url, "-y", *TEST_KEYS)  # fmt: skip
        steps.together(lambda one: steps.run(one, *vote), _deciding(network))
    _wait_until_active(network, key, member.name)
    steps.fact(f"{member.name} is a validator of power {POWER}")


def active_powers(node: RpcClient) -> dict[bytes, int]:
    """Who votes on the next block as one node sees it: power by key."""
    return {one.public_key: one.power for one in node.validators().validators}


def _deciding(network: Network) -> list[Member]:
    """The first validators, in the order of joining, that hold more than 2/3 of the power."""
    with RpcClient(network.first.url) as node:
        powers = active_powers(node)
    voters, agreed, total = [], 0, sum(powers.values())
    for one in network.members:
        if 3 * agreed > 2 * total:
            break
        power = powers.get(validator_key(network.home(one)), 0)
        voters += [one] if power else []
        agreed += power
    return voters


def _is_stored(network: Network, key: bytes) -> bool:
    with RpcClient(network.first.url) as node:
        found = node.abci_query(f"/store/{layout.VALIDATORS}/key", layout.validator(key))
    return bool(found.value)


def _wait_until_active(network: Network, key: bytes, name: str) -> None:
    """Wait for the block after next, from which on the key votes (CometBFT's rule)."""
    deadline = time.monotonic() + ACTIVE_TIMEOUT_S
    with RpcClient(network.first.url) as node:
        while key not in active_powers(node):
            if time.monotonic() > deadline:
                raise WaitTimeoutError(f"{name} was voted in and is not active")
            time.sleep(_POLL_S)
