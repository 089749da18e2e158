"""A local network as a process tree, asked through its commands and its nodes' JSON-RPC."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.address import address_of
from enigmacli.chain.answers import AbciInfo
from enigmacli.chain.gas import GasPrice
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import tx_hash
from enigmacli.errors import EnigmaError, TxRejectedError
from enigmacli.home import Home
from enigmacli.keyring import Keyring
from enigmacli.submission import Signer, Terms, draft, sign

PATIENCE_S = 90.0
_TOGETHER_S = 20.0
"""How long a transaction may wait for its block before it is sent to another node."""

ENCLAVE_UNAVAILABLE = 10  # of codespace register

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")}


@dataclass(frozen=True)
class LocalNetwork:
    """The network in ``folder``."""

    folder: Path

    def command(self, verb: str, *arguments: str) -> dict[str, Any]:
        """The result of one ``localnet`` command."""
        ran = self._run(verb, *arguments)
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def succeeds(self, verb: str, *arguments: str) -> bool:
        """Whether one ``localnet`` command, which may fail, does its work."""
        return self._run(verb, *arguments).returncode == 0

    def _run(self, verb: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (sys.executable, "-m", "enigmacli", "localnet", verb, *arguments,
             "--dir", str(self.folder), "-o", "json"),
            env=_ENVIRONMENT, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def nodes(self) -> dict[str, dict[str, Any]]:
        """What ``localnet status`` says of each node."""
        return {one["name"]: one for one in self.command("status")["nodes"]}

    @cached_property
    def urls(self) -> dict[str, str]:
        """Each node's JSON-RPC, in the order of joining."""
        document = json.loads((self.folder / "network.json").read_text())
        return {one["name"]: f"http://{one['rpc']}" for one in document["nodes"]}

    @property
    def genesis_file(self) -> Path:
        return self.home("node1").genesis_file

    def home(self, name: str) -> Home:
        return Home(self.folder / name)

    def info(self, name: str) -> AbciInfo | None:
        """Height and app hash of a node's state; ``None`` while it does not answer."""
        with suppress(EnigmaError), RpcClient(self.urls[name], 2.0) as node:
            return node.abci_info()
        return None

    def height(self, name: str) -> int:
        info = self.info(name)
        return info.last_block_height if info else 0

    def wait_for_height(self, names: Iterable[str], height: int) -> None:
        """Wait until the state of each of these nodes is at ``height`` or above."""
        deadline = time.monotonic() + PATIENCE_S
        for name in names:
            while self.height(name) < height:
                assert time.monotonic() < deadline, f"{name} is not at {height}: {self.nodes()}"
                time.sleep(0.05)

    def wait_for_blocks(self, names: Iterable[str], count: int = 2) -> None:
        """Wait until each of these nodes is ``count`` blocks above where the highest is now."""
        named = tuple(names)
        self.wait_for_height(named, max(self.height(name) for name in named) + count)

    def app_hash(self, names: Iterable[str]) -> bytes:
        """The app hash of these nodes, seen at one height; they must be equal."""
        named = tuple(names)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            infos = [self.info(name) for name in named]
            known = {(one.last_block_height, one.last_block_app_hash) for one in infos if one}
            if None not in infos and len({height for height, _ in known}) == 1:
                assert len(known) == 1, f"different app hashes at one height: {known}"
                return known.pop()[1]
            time.sleep(0.02)
        raise AssertionError(f"{named} were never seen at one height")

    def events(self, name: str) -> list[dict[str, Any]]:
        """What a process has said, in all its lives."""
        whole, _, _ = (self.folder / "logs" / f"{name}.log").read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


def signer_of(network: LocalNetwork, name: str) -> Signer:
    """The account of a node's operator."""
    home = network.home(name)
    prefix = GenesisDocument.parse(home.read_genesis()).app_state.prefix
    keyring = Keyring(home.keyring_dir("test"), "test", 118, prefix)
    account = keyring.show(name)
    return Signer(account.address, account.public_key, keyring.unlock(name).sign)


class Registrar:
    """Registers a node of the network again and again, with the evidence in its home.

    A renewal goes the way of a registration: the proposer's enclave answers it, and those of the
    others compare; it needs neither a new home nor a new quote.
    """

    def __init__(self, network: LocalNetwork, name: str) -> None:
        home = network.home(name)
        genesis = GenesisDocument.parse(home.read_genesis())
        policy = genesis.app_state.policy
        assert policy is not None
        self._chain_id = genesis.chain_id
        self._price = GasPrice(*policy.gas_price())
        self._certificate = (home.path / "attestation_cert.der").read_bytes()
        self._signer = signer_of(network, name)

    def send(self, url: str) -> bytes:
        """Hand a renewal over to a node, which has checked it then; its hash."""
        with RpcClient(url, 5.0) as node:
            chain = Queries(node)
            owner = address_of(self._signer.public_key)
            message = RaAuthenticate(owner, self._certificate)
            terms = Terms(self._price)
            tx = draft(message, self._signer.address, chain, self._chain_id, terms)
            raw = sign(tx, self._signer)
            chain.broadcast(raw, check=True)
        return tx_hash(raw)

    def renew(self, url: str) -> int:
        """Send a renewal, and wait for its block; the block's height."""
        digest = self.send(url)
        with RpcClient(url, 5.0) as node:
            deadline = time.monotonic() + _TOGETHER_S
            return Queries(node).wait_for_tx(digest, deadline, time.monotonic, time.sleep).height

    def renew_again(self, url: str) -> int:
        """The same, once more where the node's judge had just died (protocol.md section 8)."""
        try:
            return self.renew(url)
        except TxRejectedError as error:
            if error.details["code"] != ENCLAVE_UNAVAILABLE:
                raise
            return self.renew(url)

    def try_to_renew(self, url: str) -> int | None:
        """The same where processes may be down: ``None`` where it is not known what came of it.

        Raises:
            TxRejectedError: a rule of registration refused it.
        """
        try:
            return self.renew(url)
        except TxRejectedError as error:
            told = error.details
            if told.get("codespace") == "register" and told["code"] != ENCLAVE_UNAVAILABLE:
                raise
            return None  # the judge just died, or another node has not seen the sequence yet
        except EnigmaError:
            return None
