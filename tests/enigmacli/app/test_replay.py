"""The same blocks give the same state: again, elsewhere, with no enclave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from enigmacli.app.application import Application
from enigmacli.app.block import Block
from enigmacli.app.errors import RequestOrderError
from enigmacli.app.reasons import BootstrapNotJudged, Reason
from enigmacli.app.replay import replay
from enigmacli.app.state import StateStore
from tests.enigmacli.app.chain import ALICE, BOB, Chain
from tests.enigmacli.app.scenario import live

ROOT = Path(__file__).parents[3]


def blocks(chain: Chain) -> list[Block]:
    return [Block(*one) for one in chain.blocks]


def test_a_replay_without_any_enclave_gives_the_same_app_hashes() -> None:
    chain = live()
    reasons: list[Reason] = []

    again = list(replay(chain.genesis, blocks(chain), note=reasons.append))

    assert [one.app_hash for one in again] == chain.app_hashes
    assert [one.height for one in again] == [1, 2, 3, 4, 5, 6]
    assert reasons == [BootstrapNotJudged()]


def test_a_replay_gives_the_same_results() -> None:
    chain = live()

    again = replay(chain.genesis, blocks(chain), note=lambda _: None)

    for replayed, original in zip(again, chain.results, strict=True):
        assert [
            (one.code, one.data, one.gas_wanted, one.gas_used, one.codespace, one.log)
            for one in replayed.result.tx_results
        ] == [
            (one.code, one.data, one.gas_wanted, one.gas_used, one.codespace, one.log)
            for one in original.tx_results
        ]
        assert list(replayed.result.validator_updates) == [
            (one.pub_key.ed25519, one.power) for one in original.validator_updates
        ]


def test_a_replay_on_disk_leaves_the_same_state(tmp_path: Path) -> None:
    chain = live()
    store = StateStore(tmp_path / "state.db")

    for _ in replay(chain.genesis, blocks(chain), note=lambda _: None, store=store):
        pass

    assert store.snapshot() == chain.store.snapshot()


def test_a_replay_needs_every_block_from_the_first() -> None:
    chain = live()

    with pytest.raises(RequestOrderError, match="expected 1"):
        list(replay(chain.genesis, blocks(chain)[1:], note=lambda _: None))


def test_a_replay_needs_an_empty_state() -> None:
    chain = live()

    with pytest.raises(RequestOrderError, match="empty"):
        list(replay(chain.genesis, blocks(chain), note=lambda _: None, store=chain.store))


def test_a_restored_snapshot_goes_on_as_the_original_does() -> None:
    chain, restored = live(), Chain(live().genesis)

    restored.store.restore(chain.store.snapshot())
    restored.app = Application(restored.store, restored.enclave, restored.enclave)

    raw = restored.send(ALICE, BOB)
    assert restored.decide([raw]).app_hash == chain.decide([raw]).app_hash


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kolkata", "LANG": "C"},
        {"PYTHONHASHSEED": "4711", "TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8"},
    ],
    ids=["one", "another"],
)
def test_hash_seed_time_zone_language_and_folder_do_not_matter(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **surroundings}

    found = subprocess.run(
        [sys.executable, "-O", "-m", "tests.enigmacli.app.scenario"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    assert found.stdout.split() == [app_hash.hex() for app_hash in live().app_hashes]
