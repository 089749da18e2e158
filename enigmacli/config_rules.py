"""The rules that configuration values keep: each says what a value should have been.

A rule answers nothing where the value is right, else what it should be, in words that read
after "must be".
"""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

Check = Callable[[Any], str]

_LISTEN: Final = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)
_PEER_ID: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)
_MAX_PORT: Final = 65535
_MAX_MONIKER: Final = 70  # CometBFT's limit


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value: "" if value in words else "one of " + ", ".join(words)


def between(least: float, most: float) -> Check:
    """A number within these bounds, both allowed."""
    return lambda value: "" if least <= value <= most else f"from {least:g} to {most:g}"


def form(pattern: str, wanted: str) -> Check:
    """Text that matches the whole pattern."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: "" if compiled.fullmatch(value) else wanted


def listen(value: str) -> str:
    """An address to listen on."""
    match = _LISTEN.fullmatch(value)
    return "" if match and int(match[1]) <= _MAX_PORT else "HOST:PORT (port 0: any free one)"


def url(*schemes: str) -> Check:
    """A URL of one of these schemes."""
    wanted = "a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return wanted
        good = parts.scheme in schemes and bool(parts.hostname) and port != 0
        return "" if good else wanted

    return check


def web_urls(value: str) -> str:
    """One or more http or https URLs, with commas between."""
    wanted = "URLs that begin with http:// or https://, with commas between"
    return wanted if any(web_url(one.strip()) for one in value.split(",")) else ""


def or_empty(check: Check) -> Check:
    """Nothing, or what another rule wants."""
    return lambda value: check(value) if value else ""


def gas(value: str) -> str:
    """A gas limit, or ``auto``."""
    is_number = value.isascii() and value.isdigit() and len(value) < 20 and int(value) > 0  # noqa: PLR2004 -- 64 bits
    return "" if value == "auto" or is_number else "auto or a whole number above 0"


def moniker(value: str) -> str:
    """A node's name."""
    right = value.isprintable() and 0 < len(value) <= _MAX_MONIKER
    return "" if right else f"1 to {_MAX_MONIKER} printable characters"


def reachable(value: str) -> str:
    """An address that others can dial."""
    match = _LISTEN.fullmatch(value)
    return "" if match and 0 < int(match[1]) <= _MAX_PORT else "HOST:PORT"


def peers(value: str) -> str:
    """Nodes with their addresses, perhaps none."""
    good = all(
        _PEER_ID.fullmatch(name) and not reachable(address)
        for name, _, address in (one.strip().partition("@") for one in value.split(","))
    )
    return "" if good or not value else "ID@HOST:PORT, with commas between, ID 40 hex digits"


def peer_ids(value: str) -> str:
    """Names of nodes, perhaps none."""
    good = all(_PEER_ID.fullmatch(one.strip()) for one in value.split(","))
    return "" if good or not value else "ids of 40 hex digits, with commas between"


def socket_address(value: str) -> str:
    """A stream socket of this machine, or of a network."""
    kind, _, where = value.partition("://")
    good = where.startswith("/") if kind == "unix" else kind == "tcp" and not reachable(where)
    return "" if good else "unix:///PATH or tcp://HOST:PORT"


node_url: Final = url("http", "https", "tcp")
web_url: Final = url("http", "https")
seconds: Final = between(0.001, 86_400)
price: Final = form(
    r"(?:\d{1,18}(?:\.\d{1,18})?[a-z][a-z0-9/]{2,127})?", "a price like 0.0025uscrt, or empty"
)
coin: Final = form(r"(?:\d{1,18}[a-z][a-z0-9/]{2,127})?", "a coin like 1500uscrt, or empty")
chain_id: Final = form(r"[a-z0-9-]{0,50}", "at most 50 of a-z, 0-9 and -")
spid: Final = form(r"(?:[0-9a-fA-F]{32})?", "32 hex digits, or empty")
header_hash: Final = form(r"(?:[0-9a-fA-F]{64})?", "64 hex digits, or empty")
