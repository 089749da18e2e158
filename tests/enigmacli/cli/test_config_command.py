from pathlib import Path
from typing import Any

import pytest

from enigmacli.config import Config


def test_every_value_is_shown_without_a_home(program: Any) -> None:
    shown = program.ok("config", "show")

    flat = {f"{section}.{key}": value for section in shown for key, value in shown[section].items()}
    assert flat == dict(Config().values())


def test_the_origin_of_each_value_is_told(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program.ok("init", "alpha")
    monkeypatch.setenv("ENIGMA_RPC_LISTEN", "127.0.0.1:0")

    shown = program.ok("config", "show", "--origin")

    assert shown["node"]["moniker"] == {
        "value": "alpha", "origin": "file", "where": str(program.home / "config.toml"),
    }  # fmt: skip
    assert shown["rpc"]["listen"]["where"] == "ENIGMA_RPC_LISTEN"
    assert shown["api"]["listen"]["origin"] == "default"
    lines = program("config", "show", "--origin").out.splitlines()
    (line,) = [line for line in lines if line.startswith("rpc.listen")]
    assert line.split("#") == ['rpc.listen = "127.0.0.1:0"' + " " * (len(line.split("#")[0]) - 26),
                               " env ENIGMA_RPC_LISTEN"]  # fmt: skip


def test_one_value_is_shown_alone(program: Any) -> None:
    assert program("config", "show", "chain.gas").out == "auto\n"


def test_setting_is_visible_at_once_and_repeatable(program: Any) -> None:
    program.ok("init", "alpha")

    first = program.ok("config", "set", "chain.node", "http://127.0.0.1:5")
    second = program.ok("config", "set", "chain.node", "http://127.0.0.1:5")

    assert first == {"key": "chain.node", "value": "http://127.0.0.1:5", "changed": True}
    assert not second["changed"]
    assert program("config", "show", "chain.node").out == "http://127.0.0.1:5\n"


def test_a_dry_run_changes_nothing(program: Any) -> None:
    program.ok("init", "alpha")
    before = (program.home / "config.toml").read_bytes()

    program.ok("config", "set", "chain.gas", "5", "--dry-run")

    assert (program.home / "config.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["show", "chain.nod"], "did you mean 'chain.node'?"),
        (["set", "chain.nod", "x"], "did you mean 'chain.node'?"),
    ],
)
def test_a_mistyped_key_is_exit_3_with_the_nearest(
    program: Any, arguments: list[str], hint: str
) -> None:
    program.ok("init", "alpha")

    failed = program("config", *arguments, "-o", "json")

    assert failed.code == 3
    assert failed.error["hint"] == hint


def test_without_a_home_there_is_nothing_to_set(program: Any) -> None:
    failed = program("config", "set", "chain.gas", "5", "-o", "json")

    assert failed.code == 3
    assert failed.error["code"] == "home-missing"
    assert failed.error["hint"] == "enigmacli init MONIKER"


def test_a_good_configuration_passes_the_check(program: Any) -> None:
    program.ok("init", "alpha")

    assert program.ok("config", "check")["warnings"] == []


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("ENIGMA_CHAIN_NODES", ": did you mean 'ENIGMA_CHAIN_NODE'?"),
        ("ENIGMA_CHIAN_NODE", ": did you mean 'ENIGMA_CHAIN_NODE'?"),
        ("ENIGMA_NODE_PORT_26657_TCP", ""),
    ],
)
def test_a_mistyped_variable_is_warned_about_with_the_nearest(
    program: Any, monkeypatch: pytest.MonkeyPatch, command: str, mistyped: str, meant: str
) -> None:
    program.ok("init", "alpha")
    monkeypatch.setenv(mistyped, "x")

    told = program("config", command)

    assert told.code == 0
    assert told.err == f"enigmacli: warning: {mistyped} is not a configuration key{meant}\n"


def test_a_mistyped_variable_is_in_the_document_of_the_check(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.ok("init", "alpha")
    monkeypatch.setenv("ENIGMA_RPC_LISTN", "x")

    told = "ENIGMA_RPC_LISTN is not a configuration key: did you mean 'ENIGMA_RPC_LISTEN'?"
    assert program.ok("config", "check")["warnings"] == [told]


@pytest.mark.parametrize("content", [b"[chain\n", b"[chain]\nnodes = 1\n", b"\xff\xfe\x00" * 20])
def test_a_damaged_file_is_exit_3_for_every_command(program: Any, content: bytes) -> None:
    program.ok("init", "alpha")
    (program.home / "config.toml").write_bytes(content)

    for arguments in (["config", "check"], ["config", "show"], ["keys", "list"]):
        failed = program(*arguments)
        assert failed.code == 3
        assert failed.err.startswith("enigmacli: error: ")


def test_a_folder_without_trusted_package_is_found(program: Any, tmp_path: Path) -> None:
    program.ok("init", "alpha")
    program.ok("config", "set", "enclave.path", str(tmp_path))

    failed = program("config", "check")

    assert failed.code == 3
    assert "there is no trusted package in" in failed.err


def test_an_api_key_that_others_may_read_is_found(program: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o644)
    program.ok("init", "alpha")
    program.ok("config", "set", "attestation.ias_api_key_file", str(key))

    failed = program("config", "check")
    assert failed.code == 3
    assert f"chmod 600 {key}" in failed.err
    key.chmod(0o600)

    assert program("config", "check").code == 0
