"""Someone between a home and its node who lies: no wrong seed is installed, the lie is named."""

import base64
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.man_in_the_middle import Forward, Lie, ManInTheMiddle, man_in_the_middle
from tests.e2e.story_processes import ProgramHome, running
from tests.simulators.light_chain import LightChain

pytestmark = pytest.mark.e2e

ANY_PORT = "127.0.0.1:0"
RECORD = "/store/register/key"


@dataclass
class Scene:
    """A network, one who lies in front of it, and homes whose nodes it knows."""

    man: ManInTheMiddle
    honest: str
    alice: ProgramHome
    bob: ProgramHome
    carol: ProgramHome
    dave: ProgramHome
    """With evidence, not registered."""

    def node_id(self, home: ProgramHome) -> str:
        return str(home.ok("enclave", "keygen")["node_id"])

    def make_blocks(self) -> None:
        """A transaction in one, and one or more behind it."""
        self.alice.ok("tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", self.honest)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with ExitStack() as open_things:
        service = open_things.enter_context(
            running(ProgramHome(folder / "intel"), "ias", "serve", "--listen", ANY_PORT)
        )
        intel = str(service.wait_for("listening")["url"])
        alice = ProgramHome(folder / "alice")
        alice.ok("init", "alice", "--simulated", "--chain-id", "lies-1", "--ias-root", intel)
        alice.ok("genesis", "add-account", alice.account("alice"), "1000000000uscrt")
        node = open_things.enter_context(
            running(
                alice, "start", "--bootstrap", "--url", intel, "--rpc-listen", ANY_PORT,
                "--block-interval", "0.1",
            )
        )  # fmt: skip
        url = str(node.wait_for("listening")["rpc"])
        homes = [ProgramHome(folder / name) for name in ("bob", "carol", "dave")]
        for home in homes:
            home.ok("init", home.path.name, "--genesis", str(alice.path / "config/genesis.json"))
            address = home.account(home.path.name)
            alice.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y", "--node", url)
            home.ok("enclave", "keygen")
            home.ok("attest", "fetch", "--url", intel)
            home.ok("config", "set", "chain.timeout_s", "3")
        for home in homes[:2]:
            evidence = str(home.path / "attestation_cert.der")
            home.ok("tx", "register", "auth", evidence, "-y", "--node", url)
        man = open_things.enter_context(man_in_the_middle(url))
        yield Scene(man, url, alice, *homes)


# --- lies --------------------------------------------------------------------------------------


def of_query(change: Any, path: str = RECORD) -> Lie:
    """Change the application's answers for one store."""

    def lie(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        answer = forward(call)
        if call["method"] == "abci_query" and call["params"]["path"] == path:
            change(answer["result"]["response"])
        return answer

    return lie


def of_commit(change: Any) -> Lie:
    """Change every header and commit."""

    def lie(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        answer = forward(call)
        if call["method"] == "commit" and "result" in answer:
            change(answer["result"]["signed_header"])
        return answer

    return lie


def flip(text: str, at: int = 60) -> str:
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(data).decode()


def altered_seed(response: dict[str, Any]) -> None:
    response["value"] = flip(response["value"])


def no_proof(response: dict[str, Any]) -> None:
    response["proofOps"] = None


def altered_proof(response: dict[str, Any]) -> None:
    response["proofOps"]["ops"][0]["data"] = flip(response["proofOps"]["ops"][0]["data"], -1)


def height_of_the_far_future(response: dict[str, Any]) -> None:
    response["height"] = "1000000000"


def height_of_the_beginning(response: dict[str, Any]) -> None:
    response["height"] = "1"


def altered_app_hash(signed: dict[str, Any]) -> None:
    signed["header"]["app_hash"] = "00" * 32


def altered_chain(signed: dict[str, Any]) -> None:
    signed["header"]["chain_id"] = "lies-2"


def altered_signature(signed: dict[str, Any]) -> None:
    place = signed["commit"]["signatures"][0]
    place["signature"] = flip(place["signature"], 5)


def forged_by_another_validator(signed: dict[str, Any]) -> None:
    """A header of the liar's own, properly signed by the liar."""
    from enigmacli.chain.rpc_json import to_json  # noqa: PLC0415 -- beside its only use

    chain = LightChain.of({1: 10}, chain_id=signed["header"]["chain_id"])
    height = int(signed["header"]["height"])
    chain.initial_height = height
    signed.update(to_json(chain.make_block(bytes(32)))["signed_header"])


LIES = {
    "altered seed": (of_query(altered_seed), "another value"),
    "no proof": (of_query(no_proof), "2 operators"),
    "altered proof": (of_query(altered_proof), "^store proof"),
    "height of the far future": (of_query(height_of_the_far_future), "its newest header is"),
    "height of the beginning": (of_query(height_of_the_beginning), "too old"),
    "altered app hash": (of_commit(altered_app_hash), "commit is not of header"),
    "altered chain": (of_commit(altered_chain), "of chain 'lies-2'"),
    "altered signature": (of_commit(altered_signature), "power"),
    "forged header": (of_commit(forged_by_another_validator), "validators|trusted|older"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_named_and_no_seed_is_installed(scene: Scene, name: str) -> None:
    lie, why = LIES[name]
    scene.make_blocks()
    with scene.man.lying(lie):
        code, error = scene.bob.error("seed", "unseal", "--node", scene.man.url)

    assert (code, error["code"]) == (5, "untrusted-answer")
    assert re.search(why, error["message"])
    assert scene.bob.ok("seed", "status")["seeds"] == 0


def test_a_query_does_not_print_an_altered_seed(scene: Scene) -> None:
    ask = ("query", "register", "seed", scene.node_id(scene.bob), "--node", scene.man.url)
    with scene.man.lying(of_query(altered_seed)):
        told = scene.bob(*ask)

    assert (told.returncode, told.stdout) == (5, "")


def test_the_record_of_another_node_is_refused(scene: Scene) -> None:
    """Mixed answers: carol's record, with its true proof, for bob's key and for dave's."""
    carols = (b"\x01" + bytes.fromhex(scene.node_id(scene.carol))).hex()

    def lie(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        if call["method"] != "abci_query" or call["params"]["path"] != RECORD:
            return forward(call)
        asked = base64.b64encode(bytes.fromhex(call["params"]["data"])).decode()
        answer = forward(call | {"params": call["params"] | {"data": carols}})
        answer["result"]["response"]["key"] = asked
        return answer

    evidence = str(scene.dave.path / "attestation_cert.der")
    with scene.man.lying(lie):
        unsealed = scene.bob.error("seed", "unseal", "--node", scene.man.url)
        waited = scene.bob.error("seed", "wait", "--node", scene.man.url)
        registered = scene.dave.error(
            "tx", "register", "auth", evidence, "-y", "--node", scene.man.url
        )

    for code, error in (unsealed, waited, registered):
        assert (code, error["code"]) == (5, "untrusted-answer")
        assert "another key" in error["message"]
    assert scene.bob.ok("seed", "status")["seeds"] == 0


def test_a_false_balance_is_found_out_before_a_fee(scene: Scene) -> None:
    def poor(response: dict[str, Any]) -> None:
        response["value"] = base64.b64encode(b"1").decode()

    with scene.man.lying(of_query(poor, "/store/bank/key")):
        code, error = scene.alice.error(
            "tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", scene.man.url
        )

    assert (code, error["code"]) == (5, "untrusted-answer")


def test_replayed_answers_are_found_out(scene: Scene) -> None:
    """All answers of an earlier time, once the home has verified a later header."""
    tape: dict[str, dict[str, Any]] = {}

    def key(call: dict[str, Any]) -> str:
        return str((call["method"], sorted(call["params"].items())))

    def record(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        tape[key(call)] = forward(call)
        return tape[key(call)]

    def replay(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        return tape.get(key(call), forward(call)) | {"id": call["id"]}

    def replay_the_application(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        return (replay if call["method"] == "abci_query" else lambda c, f: f(c))(call, forward)

    ask = ("query", "register", "seed", scene.node_id(scene.bob), "--node", scene.man.url)
    with scene.man.lying(record):
        scene.bob.ok(*ask)
    for _ in range(2):
        scene.make_blocks()
    with scene.man.lying(replay_the_application):
        mixed = scene.bob.error(*ask)
    scene.bob.ok(*ask)
    with scene.man.lying(replay):
        whole = scene.bob.error(*ask)

    assert (mixed[0], whole[0]) == (5, 5)
    assert "too old" in mixed[1]["message"]
    assert "was verified before" in whole[1]["message"]


def test_delayed_answers_install_nothing(scene: Scene) -> None:
    def delay(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
        if call["method"] == "commit":
            time.sleep(5)
        return forward(call)

    with scene.man.lying(delay):
        code, error = scene.bob.error("seed", "unseal", "--node", scene.man.url)

    assert (code, error["code"]) == (4, "service-unavailable")
    assert scene.bob.ok("seed", "status")["seeds"] == 0


def test_once_nobody_lies_the_seed_is_installed(scene: Scene) -> None:
    installed = scene.carol.ok("seed", "unseal", "--node", scene.man.url)

    assert installed["verified"]["height"] > 1
    assert scene.carol.ok("seed", "status")["matches_genesis"] is True
