import errno
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from enigmacli import home as homes
from enigmacli.errors import (
    FileExistsAlreadyError,
    HomeBusyError,
    HomeMissingError,
    StorageError,
)
from enigmacli.home import Home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.create(tmp_path / "home")


def test_a_new_home_is_its_owners_alone(tmp_path: Path) -> None:
    os.umask(before := os.umask(0))
    try:
        os.umask(0)
        home = Home.create(tmp_path / "deep" / "home")
    finally:
        os.umask(before)

    folders = [home.path, *(path for path in home.path.iterdir() if path.is_dir())]
    assert {mode(folder) for folder in folders} == {0o700}
    assert {folder.name for folder in folders} == {"home", "config", "data", "enclave", "logs"}


def test_creating_a_home_again_touches_nothing(home: Home) -> None:
    homes.write_new(home.node_key_file, b"key")

    Home.create(home.path)

    assert homes.read(home.node_key_file) == b"key"


def test_an_empty_folder_is_closed_to_others_when_it_becomes_a_home(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)

    Home.create(tmp_path / "mine")

    assert mode(tmp_path / "mine") == 0o700


def test_a_folder_with_content_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "mine").chmod(0o755)

    with pytest.raises(StorageError, match=r"open to other users \(mode 0755\)") as caught:
        Home.create(tmp_path / "mine")

    assert caught.value.hint == f"chmod 700 {tmp_path / 'mine'}"


@pytest.mark.parametrize("name", ["missing", "file/below"])
def test_opening_what_is_no_home_says_how_to_make_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(HomeMissingError) as caught:
        Home.open(tmp_path / name)

    assert caught.value.hint == "enigmacli init MONIKER"


def test_an_interrupted_init_has_left_no_home(home: Home) -> None:
    with pytest.raises(HomeMissingError):
        Home.open(home.path)


def test_a_home_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError) as caught:
        Home.create(tmp_path / "file" / "home")

    assert str(tmp_path / "file" / "home") in caught.value.message
    assert "not a directory" in caught.value.message
    assert caught.value.hint


def test_a_home_in_the_place_of_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="a file is in its place"):
        Home.create(tmp_path / "file")


def test_a_file_is_written_once_with_mode_0600(home: Home) -> None:
    homes.write_new(home.node_key_file, b"first")

    with pytest.raises(FileExistsAlreadyError, match="never overwritten"):
        homes.write_new(home.node_key_file, b"second")

    assert home.node_key_file.read_bytes() == b"first"
    assert mode(home.node_key_file) == 0o600


def test_replacing_keeps_mode_0600(home: Home) -> None:
    homes.replace(home.genesis_file, b"one")
    homes.replace(home.genesis_file, b"two")

    assert home.genesis_file.read_bytes() == b"two"
    assert mode(home.genesis_file) == 0o600


@pytest.mark.parametrize(
    ("number", "reason", "hint"),
    [
        (errno.ENOSPC, "no space left on device", "free some space and run the command again"),
        (errno.EROFS, "read-only file system", "the file system is read-only"),
        (errno.EACCES, "permission denied", "check the owner and mode of the folder"),
    ],
)
def test_what_the_system_refuses_is_named_with_path_and_cause(
    home: Home, monkeypatch: pytest.MonkeyPatch, number: int, reason: str, hint: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)

    for write in (homes.write_new, homes.replace):
        with pytest.raises(StorageError) as caught:
            write(home.genesis_file, b"x")
        assert caught.value.message == f"cannot write {home.genesis_file}: {reason}"
        assert caught.value.hint.startswith(hint)
    assert list(home.genesis_file.parent.iterdir()) == []


def test_reading_names_path_and_cause(home: Home) -> None:
    with pytest.raises(StorageError, match=r"genesis.json: no such file or directory"):
        homes.read(home.genesis_file)
    with pytest.raises(StorageError, match="is a directory"):
        homes.read(home.data_dir)


def test_reading_is_bounded(home: Home) -> None:
    homes.write_new(home.genesis_file, b"12345")

    assert homes.read(home.genesis_file, 5) == b"12345"
    with pytest.raises(StorageError, match="longer than 4 bytes"):
        homes.read(home.genesis_file, 4)


@pytest.mark.parametrize("others", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_may_read_is_refused(home: Home, others: int) -> None:
    homes.write_new(home.node_key_file, b"key")
    assert homes.read_private(home.node_key_file) == b"key"
    home.node_key_file.chmod(others)

    with pytest.raises(StorageError, match=f"mode {others:04o}") as caught:
        homes.read_private(home.node_key_file)

    assert caught.value.hint == f"chmod 600 {home.node_key_file}"


def test_a_missing_genesis_names_the_next_command(home: Home) -> None:
    with pytest.raises(HomeMissingError) as caught:
        home.read_genesis()

    assert "init MONIKER --genesis" in caught.value.hint


def _own(path: Path, owned: "multiprocessing.synchronize.Event", end: object) -> None:
    with Home(path).lock():
        owned.set()
        end.wait(30)  # type: ignore[attr-defined]


def test_a_home_has_one_owner_whose_pid_is_named(home: Home) -> None:
    context = multiprocessing.get_context("fork")
    owned, end = context.Event(), context.Event()
    owner = context.Process(target=_own, args=(home.path, owned, end))
    owner.start()
    try:
        assert owned.wait(30)
        with pytest.raises(HomeBusyError) as caught, home.lock():
            pytest.fail("the home had two owners")
        assert home.owner_pid() == owner.pid
    finally:
        end.set()
        owner.join(30)

    assert caught.value.details == {"pid": owner.pid}
    assert f"process {owner.pid} is using the home {home.path}" == caught.value.message
    assert home.owner_pid() is None
    with home.lock():
        assert home.lock_file.read_text().strip() == str(os.getpid())


def test_the_lock_of_no_home_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot lock"), Home(tmp_path / "missing").lock():
        pytest.fail("locked nothing")


def test_nobody_owns_a_home_that_does_not_exist(tmp_path: Path) -> None:
    assert Home(tmp_path / "missing").owner_pid() is None
