import errno
import os
import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from enclave import durable

WRITING = ("open", "fchmod", "write", "fsync")


class PowerCutError(BaseException):
    """Not an OSError: nothing may be cleaned up on its way."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_at(
    monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException, before: int = 0
) -> None:
    """Let ``os.<step>`` raise from the call on that has ``before`` others before it."""
    genuine: Callable[..., Any] = getattr(os, step)
    calls = count()

    def failing(*args: Any, **options: Any) -> Any:
        if next(calls) >= before:
            raise error
        return genuine(*args, **options)

    monkeypatch.setattr(os, step, failing)


def test_creates_a_file_with_its_final_mode(tmp_path: Path) -> None:
    durable.write_new(tmp_path / "key", b"data")
    durable.write_new(tmp_path / "public", b"data", 0o644)

    assert (tmp_path / "key").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o644
    assert names(tmp_path) == ["key", "public"]


def test_creates_nothing_where_something_is(tmp_path: Path) -> None:
    path = tmp_path / "key"
    durable.write_new(path, b"first")

    with pytest.raises(FileExistsError):
        durable.write_new(path, b"second")

    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["key"]


def test_does_not_write_through_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsError):
        durable.write_new(tmp_path / "key", b"data")

    assert not (tmp_path / "elsewhere").exists()


def test_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    durable.replace(path, b"first")
    durable.replace(path, b"second")

    assert path.read_bytes() == b"second"
    assert names(tmp_path) == ["clock"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: genuine(fd, bytes(data[:3])))

    durable.write_new(tmp_path / "key", b"0123456789")

    assert (tmp_path / "key").read_bytes() == b"0123456789"


@pytest.mark.parametrize("step", [*WRITING, "link"])
def test_a_full_disk_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patched:
        fail_at(patched, step, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match="No space left"):
            durable.write_new(tmp_path / "file", b"new")

    assert names(tmp_path) == []


@pytest.mark.parametrize("step", [*WRITING, "replace"])
def test_a_full_disk_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with monkeypatch.context() as patched:
        fail_at(patched, step, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(OSError, match="No space left"):
            durable.replace(path, b"new")

    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("step", "before", "left"),
    [
        ("open", 0, b"old"),
        ("fchmod", 0, b"old"),
        ("write", 0, b"old"),
        ("fsync", 0, b"old"),
        ("replace", 0, b"old"),
        ("open", 1, b"new"),  # of the folder
        ("fsync", 1, b"new"),  # of the folder
    ],
)
def test_a_power_cut_at_any_step_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, before: int, left: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_options: None)  # no power, no cleaning
    fail_at(monkeypatch, step, PowerCutError(), before)

    with pytest.raises(PowerCutError):
        durable.replace(path, b"new")

    assert path.read_bytes() == left


def test_what_a_killed_process_left_behind_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.write_new(tmp_path / "other", b"")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_args, **_options: None)
        fail_at(patched, "link", PowerCutError())
        with pytest.raises(PowerCutError):
            durable.write_new(tmp_path / "file", b"new")
    assert len(names(tmp_path)) == 2

    durable.remove_leftovers(tmp_path / "file")

    assert names(tmp_path) == ["other"]


def test_a_lock_keeps_others_out_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with durable.lock(path):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(BlockingIOError), durable.lock(path):
            pytest.fail("locked twice")

    with durable.lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_a_lock_is_released_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), durable.lock(tmp_path / "lock"):
        raise KeyError

    with durable.lock(tmp_path / "lock"):
        pass
