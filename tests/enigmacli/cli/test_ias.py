from pathlib import Path
from typing import Any

import pytest

from enigmacli.cli.context import Services
from enigmacli.cli.ias import address_of
from enigmacli.cli.serving import client_keys
from enigmacli.errors import ConfigError


@pytest.mark.parametrize(
    "option",
    [
        ("--status", "ok"),
        ("--advisory", "SA-1"),
        ("--latency-ms", "-5"),
        ("--fault", "everything"),
        ("--fault", "503,times=0"),
    ],
)
def test_a_behaviour_that_does_not_exist_is_a_usage_error(
    program: Any, tmp_path: Path, option: tuple[str, str]
) -> None:
    got = program("ias", "serve", "--state", str(tmp_path / "intel"), *option, "-o", "json")

    assert got.code == 2
    assert got.error["code"] == "usage"
    assert not (tmp_path / "intel").exists()


def test_a_proxy_wants_an_upstream_and_a_key(program: Any) -> None:
    assert program("ias", "proxy", "--upstream", "https://example.org").code == 2
    assert program("ias", "proxy", "--api-key-file", "key").code == 2


def test_a_proxy_without_its_key_file_is_local_state(program: Any, tmp_path: Path) -> None:
    got = program(
        "ias", "proxy", "--upstream", "https://example.org",
        "--api-key-file", str(tmp_path / "none"), "-o", "json",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (3, "storage")


def test_a_key_that_fits_in_no_header_is_refused_and_not_repeated(
    program: Any, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("two words")

    got = program(
        "ias", "proxy", "--upstream", "https://example.org", "--listen", "127.0.0.1:0",
        "--api-key-file", str(key), "-o", "json",
    )  # fmt: skip

    assert got.code == 3
    assert "two words" not in got.err


def test_a_plain_address_elsewhere_is_no_upstream(program: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k")

    got = program(
        "ias", "proxy", "--upstream", "http://example.org", "--listen", "127.0.0.1:0",
        "--api-key-file", str(key), "-o", "json",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (3, "config")


def test_a_client_network_that_is_none_is_refused(program: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k")

    got = program(
        "ias", "proxy", "--upstream", "https://example.org", "--listen", "127.0.0.1:0",
        "--api-key-file", str(key), "--allow-client", "10.0.0.0/8", "--allow-client", "everyone",
        "-o", "json",
    )  # fmt: skip

    assert (got.code, got.error["code"]) == (3, "config")
    assert "everyone" in got.error["message"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [("one\n", ("one",)), ("one\ntwo", ("one", "two")), ("\none\n\ntwo\n", ("one", "two"))],
)
def test_client_keys_stand_one_a_line(tmp_path: Path, text: str, keys: tuple[str, ...]) -> None:
    file = tmp_path / "keys"
    file.write_text(text)

    assert client_keys(str(file)) == keys
    assert client_keys(None) == ()


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo words\n"])
def test_a_file_without_good_client_keys_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)

    with pytest.raises(ConfigError):
        client_keys(str(file))


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:8090", ("::1", 8090))],
)
def test_an_address_is_split_into_host_and_port(listen: str, address: tuple[str, int]) -> None:
    services = Services(environ={})
    services.override("ias.listen", listen)

    assert address_of(services) == address
