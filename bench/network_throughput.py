"""Blocks full of registrations, against one enclave process that does nothing but admit.

The mempool is filled first; what counts are the full blocks that follow while nobody sends. The
enclave is asked for the same evidence over the same pipe, before and after, in a process of
its own over a copy of the first node's sealed files.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.network_newcomers import Newcomer
from bench.network_prepared import Prepared, post, running
from enclave.client import EnclaveClient
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import is_confirm

REGISTRATIONS: Final = 2_500
BLOCK_INTERVAL_S: Final = 0.05
"""``timeout_commit``: full blocks do not wait for more."""
PER_BLOCK: Final = 1_000
"""Of the policy; gas allows fewer."""
FULL_SHARE: Final = 0.9
"""A block is full if it has that part of the largest one's registrations."""
_ADMITTED: Final = 300
_AT_ONCE: Final = 10
"""Requests in one of JSON-RPC's batches; CometBFT's most."""
_SENDERS: Final = 4
_PATIENCE_S: Final = 120.0
_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Throughput:
    """Of one network."""

    validators: int
    alone_per_s: float
    """What one enclave process admits."""
    chain_per_s: float
    """Registrations in full blocks by the time that these took: the median block's."""
    per_block: int
    interval_s: float
    """The median full block's."""
    full_blocks: int

    @property
    def share(self) -> float:
        return self.chain_per_s / self.alone_per_s


def measure(validators: int) -> Throughput:
    """Make a network, fill its blocks, and end it."""
    newcomers = [Newcomer(number) for number in range(REGISTRATIONS)]
    with (
        tempfile.TemporaryDirectory(prefix="enigma-bench-") as name,
        running(Path(name) / "net", validators, newcomers, block_interval_s=BLOCK_INTERVAL_S,
                registrations_per_block=PER_BLOCK) as prepared,
    ):  # fmt: skip
        return measure_on(prepared, newcomers)


def measure_on(prepared: Prepared, newcomers: Sequence[Newcomer]) -> Throughput:
    """Fill the blocks of a network with newcomers of whom it knows nothing yet."""
    evidence = [prepared.registrar.evidence(one) for one in newcomers]
    before = _admitted_per_s(prepared, newcomers, evidence)
    blocks = _fill(prepared, newcomers, evidence)
    after = _admitted_per_s(prepared, newcomers, evidence)
    return _judge(len(prepared.urls), (before + after) / 2, blocks)


@dataclass(frozen=True, slots=True)
class _Block:
    height: int
    registrations: int
    interval_s: float
    """Since the block before."""
    is_fed: bool
    """Made while registrations were still sent."""


def _judge(validators: int, alone_per_s: float, blocks: Sequence[_Block]) -> Throughput:
    most = max(block.registrations for block in blocks)
    full = [
        block for block in blocks
        if block.registrations >= FULL_SHARE * most and not block.is_fed
    ]  # fmt: skip
    if not full:
        raise RuntimeError(f"no block was full while nobody sent: {blocks}")
    return Throughput(
        validators,
        alone_per_s,
        statistics.median(block.registrations / block.interval_s for block in full),
        most,
        statistics.median(block.interval_s for block in full),
        len(full),
    )


def _admitted_per_s(
    prepared: Prepared, newcomers: Sequence[Newcomer], evidence: Sequence[bytes]
) -> float:
    """How fast one enclave process admits, asked by one caller that waits for each answer."""
    with tempfile.TemporaryDirectory(prefix="enigma-bench-") as folder:
        state = Path(folder) / "enclave"
        shutil.copytree(prepared.first_home.enclave_dir, state)
        with EnclaveClient.keys(package=None, state=state) as enclave:
            at_us = time.time_ns() // 1_000 + 1_000_000
            enclave.admit(evidence[0], newcomers[0].account, at_us)
            started = time.perf_counter()
            for one, certificate in zip(newcomers[:_ADMITTED], evidence, strict=False):
                enclave.admit(certificate, one.account, at_us)
            return _ADMITTED / (time.perf_counter() - started)


def _fill(
    prepared: Prepared, newcomers: Sequence[Newcomer], evidence: Sequence[bytes]
) -> list[_Block]:
    """Send every registration, wait until blocks hold them all, and read these blocks."""
    raws = [
        prepared.registrar.sign(one, certificate)
        for one, certificate in zip(newcomers, evidence, strict=True)
    ]
    with RpcClient(prepared.urls[0]) as node:
        first = node.status().latest_block_height + 1
        _send(prepared, raws)
        fed = node.status().latest_block_height + 1
        return list(_read(node, first, len(raws), fed))


def _send(prepared: Prepared, raws: Sequence[bytes]) -> None:
    """Hand them over; the node has checked all of them when this returns."""
    batches = [raws[place : place + _AT_ONCE] for place in range(0, len(raws), _AT_ONCE)]
    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(lambda own: _send_batches(prepared, own), _shares(batches)))


def _shares(batches: list[Sequence[bytes]]) -> list[list[Sequence[bytes]]]:
    return [batches[number::_SENDERS] for number in range(_SENDERS)]


def _send_batches(prepared: Prepared, batches: Sequence[Sequence[bytes]]) -> None:
    with post(prepared) as send:
        for raws in batches:
            for answer in send(raws):
                if answer["code"]:
                    raise RuntimeError(f"a registration was not taken: {answer}")


def _read(node: RpcClient, first: int, expected: int, fed: int) -> Iterator[_Block]:
    """The blocks from a height on that hold that many registrations, once they are made.

    A block's interval ends with the time in its successor's header, which says when it was
    decided; its own says when the block before it was.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while int(node.call("num_unconfirmed_txs")["n_txs"]):
        if time.monotonic() > deadline:
            raise RuntimeError("the mempool does not empty")
        time.sleep(_POLL_S)
    seen, height = 0, first
    while seen < expected:
        block = node.block(height).block
        after = node.header(height + 1)
        count = sum(1 for raw in block.txs if not is_confirm(raw))
        interval_s = (after.time_ns - block.header.time_ns) / 1e9
        yield _Block(height, count, interval_s, height <= fed)
        seen += count
        height += 1
