"""CometBFT's home as it is written from ours, and what is never written twice."""

import json
import tomllib
from pathlib import Path

import pytest

from enigmacli.config_sections import P2pSection
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore, StoredBlock
from enigmacli.engine.cometbft_home import (
    Addresses,
    CometbftSettings,
    refuse_embedded_chain,
    write_home,
)
from enigmacli.engine.settings import NodeSettings
from enigmacli.errors import ConfigError, StorageError
from tests.enigmacli.engine.chain_kit import make_key

ADDRESSES = Addresses("127.0.0.1:1001", "127.0.0.1:1002")


def make_settings(folder: Path, moniker: str = "alpha") -> NodeSettings:
    key = make_key("home")
    (folder / "genesis.json").write_text("{}")
    (folder / "validator.json").write_bytes(key.encode_validator_key())
    (folder / "node.json").write_bytes(key.encode_node_key())
    return NodeSettings(
        genesis_file=folder / "genesis.json", data_dir=folder / "data",
        enclave_dir=folder / "enclave", priv_validator_key_file=folder / "validator.json",
        node_key_file=folder / "node.json", moniker=moniker, block_interval_s=0.25,
    )  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_new_home_is_complete_and_nobody_elses(tmp_path: Path) -> None:
    folder, settings = tmp_path / "cometbft", make_settings(tmp_path)
    own = CometbftSettings(folder)

    write_home(own, settings, ADDRESSES)

    made = files(folder)
    assert sorted(made) == [
        "config/config.toml", "config/genesis.json", "config/node_key.json",
        "config/priv_validator_key.json", "data/priv_validator_state.json",
    ]  # fmt: skip
    assert made["config/priv_validator_key.json"] == settings.priv_validator_key_file.read_bytes()
    assert json.loads(made["data/priv_validator_state.json"])["height"] == "0"
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))


@pytest.mark.parametrize("moniker", ["alpha", 'quo"te\\', "günther 🦊"])
def test_the_configuration_says_what_ours_says(tmp_path: Path, moniker: str) -> None:
    folder = tmp_path / "cometbft"
    write_home(CometbftSettings(folder), make_settings(tmp_path, moniker), ADDRESSES)

    written = tomllib.loads((folder / "config" / "config.toml").read_text())

    assert written["moniker"] == moniker
    assert written["proxy_app"] == "unix://abci.sock"
    assert written["rpc"]["laddr"] == "tcp://127.0.0.1:1001"
    assert written["p2p"]["laddr"] == "tcp://127.0.0.1:1002"
    assert written["consensus"]["timeout_commit"] == "250ms"
    assert written["consensus"]["create_empty_blocks_interval"] == "5000ms"


def test_the_configuration_names_the_peers(tmp_path: Path) -> None:
    peer = f"{'ab' * 20}@127.0.0.1:1003"
    p2p = P2pSection(
        external_address="node.example:26656", persistent_peers=f"{peer}, {peer}", seeds=peer,
        private_peers="cd" * 20, pex=False, one_machine=True,
    )  # fmt: skip
    own = CometbftSettings(tmp_path / "cometbft", p2p=p2p, log_level="info", timeout_propose_s=0.5)
    write_home(own, make_settings(tmp_path), ADDRESSES)

    written = tomllib.loads((own.folder / "config" / "config.toml").read_text())

    assert written["log_level"] == "info"
    assert written["consensus"]["timeout_propose"] == "500ms"
    assert written["p2p"] == {
        "laddr": "tcp://127.0.0.1:1002", "external_address": "node.example:26656",
        "persistent_peers": f"{peer},{peer}", "seeds": peer, "private_peer_ids": "cd" * 20,
        "pex": False, "addr_book_strict": False, "allow_duplicate_ip": True,
    }  # fmt: skip


def test_strangers_of_one_address_are_refused_unless_the_network_is_of_one_machine(
    tmp_path: Path,
) -> None:
    own = CometbftSettings(tmp_path / "cometbft")
    write_home(own, make_settings(tmp_path), ADDRESSES)

    written = tomllib.loads((own.folder / "config" / "config.toml").read_text())

    assert (written["p2p"]["addr_book_strict"], written["p2p"]["allow_duplicate_ip"]) == (
        True,
        False,
    )


def test_writing_again_leaves_the_sign_state_alone(tmp_path: Path) -> None:
    folder, settings = tmp_path / "cometbft", make_settings(tmp_path)
    own = CometbftSettings(folder)
    write_home(own, settings, ADDRESSES)
    state = folder / "data" / "priv_validator_state.json"
    state.write_text('{"height": "7", "round": 0, "step": 3}')

    write_home(own, settings, ADDRESSES)

    assert json.loads(state.read_text())["height"] == "7"


def test_another_key_is_never_taken(tmp_path: Path) -> None:
    folder, settings = tmp_path / "cometbft", make_settings(tmp_path)
    own = CometbftSettings(folder)
    write_home(own, settings, ADDRESSES)
    before = files(folder)
    settings.priv_validator_key_file.write_bytes(make_key("other").encode_validator_key())

    with pytest.raises(ConfigError, match="another key"):
        write_home(own, settings, ADDRESSES)

    assert files(folder) == before


def test_genesis_may_change_until_there_are_blocks(tmp_path: Path) -> None:
    folder, settings = tmp_path / "cometbft", make_settings(tmp_path)
    own = CometbftSettings(folder)
    write_home(own, settings, ADDRESSES)
    settings.genesis_file.write_text('{"later": true}')
    write_home(own, settings, ADDRESSES)
    (folder / "data" / "blockstore.db").mkdir()
    settings.genesis_file.write_text('{"too late": true}')

    with pytest.raises(ConfigError, match="genesis changed"):
        write_home(own, settings, ADDRESSES)

    assert "later" in (folder / "config" / "genesis.json").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cometbft").write_text("a file")

    with pytest.raises(StorageError, match="cometbft"):
        write_home(CometbftSettings(tmp_path / "cometbft"), make_settings(tmp_path), ADDRESSES)


def test_a_home_with_blocks_of_the_embedded_engine_is_refused(tmp_path: Path) -> None:
    refuse_embedded_chain(tmp_path)
    store = BlockStore(tmp_path / BLOCKS_FILE)
    refuse_embedded_chain(tmp_path)
    store.save_genesis(1, b"", [], b"")
    store.save_block(StoredBlock(1, b"h" * 32, 1, b"p" * 32, b"block", b"commit"))
    store.close()

    with pytest.raises(ConfigError, match="1 blocks") as refused:
        refuse_embedded_chain(tmp_path)

    assert "--engine embedded" in refused.value.hint
