"""Settings that were made before ``init``, as the peer's scripts make them.

They wait in ``config/client.toml``, the peer's name for such a file, in the form of our own
configuration; ``init`` takes them into the ``config.toml`` that says that a home is complete.
"""

from pathlib import Path
from typing import Any, Final

from enigmacli import home as homes
from enigmacli.config import parse
from enigmacli.config_file import render, with_value
from enigmacli.home import Home

FILE_NAME: Final = "client.toml"


def settings(home: Home) -> dict[str, Any]:
    """What waits for ``init``, by ``section.key``; empty where nothing does.

    Raises:
        ConfigError: the file is malformed.
        StorageError: it cannot be read.
    """
    file = _file(home)
    return dict(parse(homes.read(file), str(file))) if file.exists() else {}


def keep(home: Home, key: str, text: str) -> Any:
    """Set ``key`` in the configuration of a home, or in what waits for its ``init``.

    Args:
        home: whose folder need not exist.
        key: ``section.key``.
        text: the value as it was typed.

    Returns:
        The value.

    Raises:
        ConfigError: a file is malformed, or the value breaks its rule.
        StorageError: a file cannot be read or written.
    """
    Home.create(home.path)
    with home.changing_config():
        file = home.config_file if home.config_file.exists() else _file(home)
        before = homes.read(file) if file.exists() else b""
        after, typed = with_value(before or render({}).encode(), key, text)
        if after != before:
            homes.replace(file, after)
    return typed


def drop(home: Home) -> None:
    """Forget what ``init`` has taken."""
    _file(home).unlink(missing_ok=True)


def _file(home: Home) -> Path:
    return home.genesis_file.with_name(FILE_NAME)
