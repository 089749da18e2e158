"""The whole story with secrets that are known, and every mistake that touches one of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e.canary_network import ENVIRONMENT, KnownHome, Watch, network_canaries
from tests.e2e.canary_search import Canary, Finding, children, command_line, search_memory
from tests.e2e.story_processes import Running

ANY_PORT: Final = "127.0.0.1:0"
API_KEY: Final = "canary-api-key-of-the-attestation-service"
WRONG: Final = "canary-passphrase-that-opens-nothing-at-all"


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
