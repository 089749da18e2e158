from pathlib import Path
from typing import Any

import pytest

from enigmacli.cli.peer.settings import NOT_KEPT


def shown(program: Any, key: str) -> str:
    return str(program("config", "show", key).out.strip())


def test_settings_made_before_init_are_those_of_the_home(program: Any) -> None:
    program.ok("config", "chain-id", "net-1")
    program.ok("config", "keyring-backend", "test")
    before = program("config", "chain-id").out

    program.ok("init", "alpha", "--chain-id", "net-1")

    assert before == program("config", "chain-id").out == "net-1\n"
    assert shown(program, "account.keyring_backend") == "test"
    assert shown(program, "node.moniker") == "alpha"
    assert not (program.home / "config" / "client.toml").exists()


def test_settings_of_a_home_are_in_its_one_file(program: Any) -> None:
    program.ok("init", "alpha")

    program.ok("config", "node", "tcp://127.0.0.1:5")
    program.ok("config", "set", "client", "broadcast-mode", "sync")

    assert shown(program, "chain.node") == "tcp://127.0.0.1:5"
    assert shown(program, "chain.broadcast_mode") == "sync"
    assert not (program.home / "config" / "client.toml").exists()


def test_a_wrong_value_is_refused_before_and_after_init(program: Any) -> None:
    before = program("config", "keyring-backend", "os", "-o", "json")
    program.ok("init", "alpha")
    after = program("config", "keyring-backend", "os", "-o", "json")

    assert (before.code, before.error) == (after.code, after.error)
    assert before.code == 3
    assert shown(program, "account.keyring_backend") == "file"


def test_a_broken_file_of_settings_stops_init(program: Any) -> None:
    program.ok("config", "chain-id", "net-1")
    (program.home / "config" / "client.toml").write_text("[chain\n")

    refused = program("init", "alpha", "-o", "json")

    assert refused.code == 3
    assert "client.toml is not TOML" in refused.error["message"]
    assert not (program.home / "config.toml").exists()


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_is_not_kept_is_said_and_stops_no_script(program: Any, name: str) -> None:
    said = program("config", name, "true")

    assert (said.code, said.out) == (0, "")
    assert f"{name} is not kept: {NOT_KEPT[name]}" in said.err
    assert not Path(program.home).exists()
