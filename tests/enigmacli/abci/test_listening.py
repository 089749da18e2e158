"""Where an ABCI server listens, and what it never takes away from others."""

import socket
from pathlib import Path

import pytest

from enigmacli.abci.listening import is_open_to_others, listen_at, listen_in
from enigmacli.errors import PortBusyError, StorageError


def test_a_folder_of_any_length_holds_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()

    with listen_in(folder, "abci.sock"):
        assert (folder / "abci.sock").is_socket()


def test_a_socket_whose_server_is_gone_is_replaced(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/abci.sock"
    listen_at(address).close()

    with listen_at(address), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "abci.sock"))


def test_a_socket_whose_server_lives_is_left_alone(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/abci.sock"

    with listen_at(address), pytest.raises(PortBusyError, match="another process listens"):
        listen_at(address)


def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "abci.sock"
    file.write_text("dear")

    with pytest.raises(StorageError, match="a file is in its place"):
        listen_at(f"unix://{file}")

    assert file.read_text() == "dear"


@pytest.mark.parametrize("path", ["/none/abci.sock", "/" + "a" * 107])
def test_a_path_that_cannot_be_is_named(path: str) -> None:
    with pytest.raises(StorageError, match="socket"):
        listen_at(f"unix://{path}")


def test_an_address_that_is_not_this_machines_is_named() -> None:
    with pytest.raises(PortBusyError, match=r"tcp://no-such-host\.invalid:26658"):
        listen_at("tcp://no-such-host.invalid:26658")


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("unix:///run/abci.sock", False),
        ("tcp://127.0.0.1:26658", False),
        ("tcp://[::1]:26658", False),
        ("tcp://localhost:26658", False),
        ("tcp://0.0.0.0:26658", True),
        ("tcp://10.0.0.7:26658", True),
        ("tcp://[::]:26658", True),
        ("tcp://node.example:26658", True),
    ],
)
def test_an_address_that_others_may_reach_is_known(address: str, is_open: bool) -> None:  # noqa: FBT001 -- a table's column
    assert is_open_to_others(address) is is_open
