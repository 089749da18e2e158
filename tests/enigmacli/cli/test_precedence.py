"""Flag, then environment, then file, then default: for every key, through the program."""

from collections.abc import Iterator
from typing import Any

import click
import pytest

from enigmacli import config_file
from enigmacli.cli import cli
from enigmacli.cli.context import Services
from enigmacli.cli.options import ConfigOption
from enigmacli.cli.tree import walk
from enigmacli.config import KEYS, Key, Origin, load
from enigmacli.errors import ConfigError

VALUES: dict[str, tuple[Any, Any, Any]] = {
    "chain.chain_id": ("net-1", "net-2", "net-3"),
    "chain.trust_hash": ("a" * 64, "b" * 64, "c" * 64),
    "chain.broadcast_mode": ("async", "sync", "block"),
    "chain.gas": ("1", "2", "3"),
    "chain.gas_prices": ("1uscrt", "2uscrt", "3uscrt"),
    "chain.fees": ("1uscrt", "2uscrt", "3uscrt"),
    "account.keyring_backend": ("test", "file", "test"),
    "enclave.backend": ("simulation", "simulation", "simulation"),
    "attestation.provider": ("dcap", "ias", "simulated"),
    "attestation.spid": ("a" * 32, "b" * 32, "c" * 32),
    "attestation.dcap_kind": ("dcap-tdx", "dcap-sgx", "dcap-tdx"),
    "attestation.pcs_update": ("early", "standard", "early"),
    "p2p.persistent_peers": ("a" * 40 + "@h:1", "b" * 40 + "@h:1", "c" * 40 + "@h:1"),
    "p2p.seeds": ("a" * 40 + "@h:1", "b" * 40 + "@h:1", "c" * 40 + "@h:1"),
    "p2p.private_peers": ("a" * 40, "b" * 40, "c" * 40),
    "cometbft.abci_listen": ("unix:///a", "unix:///b", "unix:///c"),
    "cometbft.log_level": ("info", "debug", "none"),
}
"""Three good values of keys whose rule is narrow: for the file, the environment, the flag."""


def values(key: Key) -> tuple[Any, Any, Any]:
    if key.name in VALUES:
        return VALUES[key.name]
    if isinstance(key.default, bool):
        return (not key.default, key.default, not key.default)
    if isinstance(key.default, (int, float)):
        return (type(key.default)(2), type(key.default)(3), type(key.default)(4))
    if key.word in {"listen", "external_address"}:
        return ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")
    if key.word in {"node", "follow", "ias_url", "pcs_urls", "faucet"}:
        return ("http://a:1", "http://b:2", "http://c:3")
    return ("one", "two", "three")


def text(value: Any) -> str:
    return config_file.toml(value) if isinstance(value, bool) else str(value)


def write(program: Any, key: Key, value: Any) -> None:
    program.home.mkdir()
    written = f"[{key.section}]\n{key.word} = {config_file.toml(value)}\n"
    (program.home / "config.toml").write_text(written)


def origin(shown: dict[str, Any], key: Key) -> tuple[Any, str]:
    found = shown[key.section][key.word]
    return found["value"], found["origin"]


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_every_key_is_taken_from_its_variable_before_the_file_before_the_default(
    program: Any, monkeypatch: pytest.MonkeyPatch, key: Key
) -> None:
    in_file, in_environment, _ = values(key)
    show = ("config", "show", key.name, "--origin")

    assert origin(program.ok(*show), key) == (key.default, "default")
    write(program, key, in_file)
    assert origin(program.ok(*show), key) == (in_file, "file")
    monkeypatch.setenv(key.variable, text(in_environment))
    assert origin(program.ok(*show), key) == (in_environment, "env")


def flags() -> Iterator[tuple[tuple[str, ...], ConfigOption]]:
    for path, command in walk(cli):
        for option in command.params:
            if isinstance(option, ConfigOption):
                yield path, option


FLAGS = list(flags())


def test_the_keys_of_all_flags_exist() -> None:
    assert {option.key for _, option in FLAGS} <= set(KEYS)
    assert len({option.key for _, option in FLAGS}) > 20


@pytest.mark.parametrize(
    ("path", "option"), FLAGS, ids=[f"{' '.join(path)} {option.opts[-1]}" for path, option in FLAGS]
)
def test_every_flag_comes_before_the_variable_before_the_file_before_the_default(
    program: Any, path: tuple[str, ...], option: ConfigOption
) -> None:
    key = KEYS[option.key]
    in_file, in_environment, in_flag = values(key)
    if option.is_flag:
        in_flag = key.read(option.flag_value, Origin("flag"))
    given = [option.opts[-1]] if option.is_flag else [option.opts[-1], text(in_flag)]
    variables = {key.variable: text(in_environment)}

    def seen(arguments: list[str], environ: dict[str, str]) -> tuple[Any, str]:
        services = Services(environ=environ)
        services.home_flag = str(program.home)
        _read(path, arguments, services)
        config = services.config
        return dict(config.values())[key.name], config.origins[key.name].kind

    assert seen([], {}) == (key.default, "default")
    write(program, key, in_file)
    assert seen([], {}) == (in_file, "file")
    assert seen([], variables) == (in_environment, "env")
    assert seen(given, variables) == (in_flag, "flag")


def _read(path: tuple[str, ...], arguments: list[str], services: Services) -> None:
    """Let the command read its options, and not run."""
    context: click.Context = click.Context(cli, obj=services)
    for word in path:
        group = context.command
        assert isinstance(group, click.Group)
        child = group.get_command(context, word)
        assert child is not None
        context = child.context_class(child, info_name=word, parent=context)
    given, _, order = context.command.make_parser(context).parse_args(args=list(arguments))
    for parameter in order:
        if isinstance(parameter, ConfigOption):
            parameter.handle_parse_result(context, given, [])


WRONG: dict[type, tuple[object, str]] = {
    bool: ("perhaps", "true or false"),
    int: ("many", "a whole number"),
    float: ("soon", "a number"),
}


@pytest.mark.parametrize(
    "key", [key for key in KEYS.values() if not isinstance(key.default, str)], ids=lambda k: k.name
)
def test_a_value_of_a_wrong_type_is_refused_with_key_origin_expected_and_seen(
    program: Any, monkeypatch: pytest.MonkeyPatch, key: Key
) -> None:
    wrong, wanted = WRONG[type(key.default)]
    write(program, key, wrong)
    from_file = program("config", "check", "-o", "json")
    (program.home / "config.toml").unlink()
    monkeypatch.setenv(key.variable, str(wrong))
    from_environment = program("config", "check", "-o", "json")

    origins = (f"file {program.home / 'config.toml'}", f"env {key.variable}")
    for failed, place in zip((from_file, from_environment), origins, strict=True):
        assert failed.code == 3
        assert failed.error["details"] == {
            "key": key.name, "origin": place, "expected": wanted, "seen": str(wrong),
        }  # fmt: skip
        for word in (key.name, place, wanted, str(wrong)):
            assert word in failed.error["message"]


RANGES = {key.name: key for key in KEYS.values() if type(key.default) in {int, float} and key.check}


@pytest.mark.parametrize("key", RANGES.values(), ids=lambda key: key.name)
def test_a_number_out_of_range_is_refused_with_the_range(program: Any, key: Key) -> None:
    with pytest.raises(ConfigError) as caught:
        load(program.home, {key.variable: "-1"}, {})

    details = caught.value.details
    assert details["expected"].startswith("from ")
    assert " to " in details["expected"]
    assert details["seen"] == "-1"


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_a_key_that_lacks_its_last_letter_is_refused_with_the_key(program: Any, key: Key) -> None:
    program.home.mkdir()
    (program.home / "config.toml").write_text(f"[{key.section}]\n{key.word[:-1]} = 1\n")

    failed = program("config", "check", "-o", "json")

    assert failed.code == 3
    assert failed.error["message"] == f"unknown configuration key '{key.name[:-1]}'"
    assert failed.error["hint"].startswith("did you mean '")
