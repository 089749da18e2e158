"""What is done to a running local network: look, end, kill, start again, give coins."""

import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from enigmacli import home as homes
from enigmacli.chain.rpc import RpcClient
from enigmacli.child import family_lock
from enigmacli.errors import ConfigError, EnigmaError
from enigmacli.localnet.folder import DOCUMENT, Member, Network
from enigmacli.localnet.homes import node_key_id, validator_key
from enigmacli.localnet.joining import start
from enigmacli.localnet.processes import Owner, command_line, descendants
from enigmacli.localnet.promotion import active_powers
from enigmacli.localnet.steps import TEST_KEYS, Steps, Teller
from enigmacli.localnet.up import LOCK, start_faucet, start_intel
from enigmacli.localnet.words import APP, COMETBFT, FAUCET, INTEL

_MARKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"enclave": ("--role", "keys"), "judge": ("--role", "judge"), COMETBFT: ("start", "--home")}
)
"""What stands in the command lines of a node's children, in this order."""

_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """One node as it is now; what it says of itself is missing while it does not answer."""

    name: str
    pid: int | None
    rpc: str
    peer: str
    """How other nodes name it: ID@HOST:PORT."""
    height: int | None = None
    app_hash: str | None = None
    """Of that height, hex."""
    catching_up: bool | None = None
    peers: int | None = None
    power: int | None = None
    """0 where it is no validator."""


def standings(network: Network) -> list[NodeStanding]:
    """Every node as it is now; changes nothing and waits for nobody."""
    return [_standing(network, one) for one in network.members]


def _standing(network: Network, member: Member) -> NodeStanding:
    home = network.home(member)
    owner = network.process(member.name).owner()
    pid = owner.pid if owner else None
    if not home.node_key_file.exists():
        return NodeStanding(member.name, pid, member.url, "")
    peer = f"{node_key_id(home)}@{member.p2p}"
    found: dict[str, Any] = {}
    try:
        with RpcClient(member.url, _TIMEOUT_S) as node:
            info = node.abci_info()
            found = {
                "height": info.last_block_height,
                "app_hash": info.last_block_app_hash.hex(),
                "catching_up": node.status().catching_up,
                "power": active_powers(node).get(validator_key(home), 0),
            }
            found["peers"] = int(node.call("net_info")["n_peers"])
    except (EnigmaError, KeyError, TypeError, ValueError):
        pass  # it is down, or young; what it said so far is shown
    return NodeStanding(member.name, pid, member.url, peer, **found)


def stop(network: Network, names: Sequence[str]) -> dict[str, str]:
    """End these processes, politely at first; how each ended."""
    return {name: network.process(name).stop() for name in names}


def down(folder: Path, *, remove: bool) -> dict[str, str]:
    """End every process of the network, and remove its folder where that is wanted.

    Returns:
        How each ended; nothing where there is no network.

    Raises:
        HomeBusyError: another command is at work on it.
        ConfigError: the folder is to be removed and holds no network.
    """
    if not (folder / DOCUMENT).exists():
        if remove and folder.exists():
            raise ConfigError(f"{folder} holds no local network, and is not removed")
        return {}
    with family_lock(folder / LOCK):
        network = Network.load(folder)
        names = (FAUCET, *(one.name for one in reversed(network.members)), INTEL)
        ended = stop(network, names)
        if remove:
            _remove(folder)
    return ended


def _remove(folder: Path) -> None:
    """Remove the folder, its document last: a removal that was interrupted can be repeated."""
    try:
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != DOCUMENT:
                entry.unlink()
        (folder / DOCUMENT).unlink()
        folder.rmdir()
    except OSError as error:
        raise homes.storage_error("remove", folder, error) from error


def kill(network: Network, name: str, part: str) -> int:
    """Kill -9 one process of a node, the simulated Intel, or the faucet; its pid.

    Raises:
        ConfigError: it does not run.
    """
    process = network.process(name)
    if part == APP:
        killed = process.kill()
    else:
        killed = _part(process.owner(), part)
        if killed is not None:
            killed.signal(signal.SIGKILL)
    if killed is None:
        raise ConfigError(f"{part} of {name} does not run", hint="enigmacli localnet status")
    return killed.pid


def _part(node: Owner | None, part: str) -> Owner | None:
    if node is None:
        return None
    for one in descendants(node.pid):
        words = command_line(one.pid)
        if any(words[at : at + 2] == _MARKS[part] for at in range(len(words))):
            return one
    return None


def restart(folder: Path, names: Sequence[str], teller: Teller) -> Network:
    """End these processes where they run, and start them; all that do not run without a name.

    Args:
        folder: of the network.
        names: of nodes, or of the simulated Intel or the faucet.
        teller: told every command.

    Raises:
        EnigmaError, EnclaveError: one does not start; why.
    """
    with family_lock(folder / LOCK) as lock:
        network = Network.load(folder)
        steps = Steps(network, lock, teller)
        wanted = [
            one
            for one in network.members
            if (one.name in names if names else network.process(one.name).owner() is None)
        ]
        stop(network, names)
        start_intel(steps)
        steps.together(lambda one: start(steps, one), wanted)
        if network.faucet and network.process(network.first.name).owner() is not None:
            start_faucet(steps)
    return network


def fund(folder: Path, recipient: str, amount: str, teller: Teller) -> dict[str, Any]:
    """Send coins of the first node's account; the transfer's receipt.

    Raises:
        EnigmaError: the transfer was refused, or could not be sent.
    """
    with family_lock(folder / LOCK) as lock:
        steps = Steps(Network.load(folder), lock, teller)
        first = steps.network.first
        return steps.run(first, "tx", "bank", "send", first.name, recipient, amount,
                         "--node", first.url, "-y", *TEST_KEYS)  # fmt: skip
