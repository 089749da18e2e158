"""Commands that need a chain, under kill -9, beside one live node that is never killed."""

import json
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from enclave.errors import EnclaveError
from enigmacli.app.genesis import GenesisDocument, genesis_hash
from enigmacli.chain.address import encode_address
from enigmacli.chain.queries import Queries
from enigmacli.chain.results import TxResult
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import decode_tx
from enigmacli.child import Child
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import EnigmaError
from enigmacli.localnet.faucet import AMOUNT
from enigmacli.receipt.document import Receipt
from enigmacli.receipt.verification import Genesis, verify
from tests.faults.killed_commands import TEST_KEYS, HomeCase, Workshop
from tests.faults.killing import Case, Running, Trial, must, run

_ANY_PORT: Final = "127.0.0.1:0"
_GIFT: Final = 5
_LIVED_BLOCKS: Final = 20
_MOST_POWER: Final = 2**40


@dataclass(frozen=True)
class Network:
    """A first node that makes a block for each transaction, and a guest's homes at stages."""

    shop: Workshop
    node: RpcClient
    faucet: str

    def cases(self) -> tuple[Case, ...]:
        """Each command that changes a chain or lives from one, and some that only read."""
        at = ("--node", self.node.url)
        follow = ("start", "--follow", self.node.url, "--rpc-listen", _ANY_PORT)
        homes = (
            HomeCase("seed wait", "registered", ("seed", "wait", *at)),
            HomeCase("seed unseal", "registered", ("seed", "unseal", *at),
                     leaves=("home/enclave/seed.sealed",)),
            HomeCase("start --follow", "seeded", follow, ready="caught_up"),
            HomeCase("start --wait-for-seed", "registered", (*follow, "--wait-for-seed", *at),
                     leaves=("home/enclave/seed.sealed",), ready="caught_up"),
            HomeCase("replay", "lived", ("replay", "--without-enclave")),
            HomeCase("query register nodes", "guest", ("query", "register", "nodes", *at)),
            HomeCase("query balance", "guest", ("query", "balance", self._address(), *at)),
            HomeCase("status", "seeded", ("status", *at)),
        )  # fmt: skip
        return (
            *(self.shop.case(one) for one in homes),
            Case("join", self._lay_out_join),
            Case("tx register auth", self._lay_out_register),
            Case("tx bank send", self._lay_out_send),
            Case("tx validator set", self._lay_out_vote),
        )

    # --- stages -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """The guest's homes, each copied when it has come so far."""
        genesis = str(self.shop.folder / "first" / "config" / "genesis.json")
        self.shop.set_home("none")
        self._here("init", "guest", "--genesis", genesis)
        address = self._here("keys", "add", "guest", *TEST_KEYS)["address"]
        must("tx", "bank", "send", "operator", str(address), "1000000000uscrt", "-y", *TEST_KEYS,
             "--node", self.node.url, "--home", str(self.shop.folder / "whole"))  # fmt: skip
        self._keep("guest")
        self._attest()
        self._here(*self._register)
        self._keep("registered")
        self._here("seed", "unseal", "--node", self.node.url)
        self._keep("seeded")
        self._make_lived()

    def _make_lived(self) -> None:
        self.shop.set_home("whole")
        arguments = ("start", "--rpc-listen", _ANY_PORT, "--block-interval", "0.02",
                     "--empty-blocks-interval", "0.02", "--home", str(self.shop.home))  # fmt: skip
        with Running(arguments) as node:
            node.wait_for("block", height=_LIVED_BLOCKS)
            node.end()
        self._keep("lived")

    def _keep(self, stage: str) -> None:
        shutil.copytree(self.shop.home, self.shop.folder / stage)

    def _attest(self) -> str:
        """A new key with evidence of its own; its node id."""
        made = self._here("enclave", "keygen")
        self._here("attest", "fetch", "--provider", "simulated", "--url", self.shop.intel,
                   *TEST_KEYS)  # fmt: skip
        return str(made["node_id"])

    @property
    def _register(self) -> tuple[str, ...]:
        evidence = str(self.shop.home / "attestation_cert.der")
        return ("tx", "register", "auth", evidence, "-y", "--node", self.node.url, *TEST_KEYS)

    def _here(self, *arguments: str) -> dict[str, object]:
        return must(*arguments, "--home", str(self.shop.home))

    def _address(self) -> str:
        home = ("--home", str(self.shop.folder / "guest"))
        return str(must("keys", "show", "guest", *TEST_KEYS, *home)["address"])

    def _line(self, *arguments: str) -> tuple[str, ...]:
        return (*arguments, "--home", str(self.shop.home))

    # --- join -------------------------------------------------------------------------------

    def _lay_out_join(self, _generator: random.Random) -> Trial:
        """From no home at all, with an account that nobody knows yet."""
        self.shop.set_home("none")
        genesis = str(self.shop.folder / "first" / "config" / "genesis.json")
        line = ("join", "--genesis", genesis, "--node", self.node.url, "--url", self.shop.intel,
                "--faucet", self.faucet, *TEST_KEYS)  # fmt: skip
        since = self._height()
        return Trial(self._line(*line), check=lambda: self._join_faults(since))

    def _join_faults(self, since: int) -> list[str]:
        """One registration, one fee, the seed, and a receipt of it."""
        try:
            return self._join_faults_by(self._receipt(), since)
        except (EnigmaError, EnclaveError, OSError) as error:
            return [f"the receipt: {error}"]

    def _receipt(self) -> Receipt:
        held = (self.shop.home / "config" / "genesis.json").read_bytes()
        genesis = Genesis(GenesisDocument.parse(held), genesis_hash(held))
        receipt = Receipt.parse((self.shop.home / "join-receipt.json").read_bytes())
        verify(receipt, genesis, None, time.time_ns())
        return receipt

    def _join_faults_by(self, receipt: Receipt, since: int) -> list[str]:
        account = encode_address("enigma", bytes.fromhex(receipt.claims.owner))
        (fee,) = decode_tx(receipt.tx).fee_amount
        paid = AMOUNT - Queries(self.node).balance(account, fee.denom)
        faults = self._registration_faults(receipt.claims.node_id, since)
        if paid != fee.amount:
            faults.append(f"paid {paid}, the fee is {fee.amount}")
        if not (self.shop.home / "enclave" / "seed.sealed").exists():
            faults.append("no seed was sealed")
        return faults

    # --- transactions -----------------------------------------------------------------------

    def _lay_out_register(self, _generator: random.Random) -> Trial:
        self.shop.set_home("guest")
        node_id = self._attest()
        since = self._height()
        return Trial(
            self._line(*self._register), check=lambda: self._registration_faults(node_id, since)
        )

    def _registration_faults(self, node_id: str, since: int) -> list[str]:
        made = sum(
            _registers(result, node_id)
            for height in range(since + 1, self._height() + 1)
            for result in self.node.block_results(height).tx_results
        )
        return [] if made == 1 else [f"{made} registrations of {node_id} on the chain"]

    def _lay_out_send(self, generator: random.Random) -> Trial:
        """To an address of nobody, so that its balance counts the transfers."""
        self.shop.set_home("guest")
        address = encode_address("enigma", generator.randbytes(20))
        line = ("tx", "bank", "send", "guest", address, f"{_GIFT}uscrt", "-y",
                "--node", self.node.url, *TEST_KEYS)  # fmt: skip
        return Trial(self._line(*line), check=lambda: self._balance_faults(address))

    def _balance_faults(self, address: str) -> list[str]:
        asked = run(*self._line("query", "balance", address, "--node", self.node.url))
        if asked.returncode:
            return [f"query balance: {asked.stderr[-500:]}"]
        held = int(json.loads(asked.stdout)["amount"])
        return [] if held in (_GIFT, 2 * _GIFT) else [f"the balance is {held}"]

    def _lay_out_vote(self, generator: random.Random) -> Trial:
        """By the one operator, so that the vote is carried out at once."""
        self.shop.set_home("whole")
        key = Ed25519Key.load(self.shop.home / "config" / "priv_validator_key.json").public_key
        node_id = str(self._here("seed", "status")["exchange_pk"])
        power, since = generator.randrange(10, _MOST_POWER), self._height()
        line = ("tx", "validator", "set", key.hex(), str(power), "--node-id", node_id, "-y",
                "--node", self.node.url, *TEST_KEYS)  # fmt: skip
        return Trial(self._line(*line), check=lambda: self._vote_faults(power, since))

    def _vote_faults(self, power: int, since: int) -> list[str]:
        changes = [
            update.power
            for height in range(since + 1, self._height() + 1)
            for update in self.node.block_results(height).validator_updates
        ]
        return [] if changes == [power] else [f"voted for {power}, changed to {changes}"]

    def _height(self) -> int:
        return self.node.status().latest_block_height


def _registers(result: TxResult, node_id: str) -> int:
    told = {(one.key, one.value) for event in result.events for one in event.attributes}
    return int(result.code == 0 and ("node_id", f"0x{node_id}") in told)


@contextmanager
def network(shop: Workshop) -> Iterator[Network]:
    """A live node of the workshop's network; it ends with the block."""
    first = shop.folder / "first"
    shutil.copytree(shop.folder / "whole", first)
    arguments = ("start", "--rpc-listen", _ANY_PORT, "--block-interval", "0.05",
                 "--empty-blocks-interval", "60", "--home", str(first))  # fmt: skip
    with (
        ExitStack() as held,
        Child("node", arguments, shop.folder / "logs") as node,
        RpcClient(str(node.listening()["rpc"])) as rpc,
    ):
        shutil.copytree(shop.folder / "whole", shop.folder / "giver")
        giving = ("localnet", "faucet", "--node", rpc.url, *TEST_KEYS,
                  "--home", str(shop.folder / "giver"))  # fmt: skip
        faucet = held.enter_context(Child("faucet", giving, shop.folder / "logs"))
        made = Network(shop, rpc, str(faucet.listening()["url"]))
        made.prepare()
        yield made
