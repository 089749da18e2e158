"""How long a newcomer waits: from sending its registration to the seed sealed in its home.

Each newcomer has a home with an enclave that runs, a registration key, evidence, coins, and a
light client that knows the chain's newest header. Its clock starts when it sends and stops when
its enclave has opened and sealed the seed: CheckTx, the block, the header that proves it, the
light client's verification and the enclave's own are all in it. They come at random moments,
about two in a block's time, and ask all validators in turn.
"""

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.network_newcomers import Newcomer, Registrar
from bench.network_prepared import Prepared, running
from enclave.client import EnclaveClient
from enigmacli.app.app_state import NetworkKeys
from enigmacli.chain.light_client import GenesisRoot, LightClient
from enigmacli.chain.light_queries import VerifiedQueries
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.trust_store import TrustStore
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.registration import unseal
from enigmacli.submission import send

JOINS: Final = 30
PER_INTERVAL: Final = 2.0
_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one network's joins."""

    validators: int
    timeout_commit_s: float
    interval_s: float
    """Median time from a block with a join to the next one, which never waits for work."""
    seconds: tuple[float, ...]
    """Of each join, ascending."""

    def blocks(self, share: float) -> float:
        """The time that this share of the joins kept, as a multiple of the interval."""
        place = min(len(self.seconds) - 1, int(share * len(self.seconds)))
        return self.seconds[place] / self.interval_s


class _Clock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class _Join:
    """One newcomer, ready to send."""

    enclave: EnclaveClient
    node: RpcClient
    chain: VerifiedQueries
    keys: NetworkKeys
    node_id: bytes
    raw: bytes
    seconds: float = 0.0
    height: int = 0
    failure: Exception | None = field(default=None)

    def run(self, after_s: float) -> None:
        """Join after a pause; what fails is kept for the main thread."""
        try:
            time.sleep(after_s)
            started = time.perf_counter()
            receipt = send(self.raw, self.chain, "block", _Clock(), timeout_s=_TIMEOUT_S)
            unseal(self.enclave, self.chain, self.node_id, self.keys)
            self.seconds = time.perf_counter() - started
            self.height = receipt.height or 0
        except Exception as error:  # noqa: BLE001 -- a thread has nobody to raise it to
            self.failure = error


def measure(validators: int, timeout_commit_s: float) -> Latency:
    """Make a network, let newcomers join, and end it."""
    newcomers = [Newcomer(number) for number in range(JOINS)]
    with (
        tempfile.TemporaryDirectory(prefix="enigma-bench-") as name,
        running(Path(name) / "net", validators, newcomers,
                block_interval_s=timeout_commit_s) as prepared,
        ExitStack() as stack,
    ):  # fmt: skip
        homes = Path(name) / "newcomers"
        joins = [_ready(prepared, one, homes, stack) for one in newcomers]
        _run(joins, JOINS / PER_INTERVAL * timeout_commit_s)
        interval_s = _interval_s(prepared, [one.height for one in joins])
    return Latency(
        validators, timeout_commit_s, interval_s, tuple(sorted(one.seconds for one in joins))
    )


def _ready(prepared: Prepared, newcomer: Newcomer, homes: Path, stack: ExitStack) -> _Join:
    registrar = prepared.registrar
    genesis = prepared.genesis
    keys = genesis.app_state.keys
    if keys is None:
        raise RuntimeError("the network is not bootstrapped")
    state = homes / str(newcomer.number)
    state.mkdir(mode=0o700, parents=True)
    enclave = stack.enter_context(EnclaveClient.keys(package=None, state=state))
    node_id = enclave.keygen(registrar.chain_id, registrar.policy.encode()).node_id
    bound = enclave.evidence("registration", "epid", newcomer.account).report_data
    raw = registrar.sign(newcomer, registrar.notary.certify(registrar.mr_enclave, bound))
    urls = prepared.urls
    node = stack.enter_context(RpcClient(urls[newcomer.number % len(urls)]))
    chain = VerifiedQueries(Queries(node), _light_client(prepared, registrar, node))
    chain.account(newcomer.address())
    return _Join(enclave, node, chain, keys, node_id, raw)


def _light_client(prepared: Prepared, registrar: Registrar, node: RpcClient) -> LightClient:
    genesis = prepared.genesis
    voters = ValidatorSet.of(Validator.of(one.public_key, one.power) for one in genesis.validators)
    root = GenesisRoot(genesis.initial_height, genesis.genesis_time_us * 1_000, voters)
    store = TrustStore(None, registrar.chain_id, "", lambda _: None)
    return LightClient(
        registrar.chain_id, node, root, store, _Clock(),
        trusting_period_ns=None, timeout_s=_TIMEOUT_S,
    )  # fmt: skip


def _run(joins: Sequence[_Join], within_s: float) -> None:
    pauses = random.Random(len(joins))  # noqa: S311 -- the same moments in each run
    threads = [
        threading.Thread(target=one.run, args=(pauses.uniform(0, within_s),)) for one in joins
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in joins:
        if one.failure is not None:
            raise one.failure


def _interval_s(prepared: Prepared, heights: Sequence[int]) -> float:
    """From the decision on a join's block to the next; a header's time is its parent's decision."""
    with RpcClient(prepared.urls[0]) as node:
        while node.status().latest_block_height < max(heights) + 2:
            time.sleep(_POLL_S)
        times = {
            height: node.header(height).time_ns
            for one in set(heights)
            for height in (one + 1, one + 2)
        }
    return statistics.median(
        (times[height + 2] - times[height + 1]) / 1e9 for height in set(heights)
    )
