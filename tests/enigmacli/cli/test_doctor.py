import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.enigmacli.cli.conftest import Program
from tests.simulators.network_in_memory import (
    NetworkInMemory,
    NetworkProgram,
)

NO_BACKUP = "none in the home or beside it; name another place with --backup DIR"


@pytest.fixture(scope="module", autouse=True)
def _bootstrapped(network: NetworkInMemory) -> None:
    assert network.first


@pytest.fixture
def newcomer(network: NetworkInMemory, request: pytest.FixtureRequest) -> NetworkProgram:
    """A home with a key and evidence; its name is new for every test."""
    return network.newcomer(f"n{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}")


def by_id(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["id"]: finding for finding in document["findings"]}


def every_file(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder with its mode, its time of change, and its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


def test_it_works_without_a_home_and_makes_none(program: Program) -> None:
    got = program("doctor")

    assert got.code == 0, got.out
    assert "home.exists: there is no home" in got.out
    assert "try: enigmacli init MONIKER" in got.out
    assert not program.home.exists()


def test_nothing_in_the_home_is_changed(newcomer: NetworkProgram) -> None:
    before = every_file(newcomer.home)

    newcomer("doctor")
    newcomer("doctor", "--before-update")

    assert every_file(newcomer.home) == before


def test_a_home_without_a_key_gets_none_by_being_examined(simulated: Program) -> None:
    before = every_file(simulated.home)

    found = by_id(simulated.ok("doctor", "--only", "enclave"))

    assert found["enclave.starts"]["seen"] == "nothing was made yet"
    assert every_file(simulated.home) == before


def test_each_finding_says_what_was_seen_why_and_what_helps(newcomer: NetworkProgram) -> None:
    got = newcomer.ok("doctor", "--only", "backup.exists", "--only", "enclave")

    assert by_id(got)["backup.exists"] == {
        "id": "backup.exists",
        "severity": "warning",
        "seen": NO_BACKUP,
        "why": "sealed files that are lost cannot be made again",
        "hint": "enigmacli enclave backup --out DIR",
    }
    assert (got["worst"], got["exit_code"]) == ("warning", 0)
    assert got["summary"]["error"] == 0


def test_the_text_has_the_good_first_and_the_worst_last(newcomer: NetworkProgram) -> None:
    (newcomer.home / "enclave").chmod(0o755)

    got = newcomer("doctor", "--only", "permissions", "--only", "backup")

    assert got.code == 3
    assert got.out.splitlines() == [
        "ok       permissions.owner: everything is this user's",
        f"warning  backup.exists: {NO_BACKUP}",
        "         why: sealed files that are lost cannot be made again",
        "         try: enigmacli enclave backup --out DIR",
        "error    permissions.modes: enclave: open to others (mode 0755)",
        "         why: whoever can read a key can be this node",
        f"         try: chmod -R go= {newcomer.home}",
        "1 ok, 0 notes, 1 warning, 1 error",
    ]


def test_a_whole_examination_fits_on_one_screen(newcomer: NetworkProgram) -> None:
    assert len(newcomer("doctor").out.splitlines()) <= 40


def test_strict_lets_a_warning_fail(newcomer: NetworkProgram) -> None:
    assert newcomer("doctor", "--only", "backup", "--strict").code == 3


def test_a_node_that_does_not_answer_is_a_service_s_failure(
    newcomer: NetworkProgram, network: NetworkInMemory
) -> None:
    assert network.node is not None
    network.node.down = True
    try:
        got = newcomer("doctor", "--only", "node", "--node", "http://node.example:26657")
    finally:
        network.node.calm_down()

    assert got.code == 4
    assert "node.answers: the node did not answer" in got.out


def test_a_node_of_another_network_is_found_out(
    newcomer: NetworkProgram, network: NetworkInMemory
) -> None:
    assert network.node is not None
    network.node.of_chain = "net-2"
    try:
        got = newcomer("doctor", "--only", "chain.id", "-o", "json")
    finally:
        network.node.calm_down()

    assert got.code == 3
    assert "the node says net-2" in by_id(got.document)["chain.id"]["seen"]


def test_the_network_s_own_home_is_in_order(newcomer: NetworkProgram) -> None:
    found = by_id(
        newcomer.ok("doctor", "--only", "chain", "--only", "enclave", "--only", "evidence")
    )

    assert found["chain.genesis"]["seen"].endswith("the node's as well")
    assert found["evidence.accepted"]["severity"] == "ok"
    assert found["enclave.measurement"]["severity"] == "ok"


def test_a_sealed_file_that_does_not_open_is_the_enclave_s_failure(
    newcomer: NetworkProgram,
) -> None:
    file = newcomer.home / "enclave" / "registration.sealed"
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    got = newcomer("doctor", "--only", "enclave")

    assert got.code == 8
    assert "enclave.starts: the sealed registration does not open" in got.out


def test_a_damaged_configuration_is_a_finding(program: Program) -> None:
    program.home.mkdir(mode=0o700)
    (program.home / "config.toml").write_text("[rpc\n")

    got = program("doctor", "--only", "home")

    assert (got.code, got.err) == (3, "")
    assert "home.config:" in got.out


def test_a_probe_that_fails_is_a_finding(newcomer: NetworkProgram) -> None:
    genesis = newcomer.home / "config" / "genesis.json"
    genesis.write_bytes(b"\xff{")

    got = newcomer("doctor", "--only", "chain.genesis")

    assert got.code == 3
    assert "chain.genesis:" in got.out


def test_an_unknown_name_is_refused_with_the_nearest_one(program: Program) -> None:
    got = program("doctor", "--only", "clok")

    assert got.code == 2
    assert "clock" in got.err


def test_one_check_and_the_preflight_exclude_each_other(program: Program) -> None:
    assert program("doctor", "--only", "clock", "--before-update").code == 2


def test_before_an_update_no_backup_is_an_error(network: NetworkInMemory) -> None:
    got = network.first("doctor", "--before-update")

    assert got.code == 3
    assert "error    update.backup: there is no backup of the sealed files" in got.out
    assert "bound to enclave/platform.key (simulation)" in got.out
    assert "before the update:\n  enigmacli enclave backup --out DIR" in got.out


def test_before_an_update_a_backup_that_opens_and_is_complete_is_enough(
    network: NetworkInMemory, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    network.first.ok("enclave", "backup", "--out", str(folder))

    got = network.first.ok("doctor", "--before-update", "--backup", str(folder))

    assert by_id(got)["update.backup"]["severity"] == "ok"
    assert got["after"]


def test_a_damaged_backup_is_none(network: NetworkInMemory, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    network.first.ok("enclave", "backup", "--out", str(folder))
    (folder / "seed.sealed").unlink()

    got = network.first("doctor", "--before-update", "--backup", str(folder), "-o", "json")

    assert got.code == 3
    assert "does not open" in by_id(got.document)["update.backup"]["seen"]


def test_a_backup_beside_the_home_is_found(newcomer: NetworkProgram) -> None:
    folder = newcomer.home.with_name(f"{newcomer.home.name}-backup")
    newcomer.ok("enclave", "backup", "--out", str(folder))
    try:
        found = by_id(newcomer.ok("doctor", "--only", "backup", "--backup", str(folder)))
        assert found["backup.current"]["seen"] == f"{folder} holds all that the enclave holds"
        assert by_id(newcomer.ok("doctor", "--only", "backup"))["backup.opens"]["severity"] == "ok"
    finally:
        shutil.rmtree(folder)


def test_a_variable_that_is_no_key_is_named(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "ENIGMA_RPC_LISTN", "127.0.0.1:1")

    got = program("doctor", "--only", "home.variables")

    assert got.code == 0
    assert "ENIGMA_RPC_LISTN" in got.out
