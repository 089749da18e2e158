"""Addresses to listen on; the server itself is tested with real sockets."""

import pytest

from enigmacli.api.server import parse_listen
from enigmacli.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("tcp://0.0.0.0:26657", ("0.0.0.0", 26657)),  # noqa: S104 -- read, not bound
        ("[::1]:65535", ("::1", 65535)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_an_address_is_read(text: str, expected: tuple[str, int]) -> None:
    assert parse_listen(text) == expected


@pytest.mark.parametrize("text", ["", "26657", ":26657", "host:", "host:x", "host:65536", "h:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_listen(text)

    assert refused.value.hint == "use HOST:PORT"
