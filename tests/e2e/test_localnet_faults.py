"""Four validators on the real CometBFT, and what else may go wrong on one of them, or in numbers.

One network serves all tests, in their order; each leaves it whole.
"""

import os
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import pytest

from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import tx_hash
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import TxRejectedError
from enigmacli.localnet.processes import Background, command_line, descendants
from tests.e2e.chain_audit import Audit
from tests.e2e.cometbft import cometbft, processes_of
from tests.e2e.four_validators import NAMES, four_validators, sound
from tests.e2e.localnet import ENCLAVE_UNAVAILABLE, PATIENCE_S, LocalNetwork, Registrar
from tests.e2e.newcomers import Newcomer, Welcome

pytestmark = pytest.mark.e2e

IN_FLIGHT = int(os.environ.get("ENIGMA_IN_FLIGHT", "100"))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    folder = tmp_path_factory.mktemp("faults")
    with four_validators(folder / "net", cometbft()) as network:
        yield network


@pytest.fixture(scope="module")
def chronicle() -> Audit:
    """What the chain has said so far; each test reads on."""
    return Audit()


@pytest.fixture(scope="module")
def welcome(net: LocalNetwork) -> Welcome:
    return Welcome(net)


@contextmanager
def standing_still(net: LocalNetwork) -> Iterator[None]:
    """No blocks: the CometBFT of half of the validators is stopped, and goes on afterwards."""
    stopped = [pid for name in NAMES[2:] for pid in processes_of(net.home(name).path)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(0.5)  # what was under way arrives
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def send_all(urls: list[str], raws: list[bytes]) -> None:
    """Hand every transaction over to one of these nodes, several at once."""

    def send(number: int) -> None:
        with RpcClient(urls[number % len(urls)], 30.0) as node:
            for raw in raws[number :: 2 * len(urls)]:
                try:
                    Queries(node).broadcast(raw)
                except TxRejectedError as error:  # a judge that was too slow on this machine
                    if error.details["code"] != ENCLAVE_UNAVAILABLE:
                        raise
                    Queries(node).broadcast(raw)

    with ThreadPoolExecutor(2 * len(urls)) as pool:
        list(pool.map(send, range(2 * len(urls))))


def in_flight(url: str) -> int:
    """How many transactions wait at a node."""
    with RpcClient(url) as node:
        return int(node.call("num_unconfirmed_txs")["total"])


def test_registrations_in_flight_are_all_admitted_once(
    net: LocalNetwork, chronicle: Audit, welcome: Welcome
) -> None:
    newcomers = [Newcomer.generate() for _ in range(IN_FLIGHT)]
    welcome.fund(newcomers)
    with RpcClient(net.urls["node1"]) as node:
        raws = [welcome.register(one, Queries(node)) for one in newcomers]
    hashes = {tx_hash(raw) for raw in raws}
    deadline = time.monotonic() + PATIENCE_S + IN_FLIGHT / 2
    with standing_still(net):
        send_all([net.urls[name] for name in NAMES[:2]], raws)
        while (waiting := in_flight(net.urls["node1"])) < IN_FLIGHT:
            assert time.monotonic() < deadline, f"{waiting} are known to one node"
            time.sleep(0.05)
    started = time.monotonic()
    while hashes - chronicle.registrations.keys():
        assert time.monotonic() < deadline, f"{len(hashes - chronicle.registrations.keys())} left"
        time.sleep(0.1)
        chronicle.read_on(net.urls["node1"])
    took = time.monotonic() - started

    whole = sound(net, chronicle)
    per_block = Counter(whole.registrations[one] for one in hashes)
    sys.stdout.write(
        f"{waiting} registrations in flight were admitted in {took:.1f} s and "
        f"{len(per_block)} blocks of {statistics.mean(per_block.values()):.1f}\n"
    )
    assert sum(one in hashes for one in whole.registrations) == IN_FLIGHT
    with RpcClient(net.urls["node4"]) as node:
        records = {record.node_id: record for record in Queries(node).nodes()}
    assert all(welcome.opened(one, records[one.node_id].encrypted_seed) for one in newcomers)


def part_of(net: LocalNetwork, name: str, role: str) -> int:
    """The pid of a node's enclave (``keys``) or judge."""
    node = Background(net.folder, name).owner()
    assert node is not None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for one in descendants(node.pid):
            words = command_line(one.pid)
            if ("--role", role) in pairwise(words):
                return one.pid
        time.sleep(0.05)
    raise AssertionError(f"{name} has no {role}")


def about_to_propose(net: LocalNetwork, name: str) -> bool:
    """Whether a node is the proposer of the height that comes next."""
    with RpcClient(net.urls[name]) as node:
        state = node.call("consensus_state")["round_state"]
    mine = Ed25519Key.load(net.home(name).priv_validator_key_file).address
    return bool(state["proposer"]["address"] == mine.hex().upper())


def renew_past_a_hung_enclave(net: LocalNetwork, *, proposes: bool) -> tuple[int, list[str]]:
    """Renew a registration right after the enclave of node3 stopped, for which no block waits.

    Args:
        net: the network, idle.
        proposes: whether the next proposal is the node's own.

    Returns:
        The height of the registration's block, and why node3 decided as it did meanwhile.
    """
    registrar, before = Registrar(net, "node2"), len(net.events("node3"))
    deadline = time.monotonic() + PATIENCE_S
    height = net.height("node3")
    while net.height("node3") == height or about_to_propose(net, "node3") != proposes:
        height = net.height("node3")
        assert time.monotonic() < deadline, "it is never that node's turn"
    os.kill(part_of(net, "node3", "keys"), signal.SIGSTOP)
    included = registrar.renew(net.urls["node1"])
    net.wait_for_height(NAMES, included)
    events = net.events("node3")[before:]
    return included, [one["text"] for one in events if one["event"] == "reason"]


@pytest.mark.parametrize(
    ("proposes", "decided"),
    [(False, "rule=enclave-unavailable"), (True, "request=prepare_proposal")],
)
def test_a_validator_with_a_hung_enclave_has_no_word_about_registrations_until_it_has_another(
    net: LocalNetwork, chronicle: Audit, *, proposes: bool, decided: str
) -> None:
    node = Background(net.folder, "node3").owner()
    for _ in range(5):  # the block's time may be told to the enclave before the proposal comes
        height, reasons = renew_past_a_hung_enclave(net, proposes=proposes)
        if any(decided in one for one in reasons):
            break

    assert [one for one in reasons if decided in one and "in time" in one]
    assert Background(net.folder, "node3").owner() == node
    assert height in sound(net, chronicle).registrations.values()


def test_a_hung_enclave_does_not_hold_its_validator_up(net: LocalNetwork, chronicle: Audit) -> None:
    stopped = part_of(net, "node3", "keys")
    os.kill(stopped, signal.SIGSTOP)
    started = time.monotonic()

    net.wait_for_blocks(NAMES)
    took = time.monotonic() - started

    net.wait_for_blocks(NAMES)
    assert took < 15  # of the 30 s that a call may take for which nobody waits
    assert part_of(net, "node3", "keys") != stopped
    sound(net, chronicle)


def test_an_enclave_that_hung_for_a_moment_goes_on(net: LocalNetwork, chronicle: Audit) -> None:
    paused = part_of(net, "node3", "keys")
    os.kill(paused, signal.SIGSTOP)
    time.sleep(0.2)
    os.kill(paused, signal.SIGCONT)

    height = Registrar(net, "node2").renew(net.urls["node3"])

    assert part_of(net, "node3", "keys") == paused
    assert height in sound(net, chronicle).registrations.values()


def test_a_hung_judge_costs_one_call(net: LocalNetwork, chronicle: Audit) -> None:
    stopped = part_of(net, "node3", "judge")
    os.kill(stopped, signal.SIGSTOP)
    registrar = Registrar(net, "node2")

    with pytest.raises(TxRejectedError) as refused:
        registrar.send(net.urls["node3"])
    height = registrar.renew(net.urls["node3"])

    assert refused.value.details["code"] == ENCLAVE_UNAVAILABLE
    assert part_of(net, "node3", "judge") != stopped
    assert height in sound(net, chronicle).registrations.values()
