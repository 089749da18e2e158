"""The enclave's commands with the real trusted process behind them."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enigmacli.home import Home
from enigmacli.simulated_intel.pki import SimulatedPki

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Program:
    home: Path

    def __call__(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        environ = {name: os.environ[name] for name in os.environ if not name.startswith("ENIGMA_")}
        return subprocess.run(
            [sys.executable, "-m", "enigmacli", *arguments],
            env=environ | {"ENIGMA_HOME": str(self.home)},
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            **options,
        )  # fmt: skip

    def ok(self, *arguments: str) -> dict[str, Any]:
        ran = self(*arguments, "-o", "json")
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def error(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        ran = self(*arguments, "-o", "json")
        assert ran.stdout == ""
        return ran.returncode, json.loads(ran.stderr)["error"]


@pytest.fixture(scope="session")
def root_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    pki = SimulatedPki.load_or_create(folder, datetime(2026, 1, 2, tzinfo=UTC))
    file = folder / "root-copy.pem"
    file.write_bytes(pki.root_pem)
    return file


@pytest.fixture
def program(tmp_path: Path, root_file: Path) -> Program:
    made = Program(tmp_path / "home")
    made.ok("init", "alpha", "--simulated", "--chain-id", "net-1", "--ias-root", str(root_file))
    return made


def test_the_registration_key_is_made_once(program: Program) -> None:
    first = program.ok("enclave", "keygen")
    second = program.ok("enclave", "keygen")

    assert (first["created"], second["created"]) == (True, False)
    assert first["node_id"] == second["node_id"]
    assert len(bytes.fromhex(first["node_id"])) == 32
    held = program.ok("enclave", "status")
    assert held["node_id"] == first["node_id"]
    assert (held["chain_id"], held["seeds"]) == ("net-1", 0)
    assert held["measurement"] == program.ok("enclave", "measure")["mr_enclave"]


def test_keygen_without_genesis_is_exit_3_and_names_the_next_command(
    tmp_path: Path,
) -> None:
    bare = Program(tmp_path / "bare")
    bare.ok("init", "alpha")

    code, error = bare.error("enclave", "keygen")

    assert code == 3
    assert error["hint"].startswith("enigmacli init MONIKER --genesis")


def test_status_follows_the_home(program: Program) -> None:
    assert program.ok("status")["state"] == "initialised"
    node_id = program.ok("enclave", "keygen")["node_id"]

    shown = program.ok("status")

    assert shown["state"] == "keyed"
    assert shown["enclave"]["node_id"] == node_id
    assert shown["node"] is shown["registered"] is shown["pid"] is None
    assert shown["genesis"]["policy"] == "simulated"
    assert program("status", "--require", "keyed").returncode == 0
    assert program("status", "--require", "seeded").returncode == 3
    assert program("status", "--require", "node").returncode == 4


def test_a_quote_binds_the_key_and_is_not_overwritten(program: Program, tmp_path: Path) -> None:
    node_id = program.ok("enclave", "keygen")["node_id"]
    program.ok("keys", "add", "alice", "--keyring-backend", "test")
    file = tmp_path / "quote"
    quote = ("enclave", "evidence", "--keyring-backend", "test", "--out", str(file))

    made = program.ok(*quote)

    assert made["report_data"][:64] == node_id
    assert file.read_bytes()[368 + 48 - 48 :][:32] == bytes.fromhex(node_id)
    assert program(*quote).returncode == 3
    code, error = program.error("enclave", "evidence", "--purpose", "bootstrap")
    assert (code, error["code"]) == (3, "no-seed")


def test_a_backup_restores_what_is_missing(program: Program, tmp_path: Path) -> None:
    node_id = program.ok("enclave", "keygen")["node_id"]
    folder = tmp_path / "backup"

    made = program.ok("enclave", "backup", "--out", str(folder))
    assert made["files"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert program("enclave", "backup", "--out", str(folder)).returncode == 3
    checked = program.ok("enclave", "verify-backup", str(folder))
    assert [file["name"] for file in checked["files"]] == made["files"]
    assert program.ok("enclave", "restore", str(folder))["restored"] == []
    for name in made["files"]:
        (program.home / "enclave" / name).unlink()

    assert sorted(program.ok("enclave", "restore", str(folder))["restored"]) == made["files"]
    assert program.ok("enclave", "status")["node_id"] == node_id


def test_an_altered_or_foreign_backup_is_refused(program: Program, tmp_path: Path) -> None:
    program.ok("enclave", "keygen")
    folder = tmp_path / "backup"
    (name, *_) = program.ok("enclave", "backup", "--out", str(folder))["files"]
    blob = folder / name
    blob.write_bytes(blob.read_bytes()[:-1] + b"\x00")

    assert program("enclave", "verify-backup", str(folder)).returncode == 8
    assert program("enclave", "restore", str(folder)).returncode == 8
    blob.unlink()
    assert program("enclave", "verify-backup", str(folder)).returncode == 8
    assert program("enclave", "verify-backup", str(tmp_path)).returncode == 3


def test_a_reset_moves_and_never_deletes(program: Program) -> None:
    node_id = program.ok("enclave", "keygen")["node_id"]
    before = {path.name: path.read_bytes() for path in (program.home / "enclave").iterdir()}

    code, error = program.error("enclave", "reset")
    assert (code, error["hint"]) == (2, "add -y to say yes in advance")
    assert not program.ok("enclave", "reset", "--dry-run")["moved"]
    made = program.ok("enclave", "reset", "-y")

    kept = Path(made["folder"])
    assert kept.name.startswith("enclave-20")
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert program.ok("enclave", "keygen")["node_id"] != node_id


def test_a_reset_is_refused_while_a_node_owns_the_home(program: Program) -> None:
    program.ok("enclave", "keygen")

    with Home(program.home).lock():
        code, error = program.error("enclave", "reset", "-y")

    assert (code, error["code"], error["details"]["pid"]) == (3, "home-busy", os.getpid())


def test_a_damaged_sealed_file_is_exit_8_and_status_still_answers(program: Program) -> None:
    program.ok("enclave", "keygen")
    for path in (program.home / "enclave").glob("*registration*"):
        path.write_bytes(b"\x00" * 40)

    code, _ = program.error("enclave", "status")

    assert code == 8
    assert program.ok("status")["enclave"]["error"]["code"].startswith("sealed")


def test_the_program_has_two_names_and_runs_as_a_module() -> None:
    folder = Path(sys.executable).parent
    commands = ([folder / "enigmacli"], [folder / "enigmad"], [sys.executable, "-m", "enigmacli"])

    shown = [
        subprocess.run(
            [*map(str, command), "--version"], capture_output=True, text=True, check=True
        )
        for command in commands
    ]

    version = shown[0].stdout.split()[1]
    assert [ran.stdout for ran in shown] == [
        f"enigmacli {version}\n", f"enigmad {version}\n", f"enigmacli {version}\n",
    ]  # fmt: skip


def test_a_reader_that_goes_away_is_no_error(program: Program) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "enigmacli", "--home", str(program.home), "genesis", "show"],
            stdout=write, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(write)

    assert (ran.returncode, ran.stderr.splitlines()[1:]) == (0, [])


def test_the_words_of_a_new_key_are_shown_on_a_terminal_only(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "passphrase").write_text("correct horse")
    person, terminal = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "enigmacli", "--home", str(program.home), "keys", "add", "bob",
             "--passphrase-file", str(tmp_path / "passphrase")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, timeout=60,
            check=True, text=True,
        )  # fmt: skip
        shown = os.read(person, 4096).decode()
    finally:
        os.close(person)
        os.close(terminal)

    words = shown.split("\r\n\r\n")[1]
    assert len(words.split()) == 24
    assert words.split()[0] not in ran.stdout
    recovered = subprocess.run(
        [sys.executable, "-m", "enigmacli", "--home", str(program.home), "keys", "add", "again",
         "--recover", "--keyring-backend", "test"],
        input=words, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert recovered.stdout == ran.stdout


def test_an_encoding_without_a_letter_is_no_bug(program: Program) -> None:
    program.ok("config", "set", "node.moniker", "漢字")

    ran = subprocess.run(
        [sys.executable, "-m", "enigmacli", "config", "show", "node.moniker"],
        env={"ENIGMA_HOME": str(program.home), "PYTHONIOENCODING": "latin-1"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (ran.returncode, ran.stdout) == (0, "\\u6f22\\u5b57\n")


def test_an_interruption_is_exit_130(program: Program) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "enigmacli", "genesis", "validate", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"ENIGMA_HOME": str(program.home), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    _wait_until_it_reads(waiting.pid)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=30)

    assert waiting.returncode == 130
    assert err.strip() == "enigmacli: error: interrupted"


def _wait_until_it_reads(pid: int) -> None:
    """Wait until the process sleeps in a read of its standard input."""
    while True:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
        if call[:2] == ["0", "0x0"]:
            return
