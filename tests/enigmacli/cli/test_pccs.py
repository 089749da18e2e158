from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    "option",
    [
        ("--status", "ok"),
        ("--qe-status", "SWHardeningNeeded"),
        ("--module-status", "fine"),
        ("--advisory", "SA-1"),
        ("--documents", "old"),
        ("--revoke", "root"),
        ("--pck-ca", "root"),
        ("--tcb-evaluation-data-number", "0"),
        ("--latency-ms", "-5"),
        ("--fault", "replayed-report"),
        ("--fault", "503,endpoint=sigrl"),
    ],
)
def test_a_behaviour_that_does_not_exist_is_a_usage_error(
    program: Any, tmp_path: Path, option: tuple[str, str]
) -> None:
    got = program("pccs", "serve", "--state", str(tmp_path / "intel"), *option, "-o", "json")

    assert (got.code, got.error["code"]) == (2, "usage")
    assert not (tmp_path / "intel").exists()


def test_help_says_what_can_be_ordered(program: Any) -> None:
    got = program("pccs", "serve", "--help")

    assert got.code == 0
    for option in ("--status", "--documents", "--revoke", "--fault", "--caching"):
        assert option in got.out


def test_a_damaged_folder_is_local_state(program: Any, tmp_path: Path) -> None:
    (tmp_path / "dcap_pki.pem").write_bytes(b"junk")

    got = program("pccs", "serve", "--state", str(tmp_path), "-o", "json")

    assert (got.code, got.error["code"]) == (3, "storage")
    assert "simulation: this service is not Intel's" in got.err
