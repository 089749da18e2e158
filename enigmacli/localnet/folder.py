"""What a local network is: one folder, one document, one home for each node.

::

    DIR/network.json   chain, engine, addresses; the order of nodes is that of their joining
    DIR/lock           held by the command that changes the network, and by its children
    DIR/run, logs      records and logs of the processes
    DIR/intel          the simulated Intel
    DIR/faucet         home of the faucet, with the account that gives
    DIR/node1 …        homes
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from enigmacli import home as homes
from enigmacli.engine.cometbft_process import find_program
from enigmacli.errors import ConfigError, HomeMissingError
from enigmacli.home import Home
from enigmacli.localnet.ports import free_addresses
from enigmacli.localnet.processes import Background
from enigmacli.localnet.words import COMETBFT, FAUCET

DOCUMENT: Final = "network.json"
ENGINES: Final = ("embedded", COMETBFT)
CHAIN_ID: Final = "enigma-localnet"
NODES: Final = 4
BLOCK_INTERVAL_S: Final = 0.5
_MAX_BYTES: Final = 1024 * 1024

FindAddresses = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``up`` asks for; ``None`` leaves it as the network was made, or to the default."""

    nodes: int | None = None
    engine: str | None = None
    chain_id: str | None = None
    block_interval_s: float | None = None
    cometbft: str = ""
    """The binary, for the engine of that name; empty: as before, else looked for on ``PATH``."""


@dataclass(frozen=True, slots=True)
class Member:
    """One node."""

    name: str
    rpc: str
    """``host:port`` of its JSON-RPC."""
    p2p: str
    """``host:port`` for other nodes."""

    @property
    def url(self) -> str:
        """Its JSON-RPC server."""
        return f"http://{self.rpc}"


@dataclass(frozen=True, slots=True)
class Network:
    """A local network, running or not."""

    folder: Path
    chain_id: str
    engine: str
    cometbft: str
    block_interval_s: float
    intel: str
    """``host:port`` of the simulated Intel."""
    faucet: str
    """``host:port`` of the faucet."""
    members: tuple[Member, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The network in ``folder``.

        Raises:
            HomeMissingError: there is none.
            ConfigError: its document is damaged.
            StorageError: it cannot be read.
        """
        path = folder / DOCUMENT
        if not path.exists():
            raise HomeMissingError(
                f"there is no local network in {folder}", hint="enigmacli localnet up"
            )
        try:
            return cls._read(folder, json.loads(homes.read(path, _MAX_BYTES)))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} describes no network", hint="make another one") from error

    @classmethod
    def _read(cls, folder: Path, document: Mapping[str, Any]) -> Self:
        return cls(
            folder,
            str(document["chain_id"]),
            str(document["engine"]),
            str(document["cometbft"]),
            float(document["block_interval_s"]),
            str(document["intel"]),
            str(document.get("faucet", "")),
            tuple(
                Member(str(one["name"]), str(one["rpc"]), str(one["p2p"]))
                for one in document["nodes"]
            ),
        )

    @classmethod
    def made(cls, folder: Path, wanted: Wanted, find: FindAddresses = free_addresses) -> Self:
        """The network in ``folder`` with at least the wanted nodes, written down.

        Args:
            folder: which exists.
            wanted: what is asked of it.
            find: gives as many free addresses as it is asked for.

        Raises:
            ConfigError: there is one of another engine or chain, or of more nodes; or there is
                no CometBFT, and it is wanted.
            PortBusyError: no ports are free.
            StorageError: the folder cannot be written.
        """
        if (folder / DOCUMENT).exists():
            network = cls.load(folder)
        else:
            network = cls(
                folder,
                wanted.chain_id or CHAIN_ID,
                wanted.engine or ENGINES[0],
                "",
                wanted.block_interval_s or BLOCK_INTERVAL_S,
                find(1)[0],
                "",
                (),
            )
        network = network._grown(wanted, find)
        if not network.faucet:
            network = replace(network, faucet=_another(network, find))
        if network.engine == COMETBFT:
            program = find_program(wanted.cometbft or network.cometbft)
            network = replace(network, cometbft=str(program))
        homes.replace(folder / DOCUMENT, network.encode())
        return network

    def _grown(self, wanted: Wanted, find: FindAddresses) -> Self:
        asked = {
            "engine": (wanted.engine, self.engine),
            "chain": (wanted.chain_id, self.chain_id),
            "block interval": (wanted.block_interval_s, self.block_interval_s),
        }
        for what, (expected, seen) in asked.items():
            if expected not in (None, seen):
                raise ConfigError(
                    f"the {what} of the network in {self.folder} is {seen}, not {expected}",
                    hint="enigmacli localnet down --remove, or another folder with --dir",
                )
        missing = (wanted.nodes or len(self.members) or NODES) - len(self.members)
        if missing < 0:
            raise ConfigError(
                f"the network in {self.folder} has {len(self.members)} nodes already",
                hint=f"enigmacli localnet up -n {len(self.members)}",
            )
        ports = find(2 * missing)
        added = (
            Member(f"node{len(self.members) + at + 1}", ports[2 * at], ports[2 * at + 1])
            for at in range(missing)
        )
        return replace(self, members=(*self.members, *added))

    def encode(self) -> bytes:
        """Its document."""
        nodes = [{"name": one.name, "rpc": one.rpc, "p2p": one.p2p} for one in self.members]
        document = {
            "chain_id": self.chain_id,
            "engine": self.engine,
            "cometbft": self.cometbft,
            "block_interval_s": self.block_interval_s,
            "intel": self.intel,
            "faucet": self.faucet,
            "nodes": nodes,
        }
        return json.dumps(document, indent=2).encode() + b"\n"

    @property
    def first(self) -> Member:
        """The node that bootstrapped the network."""
        return self.members[0]

    @property
    def intel_url(self) -> str:
        """The simulated Intel."""
        return f"http://{self.intel}"

    @property
    def faucet_url(self) -> str:
        """The faucet."""
        return f"http://{self.faucet}"

    @property
    def faucet_home(self) -> Home:
        """The faucet's home."""
        return Home(self.folder / FAUCET)

    def home(self, member: Member) -> Home:
        """A node's home."""
        return Home(self.folder / member.name)

    def process(self, name: str) -> Background:
        """The process of a node, of the simulated Intel, or of the faucet."""
        return Background(self.folder, name)

    def member(self, name: str) -> Member:
        """The node of that name.

        Raises:
            ConfigError: there is none.
        """
        for one in self.members:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.members)
        raise ConfigError(f"this network has no {name}", hint=f"it has {names}")


def _another(network: Network, find: FindAddresses) -> str:
    """A free address that no process of the network was promised."""
    taken = {network.intel, *(address for one in network.members for address in (one.rpc, one.p2p))}
    return next(one for one in find(len(taken) + 1) if one not in taken)
