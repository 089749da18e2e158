"""Commands that need no chain, under kill -9: from a prepared home, killed, run again, compared."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enigmacli.child import Child
from tests.faults.killing import Case, Trial, must

TEST_KEYS: Final = ("--keyring-backend", "test")
FUNDS: Final = "1000000000000uscrt"
CHAIN_ID: Final = "kills-1"
_PRECIOUS: Final = (
    "config/*key.json", "enclave/*.key", "enclave/registration.sealed", "enclave/seed.sealed",
    "keyring-*/*.key",
)  # fmt: skip
_THERE: Final = ("file-exists", "keyring")
"""What makes a thing that is never overwritten says so where the killed run had made it."""


@dataclass(frozen=True)
class HomeCase:
    """One command, the home that it starts from, and what it leaves or removes."""

    name: str
    stage: str
    arguments: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    """Files of the workshop that are there afterwards."""
    removes: tuple[str, ...] = ()
    """Precious files of the home that are gone afterwards."""
    moves_keys: bool = False
    """Puts precious files aside on purpose."""
    ready: str = ""


@dataclass(frozen=True)
class Workshop:
    """Homes at several stages, and a simulated Intel that answers."""

    folder: Path
    intel: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def cases(self) -> tuple[Case, ...]:
        """Each command that changes something and needs no chain."""
        return tuple(map(self.case, (*self._key_cases(), *self._genesis_cases(),
                                     *self._enclave_cases(), *self._server_cases())))  # fmt: skip

    def case(self, of: HomeCase) -> Case:
        """``of`` as something that can be struck."""
        return Case(of.name, lambda _generator: self._lay_out(of))

    def _key_cases(self) -> tuple[HomeCase, ...]:
        export = ("--export-passphrase-file", self._path("passphrase"))
        file_keys = ("--keyring-backend", "file", "--passphrase-file", self._path("passphrase"))
        return (
            HomeCase("keys add", "made", ("keys", "add", "operator", *TEST_KEYS), _THERE,
                     ("home/keyring-test/operator.key",)),
            HomeCase("keys add --mnemonic-file", "made",
                     ("keys", "add", "vault", "--mnemonic-file", self._path("new-words"),
                      *file_keys),
                     _THERE, ("home/keyring-file/vault.key", "new-words")),
            HomeCase("keys import", "made",
                     ("keys", "import", "taken", self._path("exported"), *export, *TEST_KEYS),
                     _THERE, ("home/keyring-test/taken.key",)),
            HomeCase("keys export", "account",
                     ("keys", "export", "operator", "--out", self._path("new-export"), *export,
                      *TEST_KEYS), _THERE, ("new-export",)),
            HomeCase("keys delete", "account", ("keys", "delete", "operator", "-y", *TEST_KEYS),
                     ("keyring",), removes=("keyring-test/operator.key",)),
        )  # fmt: skip

    def _genesis_cases(self) -> tuple[HomeCase, ...]:
        second = str(self.folder / "whole" / "config" / "genesis.json")
        return (
            HomeCase("init", "none", self._init, _THERE, ("home/config.toml",)),
            HomeCase("init --genesis", "none", ("init", "beta", "--genesis", second), _THERE,
                     ("home/config.toml", "home/config/genesis.json")),
            HomeCase("config set", "made", ("config", "set", "node.moniker", "beta")),
            HomeCase("genesis add-account", "account",
                     ("genesis", "add-account", "operator", FUNDS, *TEST_KEYS)),
            HomeCase("genesis add-validator", "whole",
                     ("genesis", "add-validator", "--operator", "operator", "--power", "7",
                      *TEST_KEYS)),
            HomeCase("genesis set-policy", "made", ("genesis", "set-policy", self._path("policy"))),
            HomeCase("bootstrap", "funded", ("bootstrap", "--url", self.intel, *TEST_KEYS),
                     leaves=("home/enclave/seed.sealed",)),
        )  # fmt: skip

    def _enclave_cases(self) -> tuple[HomeCase, ...]:
        evidence = ("--provider", "simulated", "--url", self.intel, *TEST_KEYS)
        return (
            HomeCase("enclave keygen", "made", ("enclave", "keygen"),
                     leaves=("home/enclave/registration.sealed",)),
            HomeCase("enclave seal", "whole", ("enclave", "seal")),
            HomeCase("enclave evidence", "whole",
                     ("enclave", "evidence", "--out", self._path("new-quote"), *TEST_KEYS),
                     _THERE, ("new-quote",)),
            HomeCase("enclave backup", "whole",
                     ("enclave", "backup", "--out", self._path("new-backup")), _THERE,
                     ("new-backup/manifest.json",)),
            HomeCase("enclave restore", "emptied",
                     ("enclave", "restore", self._path("kept-backup")),
                     leaves=("home/enclave/registration.sealed", "home/enclave/seed.sealed")),
            HomeCase("enclave verify-backup", "whole",
                     ("enclave", "verify-backup", self._path("kept-backup"))),
            HomeCase("enclave reset", "whole", ("enclave", "reset", "-y"), moves_keys=True),
            HomeCase("attest fetch", "whole", ("attest", "fetch", *evidence),
                     leaves=("home/attestation_cert.der",)),
            HomeCase("status", "whole", ("status",)),
        )  # fmt: skip

    def _server_cases(self) -> tuple[HomeCase, ...]:
        serve = ("start", "--rpc-listen", "127.0.0.1:0", "--empty-blocks-interval", "0.1")
        boot = ("--bootstrap", "--url", self.intel, *TEST_KEYS)
        return (
            HomeCase("ias serve", "none", ("ias", "serve", "--listen", "127.0.0.1:0"),
                     leaves=("home/ias/ias_pki.pem",), ready="listening"),
            HomeCase("start", "whole", serve, ready="listening"),
            HomeCase("start --bootstrap", "funded", (*serve, *boot), ready="listening",
                     leaves=("home/enclave/seed.sealed",)),
        )  # fmt: skip

    @property
    def _init(self) -> tuple[str, ...]:
        return (
            "init", "alpha", "--simulated", "--chain-id", CHAIN_ID, "--ias-root", self.intel,
        )  # fmt: skip

    def _path(self, name: str) -> str:
        return str(self.folder / name)

    def prepare(self) -> None:
        """Make the home of every stage, in the order in which a person would."""
        (self.folder / "none").mkdir()
        (self.folder / "passphrase").write_text("a passphrase of four words\n")
        steps = (
            ("made", self._init),
            ("account", ("keys", "add", "operator", *TEST_KEYS)),
            ("funded", ("genesis", "add-account", "operator", FUNDS, *TEST_KEYS)),
            ("whole", ("bootstrap", "--url", self.intel, *TEST_KEYS)),
        )
        for stage, arguments in steps:
            self._at_home(*arguments)
            if stage == "whole":
                self._at_home("enclave", "keygen")
            shutil.copytree(self.home, self.folder / stage)
        self._at_home("enclave", "backup", "--out", self._path("kept-backup"))
        self._at_home("keys", "export", "operator", "--out", self._path("exported"),
                      "--export-passphrase-file", self._path("passphrase"), *TEST_KEYS)  # fmt: skip
        self._write_policy()
        for sealed in (self.home / "enclave").glob("*.sealed"):
            sealed.unlink()
        shutil.copytree(self.home, self.folder / "emptied")

    def _write_policy(self) -> None:
        genesis = json.loads((self.folder / "made" / "config" / "genesis.json").read_bytes())
        policy = genesis["app_state"]["register"]["params"]
        policy["max_evidence_age_s"] -= 1
        (self.folder / "policy").write_text(json.dumps(policy))

    def _at_home(self, *arguments: str) -> None:
        must(*arguments, "--home", str(self.home))

    def set_home(self, stage: str) -> None:
        """A fresh copy of that stage, and nothing of what earlier strikes left outside."""
        shutil.rmtree(self.home, ignore_errors=True)
        for left in self.folder.glob("new-*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if stage != "none":
            shutil.copytree(self.folder / stage, self.home)

    def _lay_out(self, of: HomeCase) -> Trial:
        self.set_home(of.stage)
        before = self._precious()
        return Trial(
            (*of.arguments, "--home", str(self.home)),
            of.allowed, lambda: self._faults(of, before), of.ready,
        )  # fmt: skip

    def _faults(self, of: HomeCase, before: dict[str, bytes]) -> list[str]:
        if of.moves_keys:
            return self._moved_faults(before)
        after = self._precious()
        lost = [name for name, data in before.items()
                if after.get(name) != data and name not in of.removes]  # fmt: skip
        kept = [name for name in of.removes if name in after]
        missing = [name for name in of.leaves if not (self.folder / name).exists()]
        return [
            *(f"lost: {name}" for name in lost),
            *(f"still there: {name}" for name in kept),
            *(f"not there: {name}" for name in missing),
        ]

    def _precious(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for pattern in _PRECIOUS
            for path in self.home.glob(pattern)
        }

    def _moved_faults(self, before: dict[str, bytes]) -> list[str]:
        held = {path.read_bytes() for path in self.home.glob("enclave*/*")}
        return [f"lost: {name}" for name, data in before.items()
                if name.startswith("enclave/") and data not in held]  # fmt: skip


@contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Homes at every stage; the simulated Intel ends with the block."""
    state = folder / "intel"
    arguments = ("ias", "serve", "--listen", "127.0.0.1:0", "--state", str(state))
    with Child("intel", arguments, folder / "logs") as intel:
        made = Workshop(folder, str(intel.listening()["url"]))
        made.prepare()
        yield made
