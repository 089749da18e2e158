"""A network of real processes whose every secret is known beforehand.

Its trusted package is a copy in which secrets come from the path of the state folder and the
name of the call that asks for them, in place of the kernel's random generator. The copy's
measurement is what its network allows, so the whole story runs on it unchanged.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mnemonic import Mnemonic

import enclave
from enclave import keys
from enclave.backends import simulation
from enclave.codec import decode
from enclave.exchange import _DOMAIN as EXCHANGE_DOMAIN
from enclave.keys import Order, Secret
from enclave.measurement import measure
from enclave.sealing import _INFO, _PREFIX, _Blob
from enigmacli.keyring import derivation
from tests.e2e.canary_search import (
    Canary,
    Finding,
    arguments_and_environments,
    process_ids,
    search,
    search_memory,
)

COIN_TYPE: Final = 118
_LOOKS: Final = 20
ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith("ENIGMA_")
}
# Stops when the command is over and before its memory is given back.
_STOPPING: Final = """\
import os, signal
from enigmacli.__main__ import main
try:
    main()
finally:
    os.kill(os.getpid(), signal.SIGSTOP)
"""
_PLANT: Final = """\
        import hashlib, sys
        state = sys.argv[sys.argv.index("--state") + 1]
        words = f"canary|{state}|{sys._getframe(1).f_code.co_name}"
        return cls(bytearray(hashlib.sha256(words.encode()).digest()[:size]))
"""
_RANDOM: Final = "        return cls(bytearray(os.urandom(size)))\n"


def planted(state: Path, call: str) -> bytes:
    """What the planted source gives to ``call`` over the state folder ``state``."""
    return hashlib.sha256(f"canary|{state}|{call}".encode()).digest()


def copy_package(folder: Path) -> Path:
    """A trusted package in ``folder`` whose secrets are :func:`planted`."""
    package = folder / "enclave"
    shutil.copytree(
        Path(enclave.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    source = (package / "keys.py").read_text()
    assert source.count(_RANDOM) == 1, "secrets come from elsewhere now"
    (package / "keys.py").write_text(source.replace(_RANDOM, _PLANT))
    return folder


class Watch:
    """Collects arguments and environments of all processes until it is left."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        looks: Counter[int] = Counter()
        while not self._over.wait(0.05):
            pids = set(process_ids())
            looks = Counter({pid: looks[pid] + 1 for pid in pids})
            # a process may still become another program, or change its words, after its start
            young = [pid for pid in pids if looks[pid] < _LOOKS or not looks[pid] % _LOOKS]
            self.seen |= arguments_and_environments(young)


@dataclass
class KnownHome:
    """One home; what is secret of it is known."""

    folder: Path
    """Everything in here is searched."""
    inputs: Path
    """What the operator gives; is not searched."""
    name: str
    package: Path
    outputs: int = 0
    findings: list[Finding] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    looked_into: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def state(self) -> Path:
        return self.path / "enclave"

    @property
    def words(self) -> str:
        entropy = hashlib.sha256(f"canary words of {self.name}".encode()).digest()
        return Mnemonic("english").to_mnemonic(entropy)

    @property
    def passphrase(self) -> str:
        return f"canary-passphrase-that-opens-the-keyring-of-{self.name}"

    @property
    def export_passphrase(self) -> str:
        return f"canary-passphrase-that-opens-the-exported-key-of-{self.name}"

    def give(self, name: str, text: str) -> str:
        """A file of the operator's with a secret in it."""
        path = self.inputs / f"{self.name}-{name}"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def platform(self) -> simulation.SimulatedPlatform:
        key = Secret(bytearray(planted(self.state, "_create_key")))
        return simulation.SimulatedPlatform(key, measure(self.package / "enclave"))

    def account_canaries(self) -> list[Canary]:
        """They may be in the memory of the commands that sign or manage keys."""
        phrase = derivation.parse_phrase(self.words)
        signs = rf"memory of {self.name}: (tx|keys) .*"
        exports = rf"memory of {self.name}: keys (export|import) .*"
        known = {
            "words": self.words.encode(),
            "entropy": hashlib.sha256(f"canary words of {self.name}".encode()).digest(),
            "bip39 seed": derivation.to_seed(phrase),
            "account key": derivation.PrivateKey.from_phrase(phrase, COIN_TYPE).reveal(),
            "passphrase": self.passphrase.encode(),
        }
        own = [Canary(f"{self.name}'s {what}", value, signs) for what, value in known.items()]
        export = Canary(
            f"{self.name}'s export passphrase", self.export_passphrase.encode(), exports
        )
        return [*own, export]

    def enclave_canaries(self) -> list[Canary]:
        """They may be in no process but the keyed enclave, and in no file."""
        platform = self.platform()
        key = planted(self.state, "_create_key")
        sealing_key = platform.sealing_key()
        found = [
            Canary(f"{self.name}'s platform key", key, rf"file {self.name}/enclave/platform\.key"),
            Canary(f"{self.name}'s sealing key", bytes(sealing_key.data)),
            Canary(f"{self.name}'s quoting key", bytes(platform._quoting_seed().data)),
            Canary(f"{self.name}'s registration key", planted(self.state, "keygen")),
        ]
        for path in sorted(self.state.glob("*.sealed")):
            blob = decode(_Blob, path.read_bytes()[len(_PREFIX) :])
            blob_key = keys.derive_key(sealing_key, blob.salt, _INFO)
            found.append(Canary(f"key of {self.name}'s {path.name}", bytes(blob_key.data)))
        return found

    def __call__(
        self, *arguments: str, secrets: Sequence[Canary] = (), code: int | None = 0
    ) -> dict[str, Any]:
        """Run a command to its end, look into its memory, and keep all that it said.

        Args:
            arguments: of the command line.
            secrets: to be looked for in its memory.
            code: the exit code it must have.
        """
        self.outputs += 1
        label = " ".join(arguments[:3])
        out = self.folder / f"{self.name}-{self.outputs:02}.out"
        err = out.with_suffix(".err")
        line = ["--home", str(self.path), *arguments, "-o", "json"]
        with out.open("wb") as to, err.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", _STOPPING, *line],
                env=ENVIRONMENT | {"ENIGMA_ENCLAVE_PATH": str(self.package)},
                stdin=subprocess.DEVNULL, stdout=to, stderr=errors,
            )  # fmt: skip
            try:
                self._look(process.pid, label, secrets)
            finally:
                process.send_signal(signal.SIGCONT)
                ended = process.wait(60)
        assert code is None or ended == code, (line, ended, err.read_text())
        self.commands.append(label)
        text = out.read_text() if ended == 0 else err.read_text().splitlines()[-1]
        document: dict[str, Any] = json.loads(text)
        return document

    def _look(self, pid: int, label: str, secrets: Sequence[Canary]) -> None:
        _, status = os.waitpid(pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"{label} ended before it could be looked at: {status}"
        place = f"memory of {self.name}: {label}"
        self.looked_into.append(place)
        self.findings += search_memory(pid, secrets, place)


def network_canaries(
    first: KnownHome, network_id: bytes, newcomers: Sequence[KnownHome]
) -> list[Canary]:
    """The seed, all that is derived from it, and what wraps it for each newcomer."""
    seed = Secret(bytearray(planted(first.state, "bootstrap")))
    found = [Canary("the seed", bytes(seed.data))]
    for order in Order:
        derived = keys.derive_secret(seed, order)
        found.append(Canary(f"the {order.name.lower()} secret", bytes(derived.data)))
    private_key = keys.derive_secret(seed, Order.SEED_EXCHANGE)
    exchange_pk = keys.derive_public_key(private_key)
    for home in newcomers:
        node_id = keys.derive_public_key(Secret(bytearray(planted(home.state, "keygen"))))
        shared = keys.derive_shared(private_key, node_id)
        info = b"".join((EXCHANGE_DOMAIN, network_id, bytes(4), exchange_pk, node_id))
        wrap = keys.derive_key(shared, keys.SALT, info)
        found += [
            Canary(f"the secret shared with {home.name}", bytes(shared.data)),
            Canary(f"the wrap key for {home.name}", bytes(wrap.data)),
        ]
    return found


def search_watched(watch: Watch, canaries: Sequence[Canary]) -> list[Finding]:
    """Every secret in the arguments and environments that were seen."""
    return [one for text in watch.seen for one in search(text, canaries, text[:7].decode())]
