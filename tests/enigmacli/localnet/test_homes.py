"""What a network writes into its homes' configuration, and what it leaves alone."""

from pathlib import Path

import pytest

from enigmacli.config import load
from enigmacli.config_file import with_value
from enigmacli.initialise import initialise
from enigmacli.localnet.folder import Member, Network
from enigmacli.localnet.homes import configure, configure_guest, node_key_id

FIRST = Member("node1", "127.0.0.1:1001", "127.0.0.1:1002")
SECOND = Member("node2", "127.0.0.1:2001", "127.0.0.1:2002")
THIRD = Member("node3", "127.0.0.1:3001", "127.0.0.1:3002")


def made(folder: Path, engine: str, *members: Member) -> Network:
    network = Network(
        folder, "net-1", engine, "/bin/cometbft", 0.25, "127.0.0.1:9", "127.0.0.1:8", members
    )
    for member in members:
        initialise(network.home(member).path, None, {})
    return network


def test_on_cometbft_every_node_dials_every_other(tmp_path: Path) -> None:
    network = made(tmp_path, "cometbft", FIRST, SECOND, THIRD)

    configure(network, SECOND)

    config = load(network.home(SECOND).path, {}, {})
    ids = {one: node_key_id(network.home(one)) for one in network.members}
    assert config.p2p.persistent_peers == (
        f"{ids[FIRST]}@127.0.0.1:1002,{ids[THIRD]}@127.0.0.1:3002"
    )
    assert (config.p2p.listen, config.rpc.listen) == (SECOND.p2p, SECOND.rpc)
    assert (config.p2p.one_machine, config.p2p.pex) == (True, False)
    assert config.node.block_interval_s == 0.25
    assert config.cometbft.path == "/bin/cometbft"
    assert config.account.keyring_backend == "test"


def test_on_the_embedded_engine_all_follow_the_first(tmp_path: Path) -> None:
    network = made(tmp_path, "embedded", FIRST, SECOND)

    for member in network.members:
        configure(network, member)

    follows = [load(network.home(one).path, {}, {}).node.follow for one in network.members]
    assert follows == ["", "http://127.0.0.1:1001"]


def test_a_peers_address_set_by_hand_stays(tmp_path: Path) -> None:
    network = made(tmp_path, "cometbft", FIRST, SECOND, THIRD)
    file = network.home(FIRST).config_file
    by_hand = f"{node_key_id(network.home(SECOND))}@127.0.0.1:7777"
    data, _ = with_value(file.read_bytes(), "p2p.persistent_peers", by_hand)
    file.write_bytes(data)

    configure(network, FIRST)

    added = f"{node_key_id(network.home(THIRD))}@127.0.0.1:3002"
    assert load(file.parent, {}, {}).p2p.persistent_peers == f"{by_hand},{added}"


@pytest.mark.parametrize("engine", ["embedded", "cometbft"])
def test_configuring_again_changes_nothing(tmp_path: Path, engine: str) -> None:
    network = made(tmp_path, engine, FIRST, SECOND)
    configure(network, SECOND)
    before = network.home(SECOND).config_file.stat().st_ino

    configure(network, SECOND)

    assert network.home(SECOND).config_file.stat().st_ino == before  # else it was replaced


def test_a_guest_is_told_of_the_network_and_keeps_what_it_was_told_before(tmp_path: Path) -> None:
    network = made(tmp_path / "net", "embedded", FIRST)
    home = initialise(tmp_path / "guest", None, {"chain.node": "http://127.0.0.1:7"}).home

    configure_guest(network, home)

    config = load(home.path, {}, {})
    assert config.chain.node == "http://127.0.0.1:7"
    assert config.chain.faucet == "http://127.0.0.1:8"
    assert config.attestation.ias_url == "http://127.0.0.1:9"
    assert config.node.follow == FIRST.url
    assert config.account.keyring_backend == "test"
