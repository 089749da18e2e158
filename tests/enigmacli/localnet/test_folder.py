"""What a network was made with, and what may be asked of it later."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from enigmacli.errors import ConfigError, HomeMissingError
from enigmacli.localnet.folder import DOCUMENT, Network, Wanted


def addresses() -> Callable[[int], list[str]]:
    """Gives addresses that nobody was given before."""
    ports = count(1001)
    return lambda wanted: [f"127.0.0.1:{next(ports)}" for _ in range(wanted)]


def test_a_network_is_written_down_and_read_again(tmp_path: Path) -> None:
    made = Network.made(tmp_path, Wanted(3, "embedded", "net-1", 0.25), addresses())

    assert Network.load(tmp_path) == made
    assert [one.name for one in made.members] == ["node1", "node2", "node3"]
    assert made.first == made.member("node1")
    given = [
        made.intel,
        made.faucet,
        *(one.rpc for one in made.members),
        *(one.p2p for one in made.members),
    ]
    assert len(set(given)) == 8


def test_what_is_not_asked_stays_as_it_was(tmp_path: Path) -> None:
    made = Network.made(tmp_path, Wanted(2, "embedded", "net-1", 0.25), addresses())

    assert Network.made(tmp_path, Wanted(), addresses()) == made


def test_a_network_grows_and_keeps_its_nodes(tmp_path: Path) -> None:
    find = addresses()
    made = Network.made(tmp_path, Wanted(2), find)

    grown = Network.made(tmp_path, Wanted(4), find)

    assert grown.members[:2] == made.members
    assert len(grown.members) == 4


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(1), "2 nodes already"),
        (Wanted(engine="cometbft"), "engine of the network"),
        (Wanted(chain_id="other"), "chain of the network"),
        (Wanted(block_interval_s=9.0), "block interval of the network"),
    ],
)
def test_another_network_in_the_same_folder_is_refused(
    tmp_path: Path, wanted: Wanted, words: str
) -> None:
    Network.made(tmp_path, Wanted(2), addresses())
    before = (tmp_path / DOCUMENT).read_bytes()

    with pytest.raises(ConfigError, match=words):
        Network.made(tmp_path, wanted, addresses())

    assert (tmp_path / DOCUMENT).read_bytes() == before


def test_without_a_cometbft_no_network_on_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no CometBFT") as refused:
        Network.made(tmp_path, Wanted(4, "cometbft", cometbft=str(tmp_path / "none")), addresses())

    assert "go install" in refused.value.hint
    assert not (tmp_path / DOCUMENT).exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nodes": 7}', '{"chain_id": "a"}'])
def test_a_damaged_document_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / DOCUMENT).write_text(text)

    with pytest.raises(ConfigError, match="describes no network"):
        Network.load(tmp_path)


def test_where_there_is_none_up_is_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(HomeMissingError) as missing:
        Network.load(tmp_path)

    assert missing.value.hint == "enigmacli localnet up"


def test_an_unknown_node_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no node3") as refused:
        Network.made(tmp_path, Wanted(2), addresses()).member("node3")

    assert refused.value.hint == "it has node1, node2"


def test_a_network_made_before_there_were_faucets_gets_one(tmp_path: Path) -> None:
    find = addresses()
    Network.made(tmp_path, Wanted(2), find)
    file = tmp_path / DOCUMENT
    document = json.loads(file.read_text())
    del document["faucet"]
    file.write_text(json.dumps(document))

    assert not Network.load(tmp_path).faucet
    again = Network.made(tmp_path, Wanted(), find)

    assert again.faucet not in (again.intel, *(one.rpc for one in again.members))
    assert Network.load(tmp_path).faucet == again.faucet
