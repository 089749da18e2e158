"""Nothing leaks: the whole story with secrets that are known, and a search for them everywhere.

What is searched and what may be where is told in docs/secrets.md.
"""

import base64
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from enclave import keys
from enclave.client import EnclaveClient
from enclave.keys import Secret
from tests.e2e.canary_network import (
    ENVIRONMENT,
    KnownHome,
    Watch,
    copy_package,
    network_canaries,
    planted,
    search_watched,
)
from tests.e2e.canary_search import (
    Canary,
    Finding,
    arguments_and_environments,
    children,
    command_line,
    leaks,
    search,
    search_folder,
    search_memory,
)
from tests.e2e.story_processes import Running

pytestmark = pytest.mark.e2e

ANY_PORT: Final = "127.0.0.1:0"
API_KEY: Final = "canary-api-key-of-the-attestation-service"
WRONG: Final = "canary-passphrase-that-opens-nothing-at-all"
CONTROL: Final = Canary("control", bytes(range(200, 232)) + b"and a few more")


@dataclass
class Story:
    """What was done, and what was found on the way."""

    folder: Path
    inputs: Path
    watch: Watch
    first: KnownHome
    bob: KnownHome
    network_id: bytes = b""
    url: str = ""
    found: list[Finding] = field(default_factory=list)
    looked_into: list[str] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    """Signals that keyed enclaves were ended with."""

    @property
    def canaries(self) -> list[Canary]:
        api_key = r"memory of (intel: ias serve|proxy: ias proxy|\w+: (bootstrap|attest fetch) .*)"
        common = [
            Canary("the API key", API_KEY.encode(), api_key),
            Canary("the wrong passphrase", WRONG.encode(), r"memory of \w+: tx .*"),
        ]
        network = network_canaries(self.first, self.network_id, [self.bob])
        homes = (self.first, self.bob)
        own = [one for home in homes for one in home.enclave_canaries()]
        accounts = [one for home in homes for one in home.account_canaries()]
        return [*common, *network, *own, *accounts]

    @contextmanager
    def serving(self, name: str, *arguments: str) -> Iterator[Running]:
        """A command that serves until the block is left; its output is searched at the end."""
        home = self.folder / name
        home.mkdir(mode=0o700, exist_ok=True)
        log = self.folder / f"{name}-{arguments[0]}-{time.monotonic_ns()}.log"
        line = [sys.executable, "-m", "enigmacli", "--home", str(home), *arguments, "-o", "json"]
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                line,
                env=ENVIRONMENT | {"ENIGMA_ENCLAVE_PATH": str(self.folder / "package")},
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=home,
            )  # fmt: skip
        try:
            yield Running(process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=30)

    def look_into(self, running: Running, name: str) -> None:
        """Search a serving process and everything it started but the keyed enclave."""
        self.found += search_memory(running.process.pid, self.canaries, f"memory of {name}")
        self.looked_into.append(name)
        for pid in children(running.process.pid):
            role = command_line(pid).split(b"--role\0")[-1].split(b"\0")[0].decode()
            place = f"memory of {name}: {role}"
            try:
                found = search_memory(pid, self.canaries, place)
            except PermissionError:  # it is hardened even against its own user
                assert os.getuid() != 0
                assert role in ("keys", "judge")
                continue
            self.looked_into.append(f"{name}: {role}")
            if role == "keys":  # what proves that this search finds
                assert any("platform key" in one.canary for one in found)
            else:
                self.found += found

    def stop_enclave(self, running: Running, number: int) -> None:
        """End a node's keyed enclave as a crash would."""
        keyed = [pid for pid in children(running.process.pid) if b"\0keys\0" in command_line(pid)]
        assert keyed, "the node runs no keyed enclave"
        for pid in keyed:
            os.kill(pid, number)
            self.stops.append(number)


def begin(story: Story, intel: str) -> None:
    """Two homes with accounts, and a bootstrapped genesis."""
    first, bob = story.first, story.bob
    first("init", "first", "--simulated", "--chain-id", "canary-1", "--ias-root", intel)
    add_account(first)
    address = first("keys", "show", "first")["address"]
    first("genesis", "add-account", address, "1000000000uscrt")
    api_key = first.give("api-key", API_KEY)
    first("bootstrap", "--url", intel, "--api-key-file", api_key, secrets=story.canaries)
    bob("init", "bob", "--genesis", str(first.path / "config" / "genesis.json"))
    add_account(bob)


def add_account(home: KnownHome) -> None:
    home(
        "keys", "add", home.name, "--recover", "--source", home.give("words", home.words),
        "--passphrase-file", home.give("passphrase", home.passphrase),
        secrets=home.account_canaries(),
    )  # fmt: skip


def opened(home: KnownHome) -> tuple[str, str]:
    return "--passphrase-file", str(home.inputs / f"{home.name}-passphrase")


def join(story: Story, intel: str, proxy: str) -> None:
    """Bob's way into the network, with every mistake that touches a secret."""
    first, bob = story.first, story.bob
    node = ("--node", story.url)
    canaries = story.canaries
    address = bob("keys", "show", "bob", secrets=canaries)["address"]
    send = ("tx", "bank", "send", "first", address, "20000000uscrt", "-y", *node)
    wrong = first.give("wrong", WRONG)
    first(*send, "--passphrase-file", wrong, secrets=canaries, code=3)
    first(*send, *opened(first), secrets=canaries)
    bob("enclave", "keygen", secrets=canaries)
    canaries = story.canaries  # bob's files are sealed by now
    bob("attest", "fetch", "--url", intel, code=3, secrets=canaries)  # without the API key
    api_key = ("--api-key-file", bob.give("api-key", API_KEY))
    bob("attest", "fetch", "--url", intel, *api_key, secrets=canaries)
    through = ("--provider", "ias", "--url", proxy)
    bob("attest", "fetch", *through, *api_key, secrets=canaries)
    evidence = str(bob.path / "attestation_cert.der")
    bob("attest", "verify", evidence, "--policy", str(bob.path / "config" / "genesis.json"))
    bob("seed", "unseal", *node, secrets=canaries, code=None)  # too early
    bob("tx", "register", "auth", evidence, "-y", *node, *opened(bob), secrets=canaries)
    bob("seed", "wait", *node, secrets=canaries)
    bob("seed", "unseal", *node, secrets=canaries)
    bob("status", *node, code=None, secrets=canaries)


def keep_safe(story: Story) -> None:
    """Backups, restores that must and must not work, damaged files, exported keys."""
    first, bob = story.first, story.bob
    canaries = story.canaries
    backup = str(story.folder / "backup-of-bob")
    bob("enclave", "seal", secrets=canaries)
    bob("enclave", "backup", "--out", backup, secrets=canaries)
    sealed = bob.state / "seed.sealed"
    whole = sealed.read_bytes()
    sealed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    bob("enclave", "status", code=None, secrets=canaries)
    bob("enclave", "seal", code=8, secrets=canaries)
    sealed.unlink()
    first("enclave", "verify-backup", backup, code=8, secrets=canaries)
    first("enclave", "restore", backup, code=3, secrets=canaries)  # its node runs
    bob("enclave", "restore", backup, secrets=canaries)
    assert sealed.read_bytes() == whole
    exported = str(story.folder / "bob.key")
    own = ("--export-passphrase-file", bob.give("export", bob.export_passphrase))
    bob("keys", "export", "bob", "--out", exported, *own, *opened(bob), secrets=canaries)
    wrong = bob.give("wrong", WRONG)
    bob("keys", "import", "copy", exported, *own, "--passphrase-file", wrong, code=None)
    bob("keys", "delete", "bob", "-y", code=None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The whole story; afterwards every process has ended."""
    folder, inputs = tmp_path_factory.mktemp("searched"), tmp_path_factory.mktemp("given")
    package = copy_package(folder / "package")
    first, bob = (KnownHome(folder, inputs, name, package) for name in ("first", "bob"))
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # whoever may dump its memory, does
    with ExitStack() as stack, Watch() as watch:
        told = Story(folder, inputs, watch, first, bob)
        tell(told, stack)
        stack.close()
        backup = str(folder / "backup-of-bob")
        told.first("enclave", "restore", backup, code=8, secrets=told.canaries)
        yield told
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def tell(story: Story, stack: ExitStack) -> None:
    key = story.first.give("api-key", API_KEY)
    service = stack.enter_context(
        story.serving("intel", "ias", "serve", "--listen", ANY_PORT, "--client-key-file", key)
    )
    intel = str(service.wait_for("listening")["url"])
    upstream = ("--upstream", intel, "--api-key-file", key, "--client-key-file", key)
    proxying = stack.enter_context(
        story.serving("proxy", "ias", "proxy", "--listen", ANY_PORT, *upstream)
    )
    proxy = str(proxying.wait_for("listening")["url"])
    begin(story, intel)
    interval = ("--block-interval", "0.1")
    node = stack.enter_context(story.serving("first", "start", "--rpc-listen", ANY_PORT, *interval))
    story.url = str(node.wait_for("listening")["rpc"])
    story.network_id = bytes.fromhex(story.first("enclave", "status")["network_id"])
    join(story, intel, proxy)
    keep_safe(story)
    follow = ("start", "--follow", story.url, "--rpc-listen", ANY_PORT)
    with story.serving("bob", *follow) as follower:
        follower.wait_for("caught_up")
        send(story)
        for running, name in ((follower, "bob: start"), (node, "first: start")):
            story.look_into(running, name)
        for number in (signal.SIGABRT, signal.SIGSEGV):
            story.stop_enclave(node, number)
            height = send(story)
            follower.wait_for("block", height=height)
        story.look_into(node, "first: start")
    story.look_into(service, "intel: ias serve")
    story.look_into(proxying, "proxy: ias proxy")


def send(story: Story) -> int:
    """A transaction of the first account; the height it is in."""
    sent = story.first(
        "tx", "bank", "send", "first", "first", "1uscrt", "-y", "--node", story.url,
        *opened(story.first), secrets=story.canaries,
    )  # fmt: skip
    return int(sent["height"])


# --- the search finds ---------------------------------------------------------------------------


@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("form", CONTROL.forms)
def test_the_search_finds_each_form_in_any_bytes(form: str, offset: int) -> None:
    if form.startswith("base64"):
        before = bytes(int(form[-1]) + 3 * offset)
        around = base64.b64encode(before + CONTROL.value + b"behind")
    else:
        around = b"\xff" * offset + CONTROL.forms[form] + b"\x00"

    found = list(search(b"a\x00" + around + b"\x00z", [CONTROL], "here"))

    assert Finding("control", form, "here") in found
    assert not list(search(around[:20] + around[40:], [CONTROL], "here"))


def test_the_search_finds_each_form_in_files_memory_arguments_and_environments(
    tmp_path: Path,
) -> None:
    control = Canary("control", b"canary in the coal mine, of printable bytes")
    (tmp_path / "deep").mkdir()
    for number, text in enumerate(control.forms.values()):
        (tmp_path / "deep" / f".{number}.db").write_bytes(b"\x00\x01" + text + b"\x00")
    program = (
        "import os, sys\n"
        "kept = [bytes(bytearray.fromhex(word)) for word in sys.argv[1].split('.')]\n"
        "os.write(1, b'!')\n"
        "os.read(0, 1)\n"
    )
    texts = [form.decode("latin-1") for form in control.forms.values()]
    # as hex of each form, so that the memory holds a form only once it is decoded
    words = ".".join(text.encode().hex() for text in texts)
    with subprocess.Popen(
        [sys.executable, "-c", program, words, *texts],
        env={"LEAK": "\n".join(texts)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.read(1)
        in_memory = {one.form for one in search_memory(process.pid, [control], "memory")}
        texts_seen = arguments_and_environments([process.pid])
        process.communicate(b".")
    in_arguments = {
        (one.form, one.place)
        for text in texts_seen
        for one in search(text, [control], text[:7].decode())
    }
    in_files = {one.form for one in search_folder(tmp_path, [control])[0]}

    assert in_memory == in_files == set(control.forms)
    assert in_arguments == {
        (form, kind) for form in control.forms for kind in ("cmdline", "environ")
    }


def test_a_secret_out_of_its_place_is_a_leak() -> None:
    known = Canary("known", bytes(32), r"file home/platform\.key")
    found = [Finding("known", "raw", f"file home/{name}") for name in ("platform.key", "log")]

    assert leaks(found, [known]) == found[1:]


def test_the_planted_secrets_are_the_ones_in_use(story: Story) -> None:
    def public(home: KnownHome, call: str) -> str:
        return keys.derive_public_key(Secret(bytearray(planted(home.state, call)))).hex()

    seed = Secret(bytearray(planted(story.first.state, "bootstrap")))
    statuses = {home.name: home("enclave", "status") for home in (story.first, story.bob)}

    assert statuses["bob"]["node_id"] == public(story.bob, "keygen")
    for status in statuses.values():
        assert status["exchange_pk"] == keys.derive_exchange_pk(seed).hex()
    for home in (story.first, story.bob):
        assert (home.state / "platform.key").read_bytes() == planted(home.state, "_create_key")


# --- nothing is found ----------------------------------------------------------------------------


def test_no_file_log_or_output_holds_a_secret(story: Story) -> None:
    canaries = story.canaries
    found, read = search_folder(story.folder, canaries)

    assert leaks(found, canaries) == []
    for name in ("first/data/blocks.db", "first/data/state.db", "bob/data/state.db"):
        assert f"file {name}" in read
    assert any(place.endswith(".err") for place in read)
    # the simulated processor is a file, and the search sees it
    assert {one.canary for one in found} == {"first's platform key", "bob's platform key"}


def test_no_argument_list_and_no_environment_holds_a_secret(story: Story) -> None:
    lines = [text for text in story.watch.seen if text.startswith(b"cmdline")]

    assert search_watched(story.watch, story.canaries) == []
    for words in (b"--role\0keys", b"--role\0judge", b"\0start\0", b"\0unseal\0", b"\0restore\0"):
        assert any(words in line for line in lines), words


def test_no_other_process_has_a_secret_in_its_memory(story: Story) -> None:
    found = [*story.found, *story.first.findings, *story.bob.findings]

    assert leaks(found, story.canaries) == []
    wanted = {"first: start", "bob: start", "intel: ias serve", "proxy: ias proxy"}
    if os.getuid() == 0:
        wanted |= {"first: start: judge", "first: start: keys", "bob: start: judge"}
    assert wanted <= set(story.looked_into)
    assert len(story.bob.looked_into) > 10
    # where secrets are used, they are found: the search looks at the right memory
    assert any(one.canary == "the API key" for one in found)
    assert any("passphrase" in one.canary for one in found)


def test_an_enclave_that_crashes_leaves_no_memory_behind(story: Story, tmp_path: Path) -> None:
    control = subprocess.Popen([sys.executable, "-c", "import os; os.abort()"], cwd=tmp_path)
    _, control_status = os.waitpid(control.pid, 0)
    control.returncode = control_status
    dumped = {}
    for number in (signal.SIGABRT, signal.SIGSEGV):
        with EnclaveClient.keys(package=story.folder / "package", state=story.bob.state) as client:
            assert client.status().seeds == 1
            process: Any = client._process
            limits = Path(f"/proc/{process._popen.pid}/limits").read_text()
            os.kill(process._popen.pid, number)
            _, status = os.waitpid(process._popen.pid, 0)
        assert os.WTERMSIG(status) == number
        dumped[number] = os.WCOREDUMP(status)
        (core,) = [line for line in limits.splitlines() if "core file" in line]
        assert core.split()[4:6] == ["0", "0"]

    assert story.stops == [signal.SIGABRT, signal.SIGSEGV]
    assert not any(dumped.values())
    if os.WCOREDUMP(control_status):  # this system does write them, and here is one
        written = list(tmp_path.glob("core*"))
        assert written or Path("/proc/sys/kernel/core_pattern").read_text() != "core\n"
    started_s = (story.folder / "package").stat().st_mtime
    for folder in (Path("/"), *(path for path in story.folder.rglob("*") if path.is_dir())):
        cores = [path for path in folder.glob("core*") if path.stat().st_mtime > started_s]
        assert not cores, folder


def test_the_sequence_of_the_story_was_told_to_its_end(story: Story) -> None:
    told: Sequence[str] = [*story.first.commands, *story.bob.commands]

    for words in ("bootstrap", "enclave restore", "keys export", "seed unseal", "tx register"):
        assert any(line.startswith(words) for line in told), words
