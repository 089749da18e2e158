"""Four validators on the real CometBFT: joining, kills, a forger, another policy, partitions.

One network serves all tests, in their order; each leaves it whole.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enigmacli import protobuf
from enigmacli.app import layout
from enigmacli.chain.blocks import Header
from enigmacli.chain.rpc import RpcClient
from enigmacli.engine.validator_key import Ed25519Key
from tests.e2e.chain_audit import Audit
from tests.e2e.cometbft import cometbft, processes_of
from tests.e2e.forging_node import FORGERIES
from tests.e2e.four_validators import NAMES, forget_chain, four_validators, sound
from tests.e2e.localnet import PATIENCE_S, LocalNetwork, Registrar
from tests.e2e.relays import Relays
from tests.e2e.story_processes import ProgramHome, running

pytestmark = pytest.mark.e2e

OTHERS = NAMES[1:]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    folder = tmp_path_factory.mktemp("localnet") / "net"
    with four_validators(folder, cometbft()) as network:
        yield network


def node_id(net: LocalNetwork, name: str) -> str:
    return str(ProgramHome(net.home(name).path).ok("seed", "status")["node_id"])


def validator_key(net: LocalNetwork, name: str) -> bytes:
    return Ed25519Key.load(net.home(name).priv_validator_key_file).public_key


def header_above(net: LocalNetwork, height: int) -> Header:
    """The header that names the state after ``height``."""
    net.wait_for_height(["node1"], height + 1)
    with RpcClient(net.urls["node1"]) as node:
        return node.header(height + 1)


@pytest.fixture(scope="module")
def chronicle() -> Audit:
    """What the chain has said so far; each test reads on."""
    return Audit()


def test_every_node_joined_by_registering_and_was_voted_in(
    net: LocalNetwork, chronicle: Audit
) -> None:
    nodes = net.nodes()
    bound = {}
    with RpcClient(net.urls["node2"]) as node:
        for name in OTHERS:
            key = layout.validator(validator_key(net, name))
            found = node.abci_query(f"/store/{layout.VALIDATORS}/key", key).value
            record = protobuf.parse("enigma.validator.v1.ValidatorRecord", found)
            bound[name] = (record.node_id.hex(), record.power)

    assert [(nodes[name]["power"], nodes[name]["peers"]) for name in NAMES] == [(10, 3)] * 4
    assert bound == {name: (node_id(net, name), 10) for name in OTHERS}
    assert len(sound(net, chronicle).registrations) == 3


def test_a_node_serves_one_validator_key_and_no_other(net: LocalNetwork) -> None:
    stranger = Ed25519Key.generate().public_key.hex()

    code, error = ProgramHome(net.home("node1").path).error(
        "tx", "validator", "set", stranger, "10", "--node-id", node_id(net, "node2"), "-y"
    )

    assert (code, error["details"]["codespace"], error["details"]["code"]) == (7, "validator", 4)


def test_the_story_of_quickstart_happens_with_any_validator(
    net: LocalNetwork, chronicle: Audit, tmp_path: Path
) -> None:
    home, asked = ProgramHome(tmp_path / "newcomer"), ("--node", net.urls["node3"])
    home.ok("init", "newcomer", "--genesis", str(net.genesis_file))
    net.command("fund", home.account("operator"))
    made = home.ok("enclave", "keygen")
    intel = net.command("status")["intel"]["url"]
    home.ok("attest", "fetch", "--provider", "simulated", "--url", intel)
    sent = home.ok("tx", "register", "auth", str(home.path / "attestation_cert.der"), "-y", *asked)
    with running(
        home, "start", "--wait-for-seed", "--follow", net.urls["node4"], *asked,
        "--rpc-listen", "127.0.0.1:0",
    ) as follower:  # fmt: skip
        caught = follower.wait_for("caught_up")

    assert made["node_id"] == sent["node_id"]
    assert caught["height"] >= sent["height"]
    assert sent["height"] in sound(net, chronicle).registrations.values()
    assert caught["app_hash"] == header_above(net, caught["height"]).app_hash.hex()


@pytest.mark.parametrize("part", ["enclave", "judge"])
def test_kill_9_of_an_enclave_costs_the_validator_one_call(
    net: LocalNetwork, chronicle: Audit, part: str
) -> None:
    before = net.nodes()["node3"]["pid"]
    net.command("kill", "node3", "--process", part)

    height = Registrar(net, "node2").renew_again(net.urls["node3"])  # its judge checks it, too
    net.wait_for_height(NAMES, height + len(NAMES))  # everyone has proposed once

    assert net.nodes()["node3"]["pid"] == before
    assert height in sound(net, chronicle).registrations.values()


@pytest.mark.parametrize("part", ["app", "cometbft"])
def test_kill_9_of_a_validator_is_recovered_from(
    net: LocalNetwork, chronicle: Audit, part: str
) -> None:
    rest = tuple(name for name in NAMES if name != "node2")
    net.command("kill", "node2", "--process", part)
    height = Registrar(net, "node3").renew(net.urls["node1"])
    net.wait_for_blocks(rest)
    deadline = time.monotonic() + PATIENCE_S
    while processes_of(net.home("node2").path) or net.nodes()["node2"]["pid"]:
        assert time.monotonic() < deadline, "a process outlived its other half"

    net.command("restart")  # what does not run

    net.wait_for_blocks(NAMES)
    assert height in sound(net, chronicle).registrations.values()


@contextmanager
def in_place_of(net: LocalNetwork, name: str, *program: str) -> Iterator[Path]:
    """Another program as the node ``name``, whose own was killed; its log."""
    log = net.folder / f"{name}-impostor.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            (sys.executable, "-m", *program, "start", "--engine", "cometbft",
             "--keyring-backend", "test", "--home", str(net.home(name).path), "-o", "json"),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
        )  # fmt: skip
    try:
        yield log
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def forged(log: Path) -> list[tuple[str, int]]:
    """Kind and height of what was forged so far."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(one["kind"], one["height"]) for one in map(json.loads, lines)]


def refusals(net: LocalNetwork) -> dict[int, str]:
    """By height, why an honest application refused a proposal."""
    return {
        int(event["text"].split("height=")[1].split()[0]): event["text"]
        for name in NAMES[:3]
        for event in net.events(name)
        if event["event"] == "reason" and event["kind"] == "proposal-refused"
    }


def test_no_forged_proposal_becomes_a_block(
    net: LocalNetwork, chronicle: Audit, tmp_path: Path
) -> None:
    log = tmp_path / "forged.log"
    registrars = [Registrar(net, name) for name in ("node2", "node3")]
    seen: dict[str, int] = {}
    renewed: list[int] = []
    net.command("kill", "node4")
    with in_place_of(net, "node4", "tests.e2e.forging_node", str(log)):
        net.wait_for_blocks(NAMES)
        deadline = time.monotonic() + PATIENCE_S
        while len(seen) < len(FORGERIES):
            assert time.monotonic() < deadline, f"forged {forged(log)}, refused {seen}"
            renewed += [one.renew(net.urls["node4"]) for one in registrars]
            why = refusals(net)  # a proposal that came too late was refused by nobody
            seen |= {kind: height for kind, height in forged(log) if height in why}
    net.command("restart", "node4")
    net.wait_for_blocks(NAMES)

    whole = sound(net, chronicle)

    assert [kind for kind, height in seen.items() if not whole.rounds[height]] == []
    assert {kind: rule_of(why[height]) for kind, height in seen.items()} == {
        "altered": "confirm-differs", "omitted": "pairing",
        "reordered": "pairing", "duplicated": "pairing",
    }  # fmt: skip
    assert set(renewed) <= set(whole.registrations.values())


def rule_of(text: str) -> str:
    return text.split("rule=")[1].split(maxsplit=1)[0]


def test_a_validator_with_another_policy_never_gets_a_word_in(
    net: LocalNetwork, chronicle: Audit
) -> None:
    home = net.home("node4")
    right = home.read_genesis()
    wrong = json.loads(right)
    wrong["app_state"]["register"]["params"]["max_evidence_age_s"] *= 2
    net.command("kill", "node4")
    home.genesis_file.write_text(json.dumps(wrong))
    try:
        code, error = ProgramHome(home.path).error("start", "--engine", "cometbft")
        forget_chain(home.path)
        with in_place_of(net, "node4", "enigmacli"):
            deadline = time.monotonic() + PATIENCE_S
            while (alone := net.info("node4")) is None:
                assert time.monotonic() < deadline, "the node does not answer"
            net.wait_for_blocks(NAMES[:3], 5)
            stands = net.height("node4")
    finally:
        home.genesis_file.write_bytes(right)
        forget_chain(home.path)

    net.command("restart", "node4")

    net.wait_for_blocks(NAMES)
    sound(net, chronicle)
    assert (code, error["code"]) == (3, "genesis")
    assert (alone.last_block_height, stands) == (0, 0)


@pytest.fixture(scope="module")
def relays(net: LocalNetwork) -> Iterator[Relays]:
    """Relays between all nodes, after a kill -9 of every one of them at once."""
    nodes = net.nodes()
    peers = {name: nodes[name]["peer"].partition("@") for name in NAMES}
    made = Relays({name: address for name, (_, _, address) in peers.items()})
    for name in NAMES:
        net.command("kill", name)
    for name in NAMES:
        dialled = ",".join(
            f"{peers[other][0]}@{made.address(name, other)}" for other in NAMES if other != name
        )
        ProgramHome(net.home(name).path).ok("config", "set", "p2p.persistent_peers", dialled)
    net.command("restart")
    net.wait_for_blocks(NAMES)
    yield made
    made.close()


def test_three_of_four_go_on_and_the_fourth_catches_up(
    net: LocalNetwork, chronicle: Audit, relays: Relays
) -> None:
    relays.partition(NAMES[:3], NAMES[3:])
    try:
        height = Registrar(net, "node2").renew(net.urls["node1"])
        stands = net.height("node4")
        net.wait_for_height(NAMES[:3], max(stands, height) + 4)
        alone = net.height("node4")
    finally:
        relays.heal()

    net.wait_for_blocks(NAMES)
    assert alone <= stands + 1
    assert height in sound(net, chronicle).registrations.values()


def test_two_of_four_stand_still_and_go_on_together(
    net: LocalNetwork, chronicle: Audit, relays: Relays
) -> None:
    relays.partition(NAMES[:2], NAMES[2:])
    try:
        time.sleep(1.0)  # what was under way arrives
        stands = [net.height(name) for name in NAMES]
        pending = Registrar(net, "node2").send(net.urls["node1"])
        time.sleep(2.0)  # several times what a block takes
        later = [net.height(name) for name in NAMES]
    finally:
        relays.heal()

    net.wait_for_blocks(NAMES)
    assert stands == later
    assert max(stands) - min(stands) <= 1
    assert pending in sound(net, chronicle).registrations
