"""A node that stops between any two of the writes that make a block, or anywhere at all."""

import os
import random
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from enigmacli.app.state import StateStore
from enigmacli.chain.blocks import Block
from enigmacli.engine.block_store import BlockStore
from enigmacli.engine.embedded import Producer
from enigmacli.engine.validator_key import SignedBlock, Signer
from tests.enigmacli.app.chain import ALICE
from tests.enigmacli.engine.test_real_application import KEY, RealKit, register

WRITES: tuple[tuple[Any, str], ...] = (
    (BlockStore, "save_block"),
    (Signer, "save"),
    (BlockStore, "save_result"),
    (StateStore, "commit"),
)
STOPPED = 9


class NodeOnDisk(RealKit):
    """A producing node whose stores and sign state are files."""

    @classmethod
    def open(cls, folder: Path) -> "NodeOnDisk":
        kit = cls(state=StateStore(folder / "state.db"), store=BlockStore(folder / "blocks.db"))
        kit.chain.start()
        signer = Signer(KEY, folder / "priv_validator_state.json")
        state = kit.chain.state
        signer.resume(SignedBlock(state.height, state.block_id.hash))
        kit.producer = Producer(kit.chain, signer, kit.clock, kit.events.append)
        return kit

    def close(self) -> None:
        self.state.close()
        self.store.close()

    def hashes(self) -> list[bytes]:
        rows = [self.store.block(height) for height in range(1, self.store.height + 1)]
        return [row.hash for row in rows if row]

    def registered(self) -> int:
        return sum(
            len(Block.parse(row.block).txs) == 2
            for height in range(1, self.store.height + 1)
            if (row := self.store.block(height))
        )


def in_another_process(run: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(0)
    return pid


def stop_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End this process before (even) or after (odd) one of the writes."""
    seen = iter(range(10**6))

    def wrapped(genuine: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any, **options: Any) -> Any:
            if next(seen) == number:
                os._exit(STOPPED)
            result = genuine(*arguments, **options)
            if next(seen) == number:
                os._exit(STOPPED)
            return result

        return stopping

    for owner, name in WRITES:
        monkeypatch.setattr(owner, name, wrapped(getattr(owner, name)))


def check_goes_on(folder: Path, before: list[bytes]) -> None:
    node = NodeOnDisk.open(folder)
    assert node.hashes()[: len(before)] == before
    if node.registered() == 0:
        node.make(register(node, ALICE))
    node.make()
    assert node.registered() == 1
    again = node.hashes()
    node.close()

    node = NodeOnDisk.open(folder)
    assert node.hashes() == again
    assert node.state.meta.height == node.store.height
    node.close()


@pytest.mark.parametrize("number", range(2 * len(WRITES)))
def test_a_block_is_whole_or_is_made_again(tmp_path: Path, number: int) -> None:
    node = NodeOnDisk.open(tmp_path)
    node.make()
    before = node.hashes()
    node.close()

    def make_block() -> None:
        with pytest.MonkeyPatch.context() as patch:
            stop_at(number, patch)
            child = NodeOnDisk.open(tmp_path)
            child.make(register(child, ALICE))

    _, status = os.waitpid(in_another_process(make_block), 0)

    assert os.waitstatus_to_exitcode(status) == STOPPED
    check_goes_on(tmp_path, before)


def test_kill_9_at_random_moments_never_breaks_the_stores(tmp_path: Path) -> None:
    generator = random.Random(20261123)  # noqa: S311 -- to be replayed
    node = NodeOnDisk.open(tmp_path)
    node.make()
    before = node.hashes()
    node.close()

    def make_blocks() -> None:
        child = NodeOnDisk.open(tmp_path)
        while True:
            child.make()

    for _ in range(10):
        pid = in_another_process(make_blocks)
        time.sleep(generator.uniform(0.02, 0.2))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        node = NodeOnDisk.open(tmp_path)
        hashes = node.hashes()
        node.close()

        assert hashes[: len(before)] == before
        before = hashes
    check_goes_on(tmp_path, before)


def test_a_clock_that_jumps_moves_block_time_forwards_only(tmp_path: Path) -> None:
    node = NodeOnDisk.open(tmp_path)
    day_s = 86_400
    for jump_s in (0, 3 * day_s, -5 * day_s, 3_600, -3_600, 2 * day_s):
        node.clock.move(jump_s)
        node.make()
    node.close()

    node = NodeOnDisk.open(tmp_path)
    node.clock.move(-day_s)
    node.make()

    rows = [node.store.block(height) for height in range(1, node.store.height + 1)]
    times = [Block.parse(row.block).header.time_ns for row in rows if row]
    assert len(times) == 7
    assert all(later - earlier >= 1_000_000 for earlier, later in pairwise(times))
    node.close()
