from pathlib import Path

import pytest

from enigmacli.errors import StorageError
from enigmacli.simulated_intel.platforms import MAX_PLATFORMS, Platforms

KEY = b"\x01" * 32


def test_only_what_was_added_is_provisioned(tmp_path: Path) -> None:
    platforms = Platforms(tmp_path / "platforms.json")
    platforms.add(KEY)

    assert KEY in platforms
    assert b"\x02" * 32 not in platforms


def test_platforms_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    for number in (3, 1, 2, 1):
        Platforms(path).add(bytes([number]) * 32)

    restarted = Platforms(path)

    assert len(restarted) == 3
    assert all(bytes([number]) * 32 in restarted for number in (1, 2, 3))


def test_as_many_platforms_as_allowed_fit_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    keys = [number.to_bytes(32, "big") for number in range(MAX_PLATFORMS)]
    platforms = Platforms(path)
    platforms._keys = frozenset(keys[:-1])
    platforms.add(keys[-1])

    assert len(Platforms(path)) == MAX_PLATFORMS
    with pytest.raises(StorageError, match="no more than"):
        platforms.add(KEY)
    platforms.add(keys[0])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"platforms":1}', '{"platforms":["zz"]}', '{"platforms":["01"]}', "\ufeff{}"],
)
def test_a_damaged_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "platforms.json"
    path.write_text(text)

    with pytest.raises(StorageError, match="damaged"):
        Platforms(path)


def test_a_platform_that_cannot_be_kept_is_not_provisioned(tmp_path: Path) -> None:
    platforms = Platforms(tmp_path / "absent" / "platforms.json")

    with pytest.raises(StorageError, match="cannot write"):
        platforms.add(KEY)

    assert KEY not in platforms
