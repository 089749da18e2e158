"""^C and SIGPIPE at random but seeded moments of long commands, with real processes.

`make interrupts` does the same many more times.
"""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.interrupting import INTERRUPT, MANNERS, interrupt
from tests.faults.killed_commands import HomeCase, Workshop, workshop
from tests.faults.killed_network import Network, network
from tests.faults.killed_story import NAME, Story
from tests.faults.killing import Case, Pace

pytestmark = pytest.mark.e2e

SEED = int(os.environ.get("ENIGMA_KILLS_SEED", "20261123"))
STORY_S = 5.0
COMMAND_S = 0.9
COMMANDS = ("attest fetch", "start --bootstrap", "tx register auth", "seed wait")


def draw(number: int) -> random.Random:
    """A generator whose seed is shown where its test fails."""
    sys.stdout.write(f"ENIGMA_KILLS_SEED={SEED}, interruption {number}\n")
    return random.Random(f"{SEED}/interruption/{number}")  # noqa: S311 -- to be replayed


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with workshop(tmp_path_factory.mktemp("workshop")) as made:
        yield made


@pytest.fixture(scope="module")
def chain(shop: Workshop) -> Iterator[Network]:
    with network(shop) as made:
        yield made


def test_a_story_that_was_interrupted_completes(tmp_path: Path) -> None:
    done = interrupt(NAME, Story(tmp_path / "kept").trial(), Pace(STORY_S), draw(0), INTERRUPT)

    assert done.faults == ()


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupted_command_completes_when_it_is_run_again(
    shop: Workshop, chain: Network, name: str, manner: str
) -> None:
    (case,) = (one for one in (*shop.cases(), *chain.cases()) if one.name == name)
    generator = draw(100 + 10 * COMMANDS.index(name) + MANNERS.index(manner))

    done = interrupt(name, case.lay_out(generator), Pace(COMMAND_S), generator, manner)

    assert done.faults == ()


def serving(shop: Workshop) -> tuple[Case, ...]:
    any_port = ("serve", "--listen", "127.0.0.1:0")
    return tuple(
        shop.case(HomeCase(f"{name} serve", "made", (name, *any_port), ready="listening"))
        for name in ("ias", "pccs")
    )


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("number", [0, 1], ids=["ias serve", "pccs serve"])
def test_an_interrupted_service_serves_again(shop: Workshop, number: int, manner: str) -> None:
    case = serving(shop)[number]
    generator = draw(200 + 10 * number + MANNERS.index(manner))

    done = interrupt(case.name, case.lay_out(generator), Pace(COMMAND_S), generator, manner)

    assert done.faults == ()
