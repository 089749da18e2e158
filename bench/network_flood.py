"""A flood of registrations with evidence that is refused, each kind for another reason.

What each costs is told twice: the processor's time of the node and of its judge, and the time
until the sender has its answer over JSON-RPC. While it lasts the chain goes on, and the longest
time between two blocks is compared with the usual one.
"""

import itertools
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.network_newcomers import Newcomer, Registrar
from bench.network_prepared import Prepared, cpu_seconds, post
from enclave.binding import registration_report_data
from enclave.evidence.ias_report import SignedReport
from enigmacli.chain.rpc import RpcClient
from tests.simulators.dcap_factory import SGX_V3, make

LASTS_S: Final = 15.0
USUAL_S: Final = 8.0
"""How long the chain is watched before."""
EACH: Final = 200
"""Different transactions of each kind, sent in turn."""
_GARBAGE_BYTES: Final = 3_000
_REGISTER: Final = "register"


@dataclass(frozen=True, slots=True)
class Flood:
    """What a flood of refused evidence cost one node."""

    count: int
    node_ms: float
    """Processor's time of node and judge for one, everything included that goes on anyway."""
    answered_ms: dict[str, float]
    """Until the sender had its answer, by kind of evidence, mean."""
    usual_interval_s: float
    longest_interval_s: float

    @property
    def worst_ms(self) -> float:
        """The dearest kind's."""
        return max(self.answered_ms.values())

    @property
    def intervals(self) -> float:
        """The longest time between two blocks, as a multiple of the usual one."""
        return self.longest_interval_s / self.usual_interval_s


def kinds(registrar: Registrar, newcomer: Newcomer, count: int) -> dict[str, list[bytes]]:
    """Certificate fields by what is wrong with them."""
    bound = registration_report_data(newcomer.node_id, registrar.network_id, newcomer.account)
    other = registration_report_data(newcomer.node_id, registrar.network_id, bytes(20))

    def spoiled(signed: SignedReport) -> SignedReport:
        signature = bytearray(signed.signature)
        signature[-1] ^= 1
        return SignedReport(signed.report, bytes(signature), signed.signing_cert)

    notary, mr_enclave = registrar.notary, registrar.mr_enclave
    made: dict[str, Iterator[bytes]] = {
        "garbage": (secrets.token_bytes(_GARBAGE_BYTES) for _ in range(count)),
        "bad signature": (notary.certify(mr_enclave, bound, spoiled) for _ in range(count)),
        "wrong binding": (notary.certify(mr_enclave, other) for _ in range(count)),
        "other enclave": (notary.certify(secrets.token_bytes(32), bound) for _ in range(count)),
        "DCAP, bad collateral": (_dcap(number) for number in range(count)),
    }
    return {name: list(some) for name, some in made.items()}


def _dcap(number: int) -> bytes:
    """A sound quote with TCB Info that nobody signed like that."""
    return make(
        SGX_V3,
        header={"user_data": number.to_bytes(20, "little")},
        tcb_info_served=lambda text: text.replace('"version":3', '"version": 3', 1),
    ).container


def measure(prepared: Prepared, newcomer: Newcomer) -> Flood:
    """Flood the first node of a network that is otherwise idle.

    Args:
        prepared: the network.
        newcomer: has coins, and never sent a transaction.
    """
    registrar = prepared.registrar
    calls = {
        name: [registrar.sign(newcomer, certificate) for certificate in some]
        for name, some in kinds(registrar, newcomer, EACH).items()
    }
    with RpcClient(prepared.urls[0]) as node:
        usual = _intervals(node, node.status().latest_block_height, USUAL_S)
        first = node.status().latest_block_height
        before = cpu_seconds(prepared)
        answered = _send(prepared, calls)
        spent_s = cpu_seconds(prepared) - before
        during = _intervals(node, first, 0.0)
    count = sum(len(times) for times in answered.values())
    return Flood(
        count,
        spent_s * 1_000 / count,
        {name: statistics.mean(times) * 1_000 for name, times in answered.items()},
        statistics.median(usual),
        max(during),
    )


def _send(prepared: Prepared, calls: dict[str, list[bytes]]) -> dict[str, list[float]]:
    """Send batches of one kind after the other; seconds per transaction, one entry for each."""
    answered: dict[str, list[float]] = {name: [] for name in calls}
    deadline = time.monotonic() + LASTS_S
    batches = itertools.cycle(_batches(calls))
    with post(prepared) as send:
        while time.monotonic() < deadline:
            name, raws = next(batches)
            started = time.perf_counter()
            answers = send(raws)
            took_s = time.perf_counter() - started
            _check_refused(name, answers)
            answered[name] += [took_s / len(raws)] * len(raws)
    return answered


def _batches(calls: dict[str, list[bytes]], size: int = 10) -> list[tuple[str, list[bytes]]]:
    return [
        (name, raws[place : place + size])
        for place in range(0, EACH, size)
        for name, raws in calls.items()
    ]


def _check_refused(name: str, answers: Sequence[dict[str, Any]]) -> None:
    for answer in answers:
        if not answer["code"] or answer["codespace"] != _REGISTER:
            raise RuntimeError(f"{name} was not refused for its evidence: {answer}")


def _intervals(node: RpcClient, first: int, wait_s: float) -> list[float]:
    """Seconds between the blocks from a height on to the newest, after a while."""
    time.sleep(wait_s)
    last = node.status().latest_block_height
    times = [node.header(height).time_ns for height in range(first, last + 1)]
    if len(times) < 3:
        raise RuntimeError("the chain made too few blocks to compare")
    return [(after - before) / 1e9 for before, after in itertools.pairwise(times)]
