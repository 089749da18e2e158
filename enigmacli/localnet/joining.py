"""How a node of a local network gets in: it registers, as any node of any network does."""

import time
from typing import Final

from enigmacli import sealed_folder
from enigmacli.chain.rpc import RpcClient
from enigmacli.errors import EnigmaError, WaitTimeoutError
from enigmacli.localnet.folder import Member
from enigmacli.localnet.homes import account, configure, is_made
from enigmacli.localnet.steps import TEST_KEYS, Steps
from enigmacli.localnet.words import COMETBFT

GIFT: Final = "100000000uscrt"
SYNC_TIMEOUT_S: Final = 60.0
_ADMITTED: Final = ("registered", "seeded", "running")
_POLL_S: Final = 0.05


def make_home(steps: Steps, member: Member) -> None:
    """Make the home of a node that joins, with the network's genesis document."""
    network = steps.network
    if not is_made(network.home(member)):
        genesis = str(network.home(network.first).genesis_file)
        steps.run(member, "init", member.name, "--genesis", genesis)
    configure(network, member)


def join(steps: Steps, member: Member) -> bytes:
    """Let a node ask, be answered, and start; what was done before is not done again.

    Returns:
        Its node id, 32 bytes.

    Raises:
        EnigmaError, EnclaveError: the failure of the step that failed.
    """
    network = steps.network
    node_id: str | None = None
    if sealed_folder.contents(network.home(member)):  # else it has no key to be known by
        node_id = _admitted_as(steps, member)
    if node_id is None:
        node_id = _register(steps, member)
    start(steps, member)
    return bytes.fromhex(node_id)


def _admitted_as(steps: Steps, member: Member) -> str | None:
    """The node id of a node that the chain knows already."""
    standing = steps.run(member, "status", "--node", steps.network.first.url)
    if standing["state"] not in _ADMITTED:
        return None
    return str(standing["enclave"]["node_id"])


def _register(steps: Steps, member: Member) -> str:
    first = steps.network.first
    fund(steps, member, GIFT)
    made = steps.run(member, "enclave", "keygen")
    steps.fact(f"{member.name} has node id {made['node_id']}")
    steps.run(member, "attest", "fetch", "--provider", "simulated", *TEST_KEYS)
    evidence = str(steps.network.home(member).path / "attestation_cert.der")
    steps.run(member, "tx", "register", "auth", evidence, "--node", first.url, "-y",
              *TEST_KEYS)  # fmt: skip
    return str(made["node_id"])


def fund(steps: Steps, member: Member, amount: str) -> None:
    """Give a home's account coins of the first node's, unless it has some.

    Raises:
        EnigmaError: the transfer was refused, or could not be sent.
    """
    first = steps.network.first
    address = account(steps, member)
    held = steps.run(member, "query", "balance", address, "--node", first.url)
    if not int(held["amount"]):
        with steps.spending():
            steps.run(first, "tx", "bank", "send", first.name, address, amount,
                      "--node", first.url, "-y", *TEST_KEYS)  # fmt: skip


def start(steps: Steps, member: Member) -> None:
    """Start a node; one that was admitted and has no seed yet unseals it first."""
    network = steps.network
    configure(network, member)
    arguments = ["start", "--engine", network.engine, *TEST_KEYS]
    if member != network.first:
        arguments += ["--wait-for-seed", "--node", network.first.url]
    home = network.home(member)
    started = steps.start(member.name, *arguments, "--home", str(home.path))
    if started:
        steps.fact(f"{member.name} answers at {started['rpc']}")


def wait_until_synced(steps: Steps, member: Member) -> None:
    """Wait until a node has caught up with the first one.

    Raises:
        WaitTimeoutError: it did not in time.
    """
    network = steps.network
    with RpcClient(network.first.url) as first:
        goal = first.abci_info().last_block_height
    deadline = time.monotonic() + SYNC_TIMEOUT_S
    with RpcClient(member.url) as node:
        while time.monotonic() < deadline:
            if _has_synced(node, goal, with_votes=network.engine == COMETBFT):
                return
            time.sleep(_POLL_S)
    raise WaitTimeoutError(f"{member.name} did not catch up within {SYNC_TIMEOUT_S:.0f} s")


def _has_synced(node: RpcClient, goal: int, *, with_votes: bool) -> bool:
    """Whether a node is at a height and, on CometBFT, takes part in consensus."""
    try:
        done = node.abci_info().last_block_height >= goal
        return done and not (with_votes and node.status().catching_up)
    except EnigmaError:
        return False
