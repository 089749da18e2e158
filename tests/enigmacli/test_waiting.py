"""Waiting for a home or a node, with a world that changes at every look."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enclave.errors import EnclaveUnavailableError, SealedElsewhereError
from enigmacli.errors import (
    ConfigError,
    HomeMissingError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from enigmacli.home import Home
from enigmacli.standing import State, Verified
from enigmacli.waiting import Goal, Wait

KEYED = SimpleNamespace(
    backend="simulation", measurement=bytes(32), network_id=bytes(32), node_id=b"n" * 32, seeds=0
)
SEEDED = SimpleNamespace(**vars(KEYED) | {"seeds": 1})


@dataclass
class World:
    """A home whose enclave and node answer one thing after the other, the last for ever."""

    home: Path
    enclave: list[Any] = field(default_factory=lambda: [KEYED])
    heights: list[int | Exception] = field(default_factory=list)
    sent: bytes | None = None
    network: str = "net-1"
    node_url: str = "http://node"

    def owner_pid(self) -> int | None:
        return None

    def begin(self) -> None:
        """Nothing has to be started."""

    def held(self) -> Any:
        answer = self.enclave.pop(0) if len(self.enclave) > 1 else self.enclave[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def node(self) -> Any:
        if not self.heights:
            raise ServiceUnavailableError("nobody is there")
        answer = self.heights.pop(0) if len(self.heights) > 1 else self.heights[0]
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(
            node_id="", network=self.network, moniker="m", latest_block_height=answer,
            latest_app_hash=b"", catching_up=False, voting_power=0,
        )  # fmt: skip

    def registration(self, node_id: bytes) -> Verified | None:
        raise ServiceUnavailableError(f"nobody knows {node_id!r}")

    def peer_id(self) -> str:
        return "p"

    def evidence_for(self, node_id: bytes) -> Path | None:
        del node_id
        return None

    def sent_for(self, node_id: bytes) -> bytes | None:
        del node_id
        return self.sent


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def world(tmp_path: Path) -> World:
    home = Home.create(tmp_path / "home")
    home.config_file.touch()
    home.genesis_file.write_text(
        '{"chain_id": "net-1", "app_state": {"register": {"params": {"simulation": true}}}}'
    )
    return World(home.path)


def run(world: World, goal: str, timeout_s: float = 10.0, **options: Any) -> Any:
    refusal = options.get("refusal", lambda _: None)
    wait = Wait(Goal.parse(goal), world, refusal)
    return wait.run(options.get("clock", Clock()), timeout_s, options.get("told", lambda _: None))


def test_a_state_beyond_the_wanted_one_is_enough(world: World) -> None:
    world.enclave = [SEEDED]

    assert run(world, "registered") == {"state": "seeded"}


def test_a_state_that_comes_later_is_waited_for(world: World) -> None:
    world.enclave = [KEYED, KEYED, SEEDED]
    told: list[str] = []

    assert run(world, "seeded", told=told.append) == {"state": "seeded"}
    assert told == ["the home is keyed, no node answers"] * 2


def test_an_enclave_that_is_away_is_asked_again(world: World) -> None:
    world.enclave = [EnclaveUnavailableError("starting"), KEYED]

    assert run(world, "keyed") == {"state": "keyed"}


def test_a_sealed_file_that_never_opens_is_said_at_once(world: World) -> None:
    world.enclave = [SealedElsewhereError("made elsewhere")]
    clock = Clock()

    with pytest.raises(SealedElsewhereError):
        run(world, "keyed", clock=clock)

    assert clock.now == 0


def test_without_a_home_no_state_can_ever_come(tmp_path: Path) -> None:
    clock = Clock()

    with pytest.raises(HomeMissingError):
        run(World(tmp_path / "none"), "seeded", clock=clock)

    assert clock.now == 0


def test_a_refused_registration_is_said_at_once(world: World) -> None:
    world.sent, world.heights = b"hash", [4]
    refused = TxRejectedError("register 3")

    with pytest.raises(TxRejectedError, match="register 3"):
        run(world, "registered", refusal=lambda _: refused)


def test_a_refused_registration_matters_to_no_earlier_state(world: World) -> None:
    world.sent, world.heights = b"hash", [4]

    assert run(world, "sent", refusal=lambda _: TxRejectedError("no")) == {"state": "sent"}


def test_a_node_of_another_network_can_never_register_this_home(world: World) -> None:
    world.heights, world.network = [4], "net-2"

    with pytest.raises(ConfigError, match="another network, net-2"):
        run(world, "registered")


def test_a_height_is_waited_for_through_an_absence_of_the_node(world: World) -> None:
    world.heights = [1, ServiceUnavailableError("gone"), 4, 5]

    assert run(world, "height:5") == {"height": 5}


def test_any_answer_of_a_node_is_one(world: World) -> None:
    world.heights = [ServiceUnavailableError("not yet"), 0]

    assert run(world, "node") == {"height": 0}


def test_what_was_seen_last_is_in_the_time_out(world: World) -> None:
    world.heights = [3]
    clock = Clock()

    with pytest.raises(WaitTimeoutError, match="not height:9 after 5 s: height 3") as caught:
        run(world, "height:9", 5.0, clock=clock)

    assert caught.value.details == {"for": "height:9", "seen": "height 3", "timeout_s": 5.0}
    assert clock.now == pytest.approx(5.0)


def test_the_hint_is_the_next_command(world: World) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        run(world, "seeded")

    assert caught.value.hint == "enigmacli attest fetch"


@pytest.mark.parametrize("text", ["", "height", "height:", "height:0", "height:-1", "ready"])
def test_what_is_no_goal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Goal.parse(text)


@pytest.mark.parametrize("text", ["node", "height:12", "synced"])
def test_a_goal_is_written_as_it_is_read(text: str) -> None:
    assert str(Goal.parse(text)) == text


def test_every_state_is_a_goal() -> None:
    assert [Goal.parse(state.value).state for state in State] == list(State)
