from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.config import (
    KEYS,
    Config,
    Origin,
    load,
    parse,
    read_file,
    unknown_variables,
)
from enigmacli.config_file import render, toml, with_value
from enigmacli.config_sections import SECTIONS
from enigmacli.errors import ConfigError, StorageError
from tests.corpus import ROOT


def test_the_sections_are_those_of_the_configuration() -> None:
    defaults = Config()
    named = {f.name: type(getattr(defaults, f.name)) for f in fields(Config) if f.name != "origins"}

    assert dict(SECTIONS) == named


def test_without_any_source_every_value_is_its_default(tmp_path: Path) -> None:
    config = load(tmp_path, {}, {})

    assert config == Config()
    assert set(config.origins.values()) == {Origin("default")}


def test_the_example_has_every_key_with_its_default_and_its_meaning() -> None:
    file = ROOT / "config.example.toml"

    assert parse(file.read_bytes(), file.name) == dict(Config().values())
    assert file.read_text() == render({}, all_keys=True)
    for key in KEYS.values():
        assert f"# {key.doc}\n{key.word} = {toml(key.default)}\n" in file.read_text()


def test_the_template_of_a_home_sets_only_what_is_given() -> None:
    text = render({"node.moniker": "alpha"})

    assert parse(text.encode(), "config.toml") == {"node.moniker": "alpha"}
    assert '# node = "http://127.0.0.1:26657"' in text


def test_flag_comes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[chain]\nnode = "http://f:1"\ngas = "1"\ntimeout_s = 1\n')
    environ = {"ENIGMA_CHAIN_NODE": "http://e:2", "ENIGMA_CHAIN_GAS": "2"}
    flags = {"chain.node": "http://flag:3"}

    config = load(tmp_path, environ, flags)

    assert (config.chain.node, config.chain.gas, config.chain.timeout_s) == (
        "http://flag:3",
        "2",
        1,
    )
    assert config.chain.broadcast_mode == "block"
    shown = {
        key: str(config.origins[f"chain.{key}"]) for key in ("node", "gas", "timeout_s", "fees")
    }
    assert shown == {
        "node": "flag",
        "gas": "env ENIGMA_CHAIN_GAS",
        "timeout_s": f"file {file}",
        "fees": "default",
    }


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_every_key_has_a_variable_and_takes_its_default_as_text(key: Any) -> None:
    assert key.variable == f"ENIGMA_{key.name}".upper().replace(".", "_")
    assert key.read(str(key.default), Origin("env")) == key.default
    assert key.doc.endswith(".")


def test_the_key_from_is_spelt_without_pythons_underscore(tmp_path: Path) -> None:
    assert load(tmp_path, {"ENIGMA_ACCOUNT_FROM": "bob"}, {}).account.from_ == "bob"
    assert "account.from" in KEYS


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("chain.node", "ftp://x", "a URL that begins with http:// or https:// or tcp://"),
        ("chain.node", "http://", "a URL"),
        ("chain.node", "http://x:99999", "a URL"),
        ("chain.node", "http://[::1", "a URL"),
        ("attestation.pcs_urls", "", "URLs that begin with http:// or https://"),
        ("attestation.pcs_urls", "https://a,", "URLs that begin"),
        ("attestation.pcs_urls", "https://a,tcp://b", "URLs that begin"),
        ("chain.timeout_s", "soon", "a number"),
        ("chain.timeout_s", "nan", "a number"),
        ("chain.timeout_s", "inf", "a number"),
        ("chain.timeout_s", "0", "from 0.001 to 86400"),
        ("chain.broadcast_mode", "later", "one of sync, async, block"),
        ("chain.gas", "0", "auto or a whole number above 0"),
        ("chain.gas", "-1", "auto or a whole number above 0"),
        ("chain.gas", "²", "auto or a whole number above 0"),
        ("chain.gas_prices", "uscrt", "a price like 0.0025uscrt"),
        ("chain.fees", "0.5uscrt", "a coin like 1500uscrt"),
        ("chain.chain_id", "Net_1", "at most 50 of a-z, 0-9 and -"),
        ("account.coin_type", "1.5", "a whole number"),
        ("account.coin_type", "-1", "from 0 to"),
        ("account.keyring_backend", "os", "one of file, test"),
        ("attestation.spid", "abc", "32 hex digits"),
        ("rpc.listen", "26657", "HOST:PORT"),
        ("rpc.listen", "127.0.0.1:65536", "HOST:PORT"),
        ("rpc.listen", "a b:1", "HOST:PORT"),
        ("node.moniker", "", "1 to 70 printable characters"),
        ("node.moniker", "a\x1b[31m", "1 to 70 printable characters"),
        ("node.follow", "nowhere", "a URL"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(
    tmp_path: Path, name: str, text: str, wanted: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {name: text})

    assert f"{name} (from flag) must be {wanted}" in caught.value.message
    assert caught.value.details["key"] == name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("rpc.listen", "127.0.0.1:0", "127.0.0.1:0"),
        ("rpc.listen", "[::1]:26657", "[::1]:26657"),
        ("chain.node", "tcp://localhost:26657", "tcp://localhost:26657"),
        ("chain.gas_prices", "0.0025uscrt", "0.0025uscrt"),
        ("chain.timeout_s", "5", 5.0),
        ("chain.fees", "", ""),
        ("attestation.pcs_urls", "https://a:1, http://b", "https://a:1, http://b"),
        ("attestation.cache_max_age_s", "0", 0.0),
    ],
)
def test_a_value_that_keeps_its_rule_is_taken(
    tmp_path: Path, name: str, text: str, value: object
) -> None:
    assert dict(load(tmp_path, {}, {name: text}).values())[name] == value


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("[chain]\nnode = 5", "chain.node .* must be a string"),
        ("[chain]\ntimeout_s = '5'", "chain.timeout_s .* must be a number"),
        ("[chain]\ntimeout_s = true", "chain.timeout_s .* must be a number"),
        ("[account]\ncoin_type = 1.0", "account.coin_type .* must be a whole number"),
        ("[account]\ncoin_type = true", "account.coin_type .* must be a whole number"),
        ("[chain", "is not TOML"),
        ("node = 1", "unknown configuration key 'node'"),
        ("[chain]\nnodes = 1", "unknown configuration key 'chain.nodes'"),
        ("[chains]\nnode = 1", "unknown configuration key 'chains.node'"),
        ("[chain.node]\nx = 1", "chain.node .* must be a string"),
        ('[enclave]\npath = "a\\u0000"', "enclave.path .* must be text without NUL"),
        ("[chain]\nnode = 2026-01-01", "chain.node .* must be a string"),
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path: Path, line: str, wanted: str) -> None:
    (tmp_path / "config.toml").write_text(line)

    with pytest.raises(ConfigError, match=wanted):
        load(tmp_path, {}, {})


def test_an_unknown_key_comes_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[chain]\ntimeout = 1\n")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})

    assert caught.value.hint == "did you mean 'chain.timeout_s'?"


def test_a_file_in_the_place_of_the_home_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageError, match="cannot read"):
        load(tmp_path / "file", {}, {})


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"#" * (1024 * 1024 + 1))

    with pytest.raises(ConfigError, match="longer than"):
        load(tmp_path, {}, {})


@given(st.binary(max_size=200))
def test_any_bytes_give_values_or_a_configuration_error(data: bytes) -> None:
    try:
        found = parse(data, "config.toml")
    except ConfigError:
        return
    assert all("." in name for name in found)


def test_a_mistyped_variable_is_found_and_foreign_ones_are_not() -> None:
    mistyped = ["ENIGMA_CHAIN_NODES", "ENIGMA_CHIAN_NODE"]
    foreign = ["ENIGMA_HOME", "ENIGMA_CHAIN_NODE", "ENIGMA_COMETBFT", "CHIAN_NODE", "PATH"]

    assert unknown_variables(dict.fromkeys(mistyped + foreign, "")) == mistyped


def test_setting_a_value_turns_its_comment_into_a_setting() -> None:
    before = render({"node.moniker": "alpha"}).encode()

    after, value = with_value(before, "chain.timeout_s", "3")

    assert value == 3.0
    changed = [
        (old, new)
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True)
        if old != new
    ]
    assert changed == [(b"# timeout_s = 10.0", b"timeout_s = 3.0")]


def test_setting_a_value_keeps_comments_and_order() -> None:
    before = b'# mine\n[node]\nmoniker = "a" # why\n'

    after, _ = with_value(before, "node.moniker", "b")
    further, _ = with_value(after, "chain.gas", "5")

    assert after == b'# mine\n[node]\nmoniker = "b" # why\n'
    assert parse(further, "x") == {"node.moniker": "b", "chain.gas": "5"}


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("chain.gas", "none", "must be auto"),
        ("chain.gaz", "1", "unknown configuration key"),
        ("gas", "1", "unknown configuration key"),
    ],
)
def test_a_wrong_setting_changes_nothing(name: str, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted):
        with_value(b"", name, text)


def test_a_setting_in_a_malformed_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="not TOML"):
        with_value(b"[chain\n", "chain.gas", "1")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_text_survives_being_written_and_read(text: str) -> None:
    written = f"[node]\nmoniker = {toml(text)}\n".encode()

    assert parse(written, "x") == {"node.moniker": text}


def test_no_file_means_no_values(tmp_path: Path) -> None:
    assert read_file(tmp_path / "config.toml") == {}
