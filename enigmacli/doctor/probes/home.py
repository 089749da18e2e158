"""The home on disk: whose it is, who may read it, and where a process works in it."""

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from enigmacli.config import unknown_variables
from enigmacli.doctor.facts import HomeFolder, Mode
from enigmacli.doctor.subject import Subject
from enigmacli.home import Home

_MOST: Final = 2_000
"""Files that are looked at; a home has a dozen where anybody may enter nothing."""


def probe(subject: Subject) -> HomeFolder:
    """What there is; nothing is opened but the lock, to ask who holds it."""
    home = Home(subject.home)
    exists = home.config_file.is_file()
    return HomeFolder(
        exists=exists,
        unknown_variables=tuple(unknown_variables(subject.environ)),
        owner_pid=home.owner_pid() if exists else None,
        uid=os.geteuid(),
        modes=tuple(islice(_modes(home), _MOST)) if home.path.is_dir() else (),
    )


def _modes(home: Home) -> Iterator[Mode]:
    for path in (*_folders(home), *_secrets(home)):
        try:
            state = path.lstat()
        except OSError:
            continue
        if not stat.S_ISLNK(state.st_mode):
            yield Mode(path, stat.S_IMODE(state.st_mode), state.st_uid)


def _folders(home: Home) -> list[Path]:
    engine = home.cometbft_dir
    return [
        home.path, home.genesis_file.parent, home.enclave_dir, home.data_dir,
        engine, engine / "config", engine / "data", *_keyrings(home),
    ]  # fmt: skip


def _secrets(home: Home) -> Iterator[Path]:
    engine = home.cometbft_dir / "config"
    for folder in (home.genesis_file.parent, engine):
        yield folder / "node_key.json"
        yield folder / "priv_validator_key.json"
    for folder in (home.enclave_dir, *_keyrings(home)):
        yield from sorted(folder.glob("*"))


def _keyrings(home: Home) -> list[Path]:
    return [home.keyring_dir(backend) for backend in ("file", "test")]
