"""A network in one process: simulated Intel, real application, real enclave code, no socket.

Commands run through :class:`NetworkProgram`, whose services hand them a node that makes a
block for every transaction it accepts.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner
from nacl.signing import SigningKey

import enclave
from enclave import calls
from enclave.backends.simulation import SimulatedPlatform
from enclave.client import EnclaveClient
from enclave.judge import JudgeService
from enclave.measurement import measure
from enclave.service import KeysService
from enclave.state import SealedState
from enigmacli.app.genesis import GenesisDocument
from enigmacli.attestation.ias import IasClient
from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.chain.answers import (
    BlockAnswer,
    BroadcastAnswer,
    NodeStatus,
    QueryAnswer,
    SignedHeader,
    TxAnswer,
)
from enigmacli.chain.blocks import Block, Commit, data_hash
from enigmacli.chain.merkle import ProofOp
from enigmacli.chain.queries import Queries
from enigmacli.chain.results import TxResult
from enigmacli.chain.tx import tx_hash
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.cli import attestation_service, cli, dcap_services
from enigmacli.cli.context import Services
from enigmacli.errors import NotFoundError, ServiceRefusedError, ServiceUnavailableError
from enigmacli.simulated_intel.ias import SimulatedIas
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import Platforms
from tests.enigmacli.app.chain import Chain
from tests.enigmacli.simulated_intel.in_memory import AT_US, transport
from tests.simulators.light_chain import LightChain

SECOND_US = 1_000_000


class BootstrappedChain(Chain):
    """The application's chain of a bootstrapped genesis, whose enclave is a real one."""

    @property
    def next_us(self) -> int:
        return self.genesis.genesis_time_us + (self.height + 1) * SECOND_US


def _honest(answer: QueryAnswer) -> QueryAnswer:
    return answer


@dataclass
class NodeInMemory:
    """What :class:`enigmacli.chain.rpc.RpcClient` does, for commands, in front of a chain."""

    chain: BootstrappedChain
    headers: LightChain
    down: bool = False
    holds_back: bool = False
    """Takes transactions and makes no block."""
    lists_txs: bool = True
    """Whether it finds transactions by their hash."""
    of_chain: str = ""
    """Says that it is of this chain."""
    lie: Callable[[QueryAnswer], QueryAnswer] = _honest
    """Changes what it answers about the state."""
    _held: list[bytes] = field(default_factory=list)
    _placed: dict[bytes, TxAnswer] = field(default_factory=dict)

    def status(self) -> NodeStatus:
        self._answer()
        empty = bytes(32)
        return NodeStatus(
            block_version=11, app_version=1, node_id="00" * 20, listen_addr="",
            network=self.of_chain or self.chain.genesis.chain_id, version="0.38",
            moniker="first", latest_block_hash=empty,
            latest_app_hash=empty, latest_block_height=self.chain.height,
            latest_block_time_ns=0, earliest_block_hash=empty, earliest_app_hash=empty,
            earliest_block_height=1, earliest_block_time_ns=0, catching_up=False,
            validator_address=bytes(20), validator_public_key=empty, voting_power=10,
        )  # fmt: skip

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        self._answer()
        got = self.chain.query(path, data, height=height, prove=prove)
        return self.lie(
            QueryAnswer(
                code=got.code, log=got.log, key=got.key, value=got.value, height=got.height,
                codespace=got.codespace,
                proof=tuple(ProofOp(op.type, op.key, op.data) for op in got.proof_ops.ops),
            )
        )  # fmt: skip

    def commit(self, height: int | None = None) -> SignedHeader:
        self._answer()
        return self.headers.commit(height)

    def validators(self, height: int | None = None) -> ValidatorSet:
        self._answer()
        return self.headers.validators(height)

    def block(self, height: int | None = None) -> BlockAnswer:
        signed = self.commit(height)
        txs = {at: txs for at, _, txs in self.chain.blocks}[signed.header.height]
        return BlockAnswer(signed.commit.block_id, Block(signed.header, txs, Commit()))

    def genesis(self) -> dict[str, Any]:
        self._answer()
        return self.chain.genesis.to_value()

    def broadcast_tx_sync(self, tx: bytes) -> BroadcastAnswer:
        self._answer()
        got = self.chain.check(tx)
        if got.code == 0:
            self._held.append(tx)
        if not self.holds_back:
            self.make_block(*self._held)
        return BroadcastAnswer(got.code, got.data, got.log, got.codespace, tx_hash(tx))

    def broadcast_tx_async(self, tx: bytes) -> BroadcastAnswer:
        self.broadcast_tx_sync(tx)
        return BroadcastAnswer(0, b"", "", "", tx_hash(tx))

    def tx(self, digest: bytes) -> TxAnswer:
        self._answer()
        if not self.lists_txs:
            raise ServiceRefusedError("transaction indexing is disabled")
        if digest not in self._placed:
            raise NotFoundError(f"tx ({digest.hex().upper()}) not found")
        return self._placed[digest]

    def calm_down(self) -> None:
        """Answer again, as what it is, and put what waits into a block."""
        self.down, self.holds_back, self.of_chain, self.lie = False, False, "", _honest
        self.lists_txs = True
        self.make_block(*self._held)

    def forget(self) -> None:
        """Lose what waits for a block, as a node that starts anew."""
        self.make_block()

    def make_block(self, *txs: bytes) -> None:
        """A block with its header, and another one that proves what it changed."""
        self._held.clear()
        self._decide(txs)
        if self.chain.app_hashes[-2:-1] != self.chain.app_hashes[-1:]:
            self._decide(())

    def _decide(self, txs: Sequence[bytes]) -> None:
        before = self.chain.app_hashes[-1] if self.chain.app_hashes else bytes(32)
        response = self.chain.produce(txs)
        decided = self.chain.blocks[-1][2]
        self.headers.make_block(before, data_hash=data_hash(decided))
        for at, (raw, result) in enumerate(zip(decided, response.tx_results, strict=True)):
            self._placed[tx_hash(raw)] = TxAnswer(
                tx_hash(raw), self.chain.height, at, TxResult.of(result), raw
            )

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self) -> None:
        if self.down:
            raise ServiceUnavailableError("the node did not answer")


class EnclaveInProcess(EnclaveClient):
    """The real services behind the client's methods, with no process between."""

    def __init__(self, offered: Mapping[type, Callable[[Any], Any]]) -> None:
        self._offered = offered

    @classmethod
    def with_keys(cls, state: Path, package: Path | None) -> Self:
        folder = package / "enclave" if package else Path(enclave.__file__).parent
        platform = SimulatedPlatform.open(state, measure(folder))
        return cls(KeysService(platform, SealedState(state, platform)).offered())

    @classmethod
    def judging(cls, chain_id: str, policy: bytes) -> Self:
        service = JudgeService(Path(enclave.__file__).parent)
        service.configure(calls.Configure(chain_id, policy))
        return cls(service.offered())

    def call(self, request: Any, timeout_s: float | None = None) -> Any:  # noqa: ARG002 -- at once
        return self._offered[type(request)](request)

    def start_early(self) -> None:
        """There is no process to start."""

    def close(self) -> None:
        """There is no process to end."""


class NetworkServices(Services):
    """Services whose clock stands at the simulated Intel's, and whose node is in memory."""

    def __init__(self, node: NodeInMemory | None) -> None:
        super().__init__(environ={})
        self._node = node

    def now_us(self) -> int:
        return AT_US + 1

    def enclave(self) -> EnclaveClient:
        self.warn_if_simulated(self.policy)
        return EnclaveInProcess.with_keys(self.home.enclave_dir, self.package)

    def judge(self) -> EnclaveClient:
        return EnclaveInProcess.judging(self.chain_id, self.policy.encode())

    def rpc(self) -> Any:
        if self._node is None:
            raise ServiceUnavailableError("there is no node yet")
        return self._node

    def queries(self) -> Queries:
        return Queries(self.rpc())


@dataclass
class Outcome:
    """What one call of the program left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def error(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.err)["error"]
        return value


@dataclass
class NetworkProgram:
    """The program for one home of the network."""

    home: Path
    network: "NetworkInMemory"

    def __call__(self, *arguments: str) -> Outcome:
        line = ["--home", str(self.home), *arguments]
        services = NetworkServices(self.network.node)
        result = CliRunner().invoke(cli, line, obj=services)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: str) -> dict[str, Any]:
        """The document of a call that must succeed."""
        outcome = self(*arguments, "-o", "json")
        assert outcome.code == 0, outcome.err
        return outcome.document

    def prepare_account(self, name: str) -> str:
        """A key that signs by default; its address."""
        self.ok("config", "set", "account.keyring_backend", "test")
        return str(self.ok("keys", "add", name)["address"])


@dataclass
class NetworkInMemory:
    """A simulated Intel, and after :meth:`bootstrap` a first home with its node."""

    folder: Path
    ias: SimulatedIas
    root_file: Path
    pcs: SimulatedPcs | None = None
    """With one the network accepts DCAP evidence as well."""
    node: NodeInMemory | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """What ``init --simulated`` is told of the simulated Intel."""
        epid = ("--ias-root", str(self.root_file))
        if self.pcs is None:
            return epid
        file = self.folder / "dcap_root.pem"
        file.write_bytes(self.pcs.pki.root_pem)
        return (*epid, "--pccs-root", str(file))

    @cached_property
    def first(self) -> NetworkProgram:
        """The first home, bootstrapped."""
        program = NetworkProgram(self.folder / "first", self)
        program.ok("init", "first", "--simulated", "--chain-id", "net-1", *self.roots)
        address = program.prepare_account("alice")
        program.ok("genesis", "add-account", address, "1000000000uscrt")
        program.ok("bootstrap")
        self._start(program.home)
        return program

    def newcomer(self, name: str, *fetch_options: str) -> NetworkProgram:
        """A home with an account that has coins, a registration key, and evidence."""
        program = NetworkProgram(self.folder / name, self)
        genesis = self.first.home / "config" / "genesis.json"
        program.ok("init", name, "--genesis", str(genesis))
        address = program.prepare_account(name)
        self.first.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y")
        program.ok("enclave", "keygen")
        program.ok("attest", "fetch", *fetch_options)
        return program

    def _start(self, home: Path) -> None:
        document = GenesisDocument.parse((home / "config" / "genesis.json").read_bytes())
        # in the place of the simulated enclave that the helper names
        real: Any = EnclaveInProcess.with_keys(home / "enclave", None)
        chain = BootstrappedChain(document, enclave=real)
        chain.start()
        self.node = NodeInMemory(chain, _signed_headers(home, document))
        self.node.make_block()


def _signed_headers(home: Path, document: GenesisDocument) -> LightChain:
    """Headers signed by the home's validator key; a microsecond apart, since time stands still."""
    file = home / "config" / "priv_validator_key.json"
    seed = base64.b64decode(json.loads(file.read_text())["priv_key"]["value"])[:32]
    key = SigningKey(seed)
    public_key = key.verify_key.encode()
    (voter,) = document.validators
    return LightChain(
        ValidatorSet.of([Validator.of(voter.public_key, voter.power)]),
        chain_id=document.chain_id,
        initial_height=document.initial_height,
        start_ns=document.genesis_time_us * 1000,
        step_ns=1000,
        keys={public_key: key},
    )


@contextmanager
def network_in_memory(
    folder: Path, pki: SimulatedPki, root_file: Path, pcs: SimulatedPcs | None = None
) -> Iterator[NetworkInMemory]:
    """A network whose simulated Intel every command finds without a socket."""
    ias = SimulatedIas(pki, Platforms(folder / "platforms.json"))
    network = NetworkInMemory(folder, ias, root_file, pcs)

    def connect(_: Services) -> IasClient:
        return IasClient("http://127.0.0.1:8090", transport=transport(ias))

    def connect_pcs(_: Services, url: str, api_key: str | None) -> PcsServer:
        assert pcs is not None
        return PcsServer(url, api_key, retry=RetryPolicy(attempts=1), transport=transport(pcs))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attestation_service, "connect", connect)
        patch.setattr(dcap_services, "connect", connect_pcs)
        yield network
