"""The whole story on one machine, told by this program's own commands.

A simulated Intel, a bootstrap node that makes the network's seed and produces blocks, and a
second node that registers, unseals and follows. Every step is a command that a person could
type; every step can be run again, so a kept folder resumes where it stopped.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from enigmacli.chain.rpc import RpcClient
from enigmacli.child import Child, family_lock, run_command
from enigmacli.errors import ChainForkError, WaitTimeoutError

CHAIN_ID: Final = "enigma-quickstart"
FUNDS: Final = "1000000000uscrt"
GIFT: Final = "10000000uscrt"
SYNC_TIMEOUT_S: Final = 60.0
BLOCK_INTERVAL_S: Final = "0.25"
_ANY_PORT: Final = "127.0.0.1:0"
_TEST_KEYS: Final = ("--keyring-backend", "test")
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the story and how long it took."""

    title: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the story ended with: both nodes at one height with one app hash."""

    phases: tuple[Phase, ...]
    height: int
    app_hash: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Teller:
    """Where the story is told while it happens."""

    title: Callable[[str], None]
    """A phase begins."""
    step: Callable[[str], None]
    """A command, as a person would type it."""
    fact: Callable[[str], None]
    """What came of it."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """How both nodes get their evidence."""

    provider: str
    """``simulated`` (EPID) or ``dcap``."""
    service: str
    """The command that plays Intel: ``ias`` or ``pccs``."""
    root_option: str
    """Of ``init``: where that service's root is found."""


ATTESTATIONS: Final = {
    "simulated": Attestation("simulated", "ias", "--ias-root"),
    "dcap": Attestation("dcap", "pccs", "--pccs-root"),
}
"""By provider; the first one is what the story is told with unasked."""


def tell(
    folder: Path,
    teller: Teller,
    engine_options: Sequence[str] = (),
    attestation: Attestation = ATTESTATIONS["simulated"],
) -> Outcome:
    """Tell the story in ``folder``; what an earlier telling left there is taken up.

    Args:
        folder: of both homes.
        teller: told what happens.
        engine_options: of the first node's ``start``.
        attestation: how evidence is made.

    Raises:
        EnigmaError, EnclaveError: the failure of the step that failed.
    """
    with family_lock(folder / "lock") as lock, ExitStack() as children:
        return _Story(
            folder, teller, children, lock, engine_options, attestation=attestation
        ).tell()


class _Story:
    def __init__(
        self,
        folder: Path,
        teller: Teller,
        children: ExitStack,
        lock: int,
        engine_options: Sequence[str],
        *,
        attestation: Attestation,
    ) -> None:
        self._folder = folder
        self._teller = teller
        self._children = children
        self._lock = lock
        self._engine_options = engine_options
        self._attestation = attestation
        self._phases: list[Phase] = []

    def tell(self) -> Outcome:
        with self._phase("Before: a simulated Intel, and the network's first node"):
            intel = self._start_intel()
            first = self._start_first_node(intel)
        with self._phase("Phase 1: the new node asks"):
            node_id = self._ask(intel, first)
        with self._phase("Phase 2: the network answers in the same block"):
            self._show_answer(first, node_id)
        with self._phase("Phase 3: the new node starts"):
            second = self._start_second_node(first)
            height, app_hash = self._wait_for_agreement(first, second)
        return Outcome(tuple(self._phases), height, app_hash, node_id)

    # --- the steps ------------------------------------------------------------------------

    def _start_intel(self) -> str:
        listening = self._start(
            "intel", self._attestation.service, "serve", "--listen", _ANY_PORT,
            "--state", str(self._folder / "intel"),
        )  # fmt: skip
        return str(listening["url"])

    def _start_first_node(self, intel: str) -> str:
        if not self._has("first", "config.toml"):
            self._run("first", "init", "first", "--simulated", "--chain-id", CHAIN_ID,
                      self._attestation.root_option, intel)  # fmt: skip
        address = self._account("first")
        self._run("first", "genesis", "add-account", address, FUNDS)
        return self._start_node(
            "first", "--bootstrap", "--provider", self._attestation.provider, "--url", intel,
            "--block-interval", BLOCK_INTERVAL_S, "--p2p-listen", _ANY_PORT,
            *self._engine_options, *_TEST_KEYS,
        )  # fmt: skip

    def _ask(self, intel: str, first: str) -> str:
        is_new = not self._has("second", "config.toml")
        if is_new:
            genesis = self._folder / "first" / "config" / "genesis.json"
            self._run("second", "init", "second", "--genesis", str(genesis))
        address = self._account("second")
        if is_new or not self._balance(first, address):
            self._run("first", "tx", "bank", "send", "first", address, GIFT, "--node", first, "-y",
                      *_TEST_KEYS)  # fmt: skip
        made = self._run("second", "enclave", "keygen")
        self._teller.fact(f"node id {made['node_id']}")
        fetched = self._run("second", "attest", "fetch", "--provider", self._attestation.provider,
                            "--url", intel, *_TEST_KEYS)  # fmt: skip
        self._run("second", "tx", "register", "auth", str(fetched["path"]), "--node", first, "-y",
                  *_TEST_KEYS)  # fmt: skip
        return str(made["node_id"])

    def _show_answer(self, first: str, node_id: str) -> None:
        answer = self._run("second", "query", "register", "seed", node_id, "--node", first)
        self._teller.fact(f"encrypted seed {answer['encrypted_seed']}")

    def _balance(self, node: str, address: str) -> int:
        held = self._run("second", "query", "balance", address, "--node", node)
        return int(held["amount"])

    def _start_second_node(self, first: str) -> str:
        self._run("second", "seed", "unseal", "--node", first)
        return self._start_node("second", "--follow", first)

    def _wait_for_agreement(self, first: str, second: str) -> tuple[int, str]:
        """Wait until both nodes stand at one height; their app hashes must then be equal.

        Raises:
            ChainForkError: two app hashes at one height.
            WaitTimeoutError: they did not meet in time.
        """
        deadline = time.monotonic() + SYNC_TIMEOUT_S
        with RpcClient(first) as one, RpcClient(second) as other:
            while time.monotonic() < deadline:
                (height, app_hash), (follows, seen) = _tip(other), _tip(one)
                if height == follows and height > 0:
                    if app_hash != seen:
                        raise ChainForkError(
                            f"two app hashes at height {height}",
                            details={"expected": seen, "seen": app_hash},
                        )
                    return height, app_hash
                time.sleep(_POLL_S)
        raise WaitTimeoutError(f"the second node did not catch up within {SYNC_TIMEOUT_S:.0f} s")

    # --- how a step is made ---------------------------------------------------------------

    @contextmanager
    def _phase(self, title: str) -> Iterator[None]:
        self._teller.title(title)
        started = time.monotonic()
        yield
        self._phases.append(Phase(title, time.monotonic() - started))
        self._teller.fact(f"{self._phases[-1].seconds:.1f} s")

    def _has(self, home: str, name: str) -> bool:
        return (self._folder / home / name).exists()

    def _account(self, home: str) -> str:
        """The address of the home's one account, which has the home's name."""
        verb = "show" if self._has(home, f"keyring-test/{home}.key") else "add"
        return str(self._run(home, "keys", verb, home, *_TEST_KEYS)["address"])

    def _run(self, home: str, *arguments: str) -> dict[str, Any]:
        self._teller.step(f"enigmacli {' '.join(arguments)} --home {home}")
        return run_command(*arguments, "--home", str(self._folder / home), keeps=(self._lock,))

    def _start(self, name: str, *arguments: str) -> dict[str, Any]:
        self._teller.step(f"enigmacli {' '.join(arguments)} &")
        child = Child(name, arguments, self._folder / "logs", (self._lock,))
        self._children.enter_context(child)
        return child.listening()

    def _start_node(self, home: str, *arguments: str) -> str:
        listening = self._start(
            home, "start", *arguments, "--rpc-listen", _ANY_PORT,
            "--home", str(self._folder / home),
        )  # fmt: skip
        self._teller.fact(f"{home} node at {listening['rpc']}")
        return str(listening["rpc"])


def _tip(node: RpcClient) -> tuple[int, str]:
    """How far a node's state is, and its app hash."""
    info = node.abci_info()
    return info.last_block_height, info.last_block_app_hash.hex()
