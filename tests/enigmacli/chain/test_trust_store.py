from pathlib import Path

import pytest

from enigmacli.chain.trust_store import LightBlock, TrustStore
from enigmacli.errors import TrustStoreCorruptError
from tests.simulators.light_chain import CHAIN_ID, LightChain, voters

CHAIN = LightChain.of({0: 10, 1: 10, 2: 10}, 3)
BLOCK = LightBlock(CHAIN.blocks[3].header, CHAIN.blocks[3].commit, CHAIN.first)


def store(
    path: Path | None,
    *,
    chain_id: str = CHAIN_ID,
    genesis_hash: str = "aa",
    warnings: list[str] | None = None,
) -> TrustStore:
    said: list[str] = [] if warnings is None else warnings
    return TrustStore(path, chain_id, genesis_hash, said.append)


def test_a_verified_header_is_remembered(tmp_path: Path) -> None:
    file = tmp_path / "light.json"
    store(file).save(BLOCK)

    assert store(file).load() == BLOCK
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_remembered_without_a_file(tmp_path: Path) -> None:
    store(None).save(BLOCK)

    assert store(None).load() is None
    assert store(tmp_path / "light.json").load() is None


@pytest.mark.parametrize("other", [{"chain_id": "light-2"}, {"genesis_hash": "bb"}])
def test_what_was_verified_from_another_genesis_is_left_out(
    tmp_path: Path, other: dict[str, str]
) -> None:
    file, warnings = tmp_path / "light.json", list[str]()
    store(file).save(BLOCK)

    assert store(file, warnings=warnings, **other).load() is None
    assert "of another genesis document" in warnings[0]


def test_a_file_cut_anywhere_is_named(tmp_path: Path) -> None:
    file = tmp_path / "light.json"
    store(file).save(BLOCK)
    whole = file.read_bytes()

    for size in range(0, len(whole), 97):
        file.write_bytes(whole[:size])
        with pytest.raises(TrustStoreCorruptError, match="are damaged") as caught:
            store(file).load()
        assert str(file) in caught.value.hint


def test_a_file_with_any_changed_byte_gives_the_same_header_or_is_refused(tmp_path: Path) -> None:
    file, warnings = tmp_path / "light.json", list[str]()
    store(file).save(BLOCK)
    whole = file.read_bytes()

    for at in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[at] ^= 0x01
        file.write_bytes(changed)
        try:
            found = store(file, warnings=warnings).load()
        except TrustStoreCorruptError:
            continue
        assert found is None or (found.header, found.validators) == (BLOCK.header, CHAIN.first)


def test_validators_that_did_not_vote_for_the_header_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "light.json"
    store(file).save(LightBlock(BLOCK.header, BLOCK.commit, voters({7: 1})))

    with pytest.raises(TrustStoreCorruptError, match="do not belong together"):
        store(file).load()


def test_a_header_of_another_commit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "light.json"
    store(file).save(LightBlock(BLOCK.header, CHAIN.blocks[2].commit, CHAIN.first))

    with pytest.raises(TrustStoreCorruptError, match="header and commit do not belong together"):
        store(file).load()


def test_a_header_without_votes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "light.json"
    chain = LightChain.of({0: 10, 1: 10, 2: 10})
    alone = chain.make_block(by=set())
    store(file).save(LightBlock(alone.header, alone.commit, chain.first))

    with pytest.raises(TrustStoreCorruptError, match="more than 2/3"):
        store(file).load()


def test_a_folder_that_cannot_be_written_only_warns(tmp_path: Path) -> None:
    warnings: list[str] = []

    store(tmp_path / "none" / "light.json", warnings=warnings).save(BLOCK)

    assert "was not remembered" in warnings[0]
