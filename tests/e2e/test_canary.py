"""Nothing leaks: the whole story with secrets that are known, and a search for them everywhere.

What is searched and what may be where is told in docs/secrets.md.
"""

import base64
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from enclave import keys
from enclave.client import EnclaveClient
from enclave.keys import Secret
from tests.e2e.canary_network import KnownHome, Watch, copy_package, planted, search_watched
from tests.e2e.canary_search import (
    Canary,
    Finding,
    arguments_and_environments,
    leaks,
    search,
    search_folder,
    search_memory,
)
from tests.e2e.canary_story import Story, tell

pytestmark = pytest.mark.e2e

CONTROL: Final = Canary("control", bytes(range(200, 232)) + b"and a few more")


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
