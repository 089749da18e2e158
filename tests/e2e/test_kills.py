"""kill -9 at random but seeded moments, and a disk that fills up, with real processes.

`make kills` does the same many more times; see docs/faults.md.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.story_processes import ProgramHome, running
from tests.faults.killed_commands import Workshop, workshop
from tests.faults.killed_story import NAME, Story
from tests.faults.killing import Pace, strike

pytestmark = pytest.mark.e2e

SEED = int(os.environ.get("ENIGMA_KILLS_SEED", "20261123"))
STORY_S = 6.0
COMMAND_S = 0.8
COMMANDS = (
    "init", "keys add --mnemonic-file", "config set", "genesis add-account", "bootstrap",
    "enclave keygen", "enclave restore", "attest fetch", "start --bootstrap",
)  # fmt: skip
ANY_PORT = "127.0.0.1:0"
_LIMITED = (
    "import resource, sys; limit = int(sys.argv.pop(1));"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "from enigmacli.__main__ import main; main()"
)


def draw(number: int) -> random.Random:
    """A generator whose seed is shown where its test fails."""
    sys.stdout.write(f"ENIGMA_KILLS_SEED={SEED}, kill {number}\n")
    return random.Random(f"{SEED}/{number}")  # noqa: S311 -- to be replayed


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with workshop(tmp_path_factory.mktemp("workshop")) as made:
        yield made


def test_a_story_killed_twice_completes_with_one_seed_and_one_registration(tmp_path: Path) -> None:
    story = Story(tmp_path / "kept")

    for number in range(2):
        done = strike(NAME, story.trial(), Pace(STORY_S), draw(number))
        assert done.faults == ()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_completes_when_it_is_run_again(shop: Workshop, name: str) -> None:
    (case,) = (one for one in shop.cases() if one.name == name)
    generator = draw(100 + COMMANDS.index(name))

    done = strike(name, case.lay_out(generator), Pace(COMMAND_S), generator)

    assert done.faults == ()


def test_a_node_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    shop: Workshop, tmp_path: Path
) -> None:
    home = ProgramHome(tmp_path / "home")
    shutil.copytree(shop.folder / "whole", home.path)
    start = ("start", "--rpc-listen", ANY_PORT, "--empty-blocks-interval", "0.01")

    full = subprocess.run(
        (sys.executable, "-c", _LIMITED, "120000", "--home", str(home.path), *start, "-o", "json"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert full.returncode == 3
    error = json.loads(full.stderr.splitlines()[-1])["error"]
    assert error["code"] == "storage"
    assert "bug" not in full.stderr
    heights = [json.loads(line).get("height", 0) for line in full.stdout.splitlines()]
    with running(home, *start) as node:
        ready = node.wait_for("chain_ready")
        assert ready["height"] >= max(heights)
        node.wait_for("block", height=ready["height"] + 1)


def test_a_second_node_on_the_same_home_is_refused_and_the_first_goes_on(
    shop: Workshop, tmp_path: Path
) -> None:
    home = ProgramHome(tmp_path / "home")
    shutil.copytree(shop.folder / "whole", home.path)
    with running(home, "start", "--rpc-listen", ANY_PORT, "--empty-blocks-interval", "0.1") as node:
        node.wait_for("listening")

        code, error = home.error("start", "--rpc-listen", ANY_PORT)

        assert (code, error["code"]) == (3, "home-busy")
        assert error["details"]["pid"] == node.process.pid
        height = node.events()[-1].get("height", 1)
        node.wait_for("block", height=height + 1)
