"""The homes of a local network's nodes: made, given an account, and configured.

A value that the operator changed by hand is left alone where the network does not need another.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from enigmacli import config as configs
from enigmacli import home as files
from enigmacli.config_file import with_value
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.home import Home
from enigmacli.localnet.folder import Member, Network
from enigmacli.localnet.steps import TEST_KEYS, Steps
from enigmacli.localnet.words import COMETBFT

EMPTY_BLOCKS_INTERVAL_S: Final = 1.0
TIMEOUT_PROPOSE_S: Final = 1.0
_PEERS: Final = "p2p.persistent_peers"
Value = str | float | bool


def account(steps: Steps, member: Member) -> str:
    """The address of the home's one account, which has the node's name; made where missing."""
    home = steps.network.home(member)
    verb = "show" if (home.keyring_dir("test") / f"{member.name}.key").exists() else "add"
    return str(steps.run(member, "keys", verb, member.name, *TEST_KEYS)["address"])


def is_made(home: Home) -> bool:
    """Whether ``init`` completed it."""
    return home.config_file.exists()


def node_key_id(home: Home) -> str:
    """By which name other nodes know this one: 40 hex digits."""
    return Ed25519Key.load(home.node_key_file).address.hex()


def validator_key(home: Home) -> bytes:
    """32 bytes: the public key that signs this node's votes."""
    return Ed25519Key.load(home.priv_validator_key_file).public_key


def configure(network: Network, member: Member) -> None:
    """Let a home's configuration say what the network is.

    Raises:
        ConfigError: it is malformed.
        HomeBusyError: another command is changing it.
        StorageError: it cannot be written.
    """
    set_values(network.home(member), lambda held: _values(network, member, held))


def configure_guest(network: Network, home: Home) -> None:
    """Let the configuration of any home name what is the network's; what it says already stays.

    Raises:
        ConfigError: it is malformed.
        HomeBusyError: another command is changing it.
        StorageError: it cannot be written.
    """
    values: dict[str, Value] = {
        "account.keyring_backend": "test",
        "attestation.ias_url": network.intel_url,
        "chain.faucet": network.faucet_url,
        "chain.node": network.first.url,
        "node.follow": network.first.url,
    }
    set_values(home, lambda held: {name: held.get(name, values[name]) for name in values})


def set_values(home: Home, wanted: Callable[[Mapping[str, object]], Mapping[str, Any]]) -> None:
    """Set keys of a configuration, durably and together.

    Args:
        home: whose.
        wanted: from what the file sets, by ``section.key``, what it shall set.

    Raises:
        ConfigError: it is malformed.
        HomeBusyError: another command is changing it.
        StorageError: it cannot be written.
    """
    with home.changing_config():
        before = files.read(home.config_file)
        held = configs.parse(before, str(home.config_file))
        data = before
        for name, value in wanted(held).items():
            if held.get(name) != value:
                data, _ = with_value(data, name, str(value))
        if data != before:
            files.replace(home.config_file, data)


def _values(
    network: Network, member: Member, held: Mapping[str, object]
) -> dict[str, str | float | bool]:
    values: dict[str, str | float | bool] = {
        "account.keyring_backend": "test",
        "attestation.ias_url": network.intel_url,
        "chain.node": member.url,
        "rpc.listen": member.rpc,
        "p2p.listen": member.p2p,
        "node.block_interval_s": network.block_interval_s,
        "node.empty_blocks_interval_s": max(EMPTY_BLOCKS_INTERVAL_S, network.block_interval_s),
    }
    if network.engine == COMETBFT:
        values |= {
            "p2p.one_machine": True,
            "p2p.pex": False,  # everyone knows everyone, by the addresses that are configured
            _PEERS: _peers(network, member, str(held.get(_PEERS, ""))),
            "cometbft.path": network.cometbft,
            "cometbft.timeout_propose_s": TIMEOUT_PROPOSE_S,
        }
    elif member != network.first:
        values["node.follow"] = network.first.url
    return values


def _peers(network: Network, member: Member, held: str) -> str:
    """The peers that are configured, and those of the network's other homes that are not."""
    items = [one.strip() for one in held.split(",") if one.strip()]
    known = {one.partition("@")[0] for one in items}
    for other in network.members:
        home = network.home(other)
        if other != member and home.node_key_file.exists():
            name = node_key_id(home)
            items += [] if name in known else [f"{name}@{other.p2p}"]
    return ",".join(items)
