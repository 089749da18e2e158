"""How a step of a local network is made: one command of this program, told while it happens."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from enigmacli.child import run_command
from enigmacli.localnet.folder import Member, Network

_AT_ONCE: Final = 2 * max(2, os.cpu_count() or 1)
"""A step computes for half of its time and waits for the rest."""

TEST_KEYS: Final = ("--keyring-backend", "test")


M = TypeVar("M")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Teller:
    """Where it is told what happens; several threads tell, one at a time."""

    step: Callable[[str], None]
    """A command, as a person would type it."""
    fact: Callable[[str], None]
    """What came of it."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs commands for the nodes of a network.

    Attributes:
        network: whose folder the caller has locked.
        lock: the lock's descriptor, which commands inherit.
        teller: told every command.
    """

    network: Network
    lock: int
    teller: Teller
    _telling: threading.Lock = field(default_factory=threading.Lock)
    _spending: threading.Lock = field(default_factory=threading.Lock)

    def run(self, member: Member, *arguments: str) -> dict[str, Any]:
        """Run one command on a node's home to its end; its result as a document.

        Raises:
            EnigmaError, EnclaveError: what the command named as its own failure.
        """
        self._tell_step(arguments, member.name)
        home = str(self.network.home(member).path)
        return run_command(*arguments, "--home", home, keeps=(self.lock,))

    def start(self, name: str, *arguments: str) -> dict[str, Any]:
        """Start a process that goes on, unless it runs already.

        Raises:
            EnigmaError, EnclaveError: it ended; what it named as its failure.
        """
        process = self.network.process(name)
        if process.owner() is not None:
            return {}
        self._tell_step((*arguments, "&"), name)
        return process.start(*arguments)

    def together(self, work: Callable[[M], T], members: Sequence[M]) -> list[T]:
        """Do the work of every node, several at once.

        Raises:
            Exception: the first failure; what else was begun is finished before.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [done.result() for done in [pool.submit(work, one) for one in members]]

    def fact(self, words: str) -> None:
        """Tell what came of a step."""
        with self._telling:
            self.teller.fact(words)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Hold the first node's account: one transaction of a sender waits at a time."""
        with self._spending:
            yield

    def _tell_step(self, arguments: Sequence[str], name: str) -> None:
        with self._telling:
            self.teller.step(f"{name}: enigmacli {' '.join(arguments)}")
