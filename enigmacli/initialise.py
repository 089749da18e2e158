"""Make a home: folders, node keys, genesis document, configuration; nothing is overwritten.

The configuration is written last and says that the home is complete: an interrupted run is
taken up by the next one, with the keys that it made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from enigmacli import home as homes
from enigmacli.app.genesis import GenesisDocument
from enigmacli.config import Scalar
from enigmacli.config_file import render
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import FileExistsAlreadyError, StorageError
from enigmacli.genesis_source import FoundGenesis
from enigmacli.home import Home


@dataclass(frozen=True, slots=True)
class MadeHome:
    """What ``init`` made, and what it found and kept."""

    home: Home
    created: tuple[Path, ...]
    kept: tuple[Path, ...]
    node_key: Ed25519Key
    validator_key: Ed25519Key


def initialise(
    path: Path, genesis: FoundGenesis | None, configured: Mapping[str, Scalar]
) -> MadeHome:
    """Make what is missing of the home at ``path``.

    Args:
        path: the home folder.
        genesis: the genesis document, where there is one already.
        configured: the keys that the configuration sets, by ``section.key``.

    Raises:
        FileExistsAlreadyError: the home is complete, or holds another genesis document.
        StorageError: a file cannot be written.
    """
    home = Home(path)
    check_free(home, with_genesis=genesis is not None)
    _check_same(home, genesis)
    Home.create(path)
    with home.lock():
        check_free(home, with_genesis=genesis is not None)
        _check_same(home, genesis)
        wanted = {
            home.node_key_file: lambda: Ed25519Key.generate().encode_node_key(),
            home.priv_validator_key_file: lambda: Ed25519Key.generate().encode_validator_key(),
            **({home.genesis_file: lambda: genesis.data} if genesis else {}),
            home.config_file: lambda: render(configured).encode(),
        }
        kept = tuple(file for file in wanted if file.exists())
        created = tuple(file for file in wanted if file not in kept)
        for file in created:
            homes.write_new(file, wanted[file]())
    return MadeHome(
        home,
        created,
        kept,
        _load_key(home.node_key_file),
        _load_key(home.priv_validator_key_file),
    )


def check_free(home: Home, *, with_genesis: bool) -> None:
    """Refuse a complete home, unless it lacks the genesis document that it is to get.

    Raises:
        FileExistsAlreadyError: there is nothing left to make.
    """
    if _exists(home.config_file) and not (with_genesis and not _exists(home.genesis_file)):
        raise FileExistsAlreadyError(
            f"there is a home at {home.path} already",
            hint="enigmacli status shows where it stands; --home DIR makes another",
        )


def _check_same(home: Home, genesis: FoundGenesis | None) -> None:
    """Refuse to take another genesis document into an unfinished home than the one in it."""
    if genesis is None or not _exists(home.genesis_file) or _same(home, genesis.document):
        return
    raise FileExistsAlreadyError(
        f"{home.genesis_file} is another genesis document, and is never overwritten",
        hint="move it away, or choose another folder with --home",
    )


def _same(home: Home, wanted: GenesisDocument) -> bool:
    """Whether the home's genesis is this one; an interrupted run made it a little earlier."""
    held = GenesisDocument.parse(home.read_genesis())
    return replace(held, genesis_time_us=wanted.genesis_time_us) == wanted


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise homes.storage_error("look for", path, error) from error


def _load_key(path: Path) -> Ed25519Key:
    homes.read_private(path)
    try:
        return Ed25519Key.load(path)
    except OSError as error:
        raise StorageError(f"cannot read {path}") from error
