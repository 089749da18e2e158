"""How other nodes and sockets are named in the configuration."""

import pytest

from enigmacli import config_rules as rules
from enigmacli.config import KEYS, Origin
from enigmacli.errors import ConfigError

ID = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "value", ["", f"{ID}@127.0.0.1:26656", f"{ID}@a.example:1, {ID}@[::1]:65535"]
)
def test_peers_are_ids_with_addresses(value: str) -> None:
    assert rules.peers(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        ID, f"{ID}@", f"{ID}@host", f"{ID}@host:0", f"{ID}@host:65536", f"{ID.upper()}@host:1",
        f"{ID[1:]}@host:1", f"{ID}@host:1,", f",{ID}@host:1", f"{ID}@host:1;{ID}@host:1",
        f"{ID}@tcp://host:1", f"@{ID}@host:1", "host:1",
    ],
)  # fmt: skip
def test_anything_else_is_no_list_of_peers(value: str) -> None:
    assert "ID@HOST:PORT" in rules.peers(value)


@pytest.mark.parametrize(("value", "right"), [("", True), (ID, True), (f"{ID}, {ID}", True),
    (f"{ID},", False), (f"{ID}@host:1", False)])  # fmt: skip
def test_private_peers_are_ids(value: str, right: bool) -> None:  # noqa: FBT001 -- a table's column
    assert (rules.peer_ids(value) == "") is right


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("unix:///run/abci.sock", True), ("tcp://127.0.0.1:26658", True), ("tcp://[::1]:1", True),
        ("unix://abci.sock", False), ("tcp://127.0.0.1:0", False), ("tcp://127.0.0.1", False),
        ("http://127.0.0.1:1", False), ("/run/abci.sock", False),
    ],
)  # fmt: skip
def test_a_socket_is_named_as_cometbft_names_it(value: str, right: bool) -> None:  # noqa: FBT001 -- a table's column
    assert (rules.socket_address(value) == "") is right


def test_a_wrong_peer_is_refused_with_what_is_wanted() -> None:
    with pytest.raises(ConfigError, match=r"p2p\.seeds .* must be ID@HOST:PORT"):
        KEYS["p2p.seeds"].read("host:1", Origin("flag"))
