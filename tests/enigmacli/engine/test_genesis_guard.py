"""The chain keeps its genesis document."""

from dataclasses import replace
from pathlib import Path

import pytest

from enigmacli.app.genesis import GenesisDocument, new_genesis
from enigmacli.engine.genesis_guard import GUARD_FILE, check_unchanged
from enigmacli.errors import GenesisError

GENESIS: GenesisDocument = new_genesis("guarded", 1_700_000_000_000_000)
EDITED = replace(GENESIS, genesis_time_us=GENESIS.genesis_time_us + 1_000_000)


def test_before_the_first_block_genesis_may_still_change(tmp_path: Path) -> None:
    check_unchanged(tmp_path, GENESIS, 0)
    check_unchanged(tmp_path, EDITED, 0)

    check_unchanged(tmp_path, EDITED, 1)


def test_after_the_first_block_an_edited_genesis_is_refused(tmp_path: Path) -> None:
    check_unchanged(tmp_path, GENESIS, 0)
    check_unchanged(tmp_path, GENESIS, 7)

    with pytest.raises(GenesisError, match="another genesis document") as refusal:
        check_unchanged(tmp_path, EDITED, 7)

    assert refusal.value.details["expected"] == (tmp_path / GUARD_FILE).read_text().strip()
    check_unchanged(tmp_path, GENESIS, 8)


def test_a_node_without_the_note_makes_it_from_the_genesis_it_has(tmp_path: Path) -> None:
    check_unchanged(tmp_path, GENESIS, 7)

    with pytest.raises(GenesisError):
        check_unchanged(tmp_path, EDITED, 8)
