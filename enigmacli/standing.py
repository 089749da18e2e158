"""How far a home has come, and what the node that it talks to says.

The flow behind ``status``, ``wait`` and ``join``. What it has to look at is the protocol
:class:`Surroundings`. It takes the lightest route that is true: the genesis document is read
and not judged, and the chain is asked about this node only where the state depends on it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from enclave.errors import EnclaveError
from enigmacli.errors import (
    ConfigError,
    EnigmaError,
    GenesisError,
    NotFoundError,
    UntrustedAnswerError,
)
from enigmacli.home import Home

if TYPE_CHECKING:
    from enclave.calls import StatusReply
    from enigmacli.chain.answers import NodeStatus

T = TypeVar("T")


class State(StrEnum):
    """How far a home has come, each state including the ones before it.

    But for a bootstrap node, which holds the seed without having registered.
    """

    NO_HOME = "no-home"
    INITIALISED = "initialised"
    """The home is complete."""
    KEYED = "keyed"
    """The enclave holds this node's registration key."""
    ATTESTED = "attested"
    """The home holds evidence for that key."""
    SENT = "sent"
    """A register transaction was sent; whether the chain took it is not known."""
    REGISTERED = "registered"
    """The chain has registered the key, which a verified header proves."""
    SEEDED = "seeded"
    """The enclave holds the network's seed."""
    RUNNING = "running"
    """A process runs the node."""
    SYNCED = "synced"
    """The node asked is that of this home, and says that it follows the chain's newest block."""
    VALIDATOR = "validator"
    """It says, too, that it has power to vote."""


STATES: Final = tuple(State)
"""In the order in which a home goes through them."""

NEXT: Final = {
    State.NO_HOME: "init MONIKER",
    State.INITIALISED: "enclave keygen",
    State.KEYED: "attest fetch",
    State.ATTESTED: "tx register auth FILE",
    State.SENT: "seed wait",
    State.REGISTERED: "seed unseal",
    State.SEEDED: "start",
}
"""The command that brings a home further, without the program's name."""


def has_reached(state: State, wanted: State) -> bool:
    """Whether ``state`` is ``wanted``, or beyond it."""
    return STATES.index(state) >= STATES.index(wanted)


# --- what is looked at ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verified:
    """The header that proved an answer."""

    height: int
    header_hash: str
    """Upper-case hex, as the chain's own tools write it."""


class Surroundings(Protocol):
    """One home, its enclave, and the node that it talks to."""

    @property
    def home(self) -> Path:
        """Its folder, which may not exist."""
        ...

    @property
    def node_url(self) -> str:
        """Of the node to ask."""
        ...

    def owner_pid(self) -> int | None:
        """The process that owns the home; 0 where it has not said its pid."""
        ...

    def begin(self) -> None:
        """Told first: the enclave will be asked soon, so it may start by now."""
        ...

    def held(self) -> "StatusReply":
        """Ask the enclave."""
        ...

    def node(self) -> "NodeStatus":
        """Ask the node."""
        ...

    def registration(self, node_id: bytes) -> Verified | None:
        """What proves that the chain knows ``node_id``; ``None``: it is the node's word.

        Raises:
            NotFoundError: the chain does not know it, as the node says.
        """
        ...

    def peer_id(self) -> str:
        """Under which other nodes know this home's: 40 hex characters."""
        ...

    def evidence_for(self, node_id: bytes) -> Path | None:
        """The file of the home with evidence that claims to bind ``node_id``."""
        ...

    def sent_for(self, node_id: bytes) -> bytes | None:
        """The hash of the register transaction that this home sent last for ``node_id``."""
        ...


# --- what is found ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Genesis:
    """What this home's genesis document says, whoever wrote it."""

    chain_id: str
    sha256: str
    policy: str | None
    """``simulated``, ``intel``, or ``None`` before one is set."""
    bootstrapped: bool


@dataclass(frozen=True, slots=True)
class Node:
    """What the node asked says of itself: its word only."""

    url: str
    moniker: str
    chain_id: str
    height: int
    app_hash: str
    catching_up: bool
    voting_power: int
    same_network: bool
    own: bool
    """Whether it is the node of this home, by its peer id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that ``status`` tells."""

    home: Path
    state: State
    pid: int | None = None
    genesis: Genesis | None = None
    enclave: "StatusReply | EnclaveError | None" = None
    evidence: Path | None = None
    sent: bytes | None = None
    """The hash of the register transaction."""
    registered: bool | None = None
    """``None`` where it was not asked, or cannot be said."""
    verified: Verified | None = None
    """What proves ``registered``; ``None``: it is the node's word."""
    node: Node | None = None

    @property
    def node_id(self) -> bytes:
        """The registration public key; empty where there is none, or the enclave failed."""
        return b"" if isinstance(self.enclave, EnclaveError | None) else self.enclave.node_id

    @property
    def seeds(self) -> int:
        """How many epochs' seeds the enclave holds; 0 where it failed."""
        return 0 if isinstance(self.enclave, EnclaveError | None) else self.enclave.seeds

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "home": str(self.home),
            "state": self.state.value,
            "pid": self.pid,
            "genesis": asdict(self.genesis) if self.genesis else None,
            "enclave": _enclave_document(self.enclave),
            "evidence": str(self.evidence) if self.evidence else None,
            "sent": self.sent.hex().upper() if self.sent else None,
            "registered": self.registered,
            "verified": asdict(self.verified) if self.verified else None,
            "node": asdict(self.node) if self.node else None,
        }


def _enclave_document(enclave: "StatusReply | EnclaveError | None") -> dict[str, Any] | None:
    if enclave is None:
        return None
    if isinstance(enclave, EnclaveError):
        return {"error": {"code": enclave.code, "message": str(enclave)}}
    return {
        "backend": enclave.backend,
        "measurement": enclave.measurement.hex(),
        "network_id": enclave.network_id.hex() or None,
        "node_id": enclave.node_id.hex() or None,
        "seeds": enclave.seeds,
    }


def look(at: Surroundings, *, thoroughly: bool = False) -> Standing:
    """See how far a home has come.

    Args:
        at: the home, its enclave, and the node it talks to.
        thoroughly: ask the chain about this node, and read its evidence, even where the seed
            that the enclave holds has answered already.

    Raises:
        ConfigError: the configuration or the genesis document is malformed.
        UntrustedAnswerError: the node gave an answer that it cannot prove.
    """
    if not Home(at.home).config_file.exists():
        return Standing(at.home, State.NO_HOME)
    at.begin()
    pid, genesis = at.owner_pid(), read_genesis(Home(at.home))
    node = _node(at, genesis, runs=pid is not None)
    standing = Standing(at.home, State.INITIALISED, pid, genesis, enclave=_enclave(at), node=node)
    if standing.node_id and (thoroughly or not standing.seeds):
        standing = _asked_about(standing, at, standing.node_id)
    return replace(standing, state=_state(standing))


def read_genesis(home: Home) -> Genesis | None:
    """What the home's genesis document says of itself; it is not judged.

    Raises:
        GenesisError: it is no genesis document at all.
        StorageError: it cannot be read.
    """
    if not home.genesis_file.exists():
        return None
    data = home.read_genesis()
    try:
        document = json.loads(data)
        register = document["app_state"]["register"]
        policy = register.get("params")
        simulated = policy is not None and policy["simulation"] is True
        bootstrapped = "node_exch_master_key" in register
        chain_id = str(document["chain_id"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise GenesisError(
            "the genesis document cannot be read", hint="enigmacli genesis validate"
        ) from error
    kind = None if policy is None else "simulated" if simulated else "intel"
    return Genesis(chain_id, hashlib.sha256(data).hexdigest(), kind, bootstrapped)


def _node(at: Surroundings, genesis: Genesis | None, *, runs: bool) -> Node | None:
    answer = _answered(at.node)
    if answer is None:
        return None
    return Node(
        url=at.node_url,
        moniker=answer.moniker,
        chain_id=answer.network,
        height=answer.latest_block_height,
        app_hash=answer.latest_app_hash.hex().upper(),
        catching_up=answer.catching_up,
        voting_power=answer.voting_power,
        same_network=genesis is None or genesis.chain_id == answer.network,
        own=runs and answer.node_id.lower() == at.peer_id(),
    )


def _enclave(at: Surroundings) -> "StatusReply | EnclaveError":
    try:
        return at.held()
    except EnclaveError as error:
        return error


def _asked_about(standing: Standing, at: Surroundings, node_id: bytes) -> Standing:
    """With what home and chain know of the registration."""
    seen = replace(standing, evidence=at.evidence_for(node_id), sent=at.sent_for(node_id))
    if standing.node is None or not standing.node.same_network:
        return seen
    try:
        proof = _answered(lambda: (at.registration(node_id),))
    except NotFoundError:  # nobody can prove that something is absent
        return replace(seen, registered=False)
    return seen if proof is None else replace(seen, registered=True, verified=proof[0])


def _answered(ask: Callable[[], T]) -> T | None:
    """The answer, or None: a node that is down or talks nonsense is no failure of this flow."""
    try:
        return ask()
    except (ConfigError, NotFoundError, UntrustedAnswerError):
        raise
    except EnigmaError:
        return None


def _state(seen: Standing) -> State:
    node = seen.node
    running = seen.pid is not None and seen.seeds > 0
    synced = running and node is not None and node.own and node.height > 0 and not node.catching_up
    reached = {
        State.VALIDATOR: synced and node is not None and node.voting_power > 0,
        State.SYNCED: synced,
        State.RUNNING: running,
        State.SEEDED: seen.seeds > 0,
        State.REGISTERED: bool(seen.registered),
        State.SENT: seen.sent is not None,
        State.ATTESTED: seen.evidence is not None,
        State.KEYED: bool(seen.node_id),
    }
    return next((state for state, is_reached in reached.items() if is_reached), State.INITIALISED)
