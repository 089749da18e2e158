"""Each exit code of the public contract once, by the installed program as a process.

What is said must not depend on how it is asked for: every failure is provoked twice, for people
and with ``-o json``.
"""

import json
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

import enclave
from enclave.times import format_rfc3339
from enigmacli.child import Child, run_command
from enigmacli.cli.exit_codes import MEANINGS
from tests.e2e.peer_script import PROGRAMS, surroundings
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

pytestmark = pytest.mark.e2e

AS_JSON: Final = ("-o", "json")
ANY_PORT: Final = ("--listen", "127.0.0.1:0")
TEST_KEYS: Final = ("--keyring-backend", "test")
TRUSTED: Final = Path(enclave.__file__).parent
WAIT_S: Final = 60
ERROR_LINE: Final = re.compile(
    r"^enigmacli: error: (?:[^A-Z\n]|[A-Z]{2})[^\n]*[^.\n]$", re.MULTILINE
)


@dataclass(frozen=True)
class Program:
    """The installed program with a home and what its environment names besides."""

    home: Path
    named: dict[str, str] = field(default_factory=dict)

    def start(self, *line: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [f"{PROGRAMS}/enigmacli", *line],
            env=surroundings(ENIGMA_HOME=str(self.home), **self.named), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __call__(self, *line: str) -> "subprocess.CompletedProcess[str]":
        return ended(self.start(*line))

    def fails(self, code: int, *line: str) -> "Failed":
        """The failure that this line must end in, said in both forms."""
        return said(self(*line), self(*line, *AS_JSON), code)


@dataclass(frozen=True)
class Failed:
    """What a failure says: for people, and the members of its document."""

    text: str
    code: str
    hint: str
    details: dict[str, Any]


def ended(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    try:
        out, err = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def said(
    plain: "subprocess.CompletedProcess[str]",
    structured: "subprocess.CompletedProcess[str]",
    code: int,
) -> Failed:
    """Check that both forms of one failure keep the contract of exit code ``code``."""
    for ran in (plain, structured):
        assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
        assert "Traceback" not in ran.stderr
    assert ERROR_LINE.search(plain.stderr), plain.stderr
    error = json.loads(structured.stderr)["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    assert error["message"] in plain.stderr
    assert ("enigmacli: hint: " in plain.stderr) == bool(error["hint"])
    return Failed(plain.stderr, error["code"], error["hint"], error["details"])


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """With a home that does not exist yet."""
    return Program(tmp_path / "home")


@dataclass(frozen=True)
class Network:
    """A running node of a simulated network, and its home."""

    home: Path
    url: str

    @property
    def genesis(self) -> str:
        return str(self.home / "config" / "genesis.json")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    home, logs = folder / "first", folder / "logs"
    at_home = ("--home", str(home))
    with Child("intel", ("ias", "serve", *ANY_PORT, "--state", str(folder / "intel")), logs) as ias:
        intel = str(ias.listening()["url"])
        simulated = ("--simulated", "--chain-id", "codes-1", "--ias-root", intel)
        run_command("init", "first", *simulated, *at_home)
        address = run_command("keys", "add", "first", *TEST_KEYS, *at_home)["address"]
        run_command("genesis", "add-account", address, "1000000uscrt", *at_home)
        run_command("bootstrap", "--url", intel, *TEST_KEYS, *at_home)
    with Child("node", ("start", *at_home, "--rpc-listen", "127.0.0.1:0"), logs) as node:
        yield Network(home, str(node.listening()["rpc"]))


# --- evidence ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """Evidence of a simulated platform, in a file, and policies to judge it by."""

    folder: Path

    def verify(self, evidence: bytes, measurement: bytes) -> tuple[str, ...]:
        """The line that judges ``evidence`` where only ``measurement`` is allowed."""
        file, policy = self.folder / "evidence.der", self.folder / "policy.json"
        file.write_bytes(evidence)
        policy.write_bytes(AttestedNetwork(measurement).policy)
        at = ("--at", format_rfc3339(NOW_US))
        return ("attest", "verify", str(file), "--policy", str(policy), *at)


RUNNING: Final = bytes(range(32))


@pytest.fixture(scope="module")
def evidence() -> bytes:
    """Of an enclave whose measurement is ``RUNNING``."""
    node_id = bytes(range(32, 64))
    return AttestedNetwork(RUNNING).certify_report_data(node_id + OWNER + bytes(12))


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    return Judged(tmp_path)


def verdict(program: Program, code: int, *line: str) -> tuple[str, dict[str, Any]]:
    """A judgement, which goes to standard output whatever it is: for people, and the document."""
    plain, structured = program(*line), program(*line, *AS_JSON)
    for ran in (plain, structured):
        assert (ran.returncode, ran.stderr) == (code, ""), ran.stderr
    return plain.stdout, json.loads(structured.stdout)


# --- one by one -------------------------------------------------------------------------------


def test_0_is_done(program: Program, judged: Judged, evidence: bytes) -> None:
    text, document = verdict(program, 0, *judged.verify(evidence, RUNNING))

    assert text.startswith("accepted (authentic)")
    assert (document["verdict"], document["code"]) == ("accept", "ok")


def test_1_is_a_bug_and_its_traceback_is_in_a_private_file(
    program: Program, tmp_path: Path
) -> None:
    assert program("init", "alpha").returncode == 0
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tomli.py").write_text(
        '"""A damaged installation: this library has lost its code."""'
    )

    failed = Program(program.home, {"PYTHONPATH": str(broken)}).fails(1, "config", "show")

    assert failed.code == "bug"
    (named,) = re.findall(r"^enigmacli: hint: report it with (.+)$", failed.text, re.MULTILINE)
    for file in map(Path, (named, failed.details["traceback"])):
        assert file.parent == program.home / "logs"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().startswith("Traceback (most recent call last):\n")
        assert "AttributeError" in file.read_text()


def test_2_is_wrong_usage(program: Program) -> None:
    failed = program.fails(2, "status", "--colour")

    assert failed.code == "usage"


def test_3_is_local_state(program: Program) -> None:
    failed = program.fails(3, "keys", "list")

    assert (failed.code, failed.hint) == ("home-missing", "enigmacli init MONIKER")


def test_4_is_a_service_that_does_not_answer(program: Program) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        failed = program.fails(4, "query", "register", "nodes", "--node", url)

    assert failed.code == "service-unavailable"


def test_5_is_evidence_that_is_not_authentic(
    program: Program, judged: Judged, evidence: bytes
) -> None:
    head, mark, signature = evidence.partition(b'"signature": "')
    forged = head + mark + (b"B" if signature.startswith(b"A") else b"A") + signature[1:]

    text, document = verdict(program, 5, *judged.verify(forged, RUNNING))

    assert text.startswith("REFUSED (NOT authentic)")
    assert (document["authentic"], document["verdict"]) == (False, "reject")
    assert document["code"] == "ias-report-signature"


def test_5_is_also_a_file_that_is_malformed(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "evidence.der"
    file.write_bytes(b"nonsense")

    failed = program.fails(5, "attest", "parse", str(file))

    assert failed.code == "quote-malformed"


def test_6_is_authentic_evidence_that_the_policy_refuses(
    program: Program, judged: Judged, evidence: bytes
) -> None:
    text, document = verdict(program, 6, *judged.verify(evidence, bytes(32)))

    assert text.startswith("REFUSED (authentic)")
    assert (document["authentic"], document["verdict"]) == (True, "reject")
    assert document["code"] == "measurement-not-allowed"


def test_7_is_a_refusal_by_the_chain(network: Network) -> None:
    gift = ("tx", "bank", "send", "first", "first", "1uscrt", *TEST_KEYS, "-y")

    failed = Program(network.home).fails(7, *gift, "--gas", "1", "--node", network.url)

    assert failed.code == "tx-rejected"


def test_8_is_an_enclave_that_cannot_run(
    program: Program, network: Network, tmp_path: Path
) -> None:
    package = tmp_path / "package" / "enclave"
    shutil.copytree(TRUSTED, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__main__.py").write_text("raise SystemExit\n")
    assert program("init", "beta", "--genesis", network.genesis).returncode == 0

    unable = Program(program.home, {"ENIGMA_ENCLAVE_PATH": str(package.parent)})

    assert unable.fails(8, "enclave", "status").code == "enclave-unavailable"


def test_9_is_a_wait_that_was_too_long(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        failed = program.fails(9, "wait", "--for", "node", "--timeout", "0.5", "--node", url)

    assert failed.code == "timed-out"


def test_130_is_an_interruption(program: Program) -> None:
    plain, structured = (interrupted(program, form) for form in ((), AS_JSON))

    assert said(plain, structured, 130).code == "interrupted"


def interrupted(program: Program, form: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    """A wait that is interrupted while a server owes it an answer."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.settimeout(WAIT_S)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        waiting = program.start("wait", "--for", "node", "--timeout", "60", "--node", url, *form)
        asked, _ = deaf.accept()
        with asked:
            waiting.send_signal(signal.SIGINT)
            return ended(waiting)


def test_130_is_said_alike_while_the_program_is_still_being_loaded(
    program: Program, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "click.py").write_text(
        'import time\nprint("loading", flush=True)\nwhile True:\n    time.sleep(0.01)\n'
    )
    loading = Program(program.home, {"PYTHONPATH": str(slow)})
    plain, structured = (interrupted_early(loading, form) for form in ((), AS_JSON))

    assert said(plain, structured, 130).code == "interrupted"
    assert structured.stderr == interrupted(program, AS_JSON).stderr
    assert plain.stderr == "enigmacli: error: interrupted\n"


def interrupted_early(
    program: Program, form: tuple[str, ...]
) -> "subprocess.CompletedProcess[str]":
    """A command that is interrupted while it loads a library that takes for ever."""
    loading = program.start("status", *form)
    assert loading.stdout
    assert loading.stdout.readline() == "loading\n"
    loading.send_signal(signal.SIGINT)
    return ended(loading)


def test_there_is_a_test_for_each_exit_code() -> None:
    tested = {int(found[1]) for name in globals() if (found := re.match(r"test_(\d+)_", name))}

    assert tested == set(MEANINGS)
