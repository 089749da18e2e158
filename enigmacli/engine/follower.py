"""Following another node: fetch, verify, execute, compare, keep up.

The followed server is not trusted: every block must carry the votes of the validators that
this node knows, and nothing is saved before all checks of
:mod:`enigmacli.engine.verification` have passed. What executing a block gave is compared
with the network by the next block's header, which carries it; until that arrives the newest
result is this node's own word.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.blocks import Block, Commit
from enigmacli.engine.chain import Chain
from enigmacli.engine.events import CaughtUp, Report, SourceBack, SourceLost
from enigmacli.engine.stopping import sleep_until_stopped
from enigmacli.engine.verification import verify_next
from enigmacli.errors import (
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)

_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 10.0
_PASSING: Final = (
    ServiceUnavailableError, ServiceRefusedError, NotFoundError, MalformedError,
)  # fmt: skip
_BLOCKS_A_STEP: Final = 50

T = TypeVar("T")


class SourceSilentError(Exception):
    """The followed node gave no usable answer this time; never leaves this module's loop."""


class BlockSource(Protocol):
    """Where blocks come from; any method may raise that the server did not answer well."""

    def latest(self) -> tuple[str, int]:
        """Chain id and height, as the server says."""
        ...

    def genesis(self) -> GenesisDocument:
        """The document that the server started from."""
        ...

    def block(self, height: int) -> Block:
        """The block of ``height``, unverified."""
        ...

    def commit(self, height: int) -> Commit:
        """The votes for the block of ``height``, unverified."""
        ...

    def broadcast(self, method: str, tx: bytes) -> Any:
        """Hand a transaction on; the ``result`` member of the server's answer."""
        ...


class Follower:
    """Executes the blocks that another node has.

    Args:
        chain: started.
        source: the followed node.
        report: told what happens.
        poll_interval_s: how often to ask for a new block when caught up.
    """

    def __init__(
        self, chain: Chain, source: BlockSource, report: Report, *, poll_interval_s: float = 0.5
    ) -> None:
        self._chain = chain
        self._source = source
        self._report = report
        self._poll_interval_s = poll_interval_s
        self._checked = False
        self._retry_s = 0.0
        self.catching_up = True
        """Whether the followed node had more blocks when it was asked last."""

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop.

        Args:
            stop: ends the run.

        Raises:
            StoppedError: ``stop`` was set.
            UntrustedAnswerError: the server serves another chain, or lies.
            ChainForkError: the network decided what this node cannot confirm.
        """
        while True:
            sleep_until_stopped(stop, 0)
            try:
                progressed = self.step()
            except SourceSilentError as error:
                sleep_until_stopped(stop, self._lost(str(error)))
                continue
            if not progressed:
                sleep_until_stopped(stop, self._poll_interval_s)

    def step(self) -> bool:
        """Execute some of the blocks that the source has now; whether there were any.

        Raises:
            SourceSilentError: the source gave no usable answer; the chain is as it was.
            UntrustedAnswerError: it serves another chain, or lies.
            ChainForkError: the network decided what this node cannot confirm.
        """
        height = self._check_source()
        chain = self._chain
        last = min(height, chain.state.next_height + _BLOCKS_A_STEP - 1)
        behind = height > chain.state.height
        while chain.state.height < last:
            self._follow_one(chain.state.next_height)
        if self.catching_up and height <= chain.state.height:
            self.catching_up = False
            self._report(CaughtUp(chain.state.height, chain.state.app_hash))
        return behind

    def _check_source(self) -> int:
        """The height of a server that serves this chain."""
        chain_id, height = _ask(self._source.latest)
        expected = self._chain.genesis.chain_id
        if chain_id != expected:
            raise UntrustedAnswerError(
                "the followed node is of another chain",
                details={"expected": expected, "seen": chain_id},
            )
        if not self._checked and _ask(self._source.genesis) != self._chain.genesis:
            raise UntrustedAnswerError("the followed node started from another genesis")
        self._checked = True
        if self._retry_s:
            self._retry_s = 0.0
            self._report(SourceBack(height))
        return height

    def _follow_one(self, height: int) -> None:
        block = _ask(lambda: self._source.block(height))
        commit = _ask(lambda: self._source.commit(height))
        block_id = verify_next(self._chain.state, block, commit)
        self._chain.apply(block, block_id, commit)

    def _lost(self, reason: str) -> float:
        """Report a server that does not answer; how long to leave it alone."""
        self._retry_s = min(max(self._retry_s * 2, _FIRST_RETRY_S), _LONGEST_RETRY_S)
        self._report(SourceLost(reason, self._retry_s))
        self.catching_up = True
        return self._retry_s


def _ask(question: Callable[[], T]) -> T:
    """An answer; what may pass with time becomes :class:`SourceSilentError`."""
    try:
        return question()
    except _PASSING as error:
        raise SourceSilentError(error.message) from error
