"""What is stopped: each change that this program makes to a disk, from a prepared folder."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from enclave import calls
from enigmacli.engine.validator_key import Ed25519Key, SignedBlock, Signer
from enigmacli.simulated_intel import pki
from enigmacli.simulated_intel.dcap_pki import DcapPki
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.platforms import Platforms
from tests.simulators.enclave_home import EnclaveHome
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram

DONE: Final = (0,)
DONE_OR_THERE: Final = (0, 3)
"""A command that never overwrites says exit 3 where the stopped run had completed."""


@dataclass(frozen=True)
class Scenario:
    """One change."""

    root: Path
    """The folder that it changes."""
    run: Callable[[], int]
    """Makes the change; the exit code."""
    again: tuple[int, ...] = DONE
    """Exit codes of the same command, once more."""


def _command(
    program: NetworkProgram,
    *arguments: str,
    root: Path | None = None,
    again: tuple[int, ...] = DONE,
) -> Scenario:
    return Scenario(root or program.home, lambda: program(*arguments).code, again)


def _made(network: NetworkInMemory, name: str) -> NetworkProgram:
    """A new network's home that nothing was done in yet."""
    program = NetworkProgram(network.folder / name, network)
    program.ok("init", name, "--simulated", "--chain-id", "net-1", "--ias-root",
               str(network.root_file))  # fmt: skip
    return program


def init(network: NetworkInMemory) -> Scenario:
    program = NetworkProgram(network.folder / "new" / "home", network)
    arguments = ("init", "new", "--simulated", "--chain-id", "net-1", "--ias-root")
    root = network.folder / "new"
    root.mkdir()
    return _command(program, *arguments, str(network.root_file), root=root, again=DONE_OR_THERE)


def keygen(network: NetworkInMemory) -> Scenario:
    return _command(_made(network, "home"), "enclave", "keygen")


def bootstrap(network: NetworkInMemory) -> Scenario:
    program = _made(network, "home")
    program.prepare_account("alice")
    program.ok("genesis", "add-account", "alice", "1000uscrt")
    return _command(program, "bootstrap")


def install(network: NetworkInMemory) -> Scenario:
    program = network.newcomer("bob")
    program.ok("tx", "register", "auth", str(program.home / "attestation_cert.der"), "-y")
    return _command(program, "seed", "unseal")


def join(network: NetworkInMemory) -> Scenario:
    """The seed and the receipt of a node that the chain, which nobody stops, has registered."""
    program = network.newcomer("bob")
    program.ok("tx", "register", "auth", str(program.home / "attestation_cert.der"), "-y")
    return _command(program, "join")


def backup(network: NetworkInMemory) -> Scenario:
    out = network.folder / "out"
    out.mkdir()
    return _command(
        network.first, "enclave", "backup", "--out", str(out / "copy"), root=out,
        again=DONE_OR_THERE,
    )  # fmt: skip


def restore(network: NetworkInMemory) -> Scenario:
    program = network.first
    program.ok("enclave", "keygen")
    copy = network.folder / "copy"
    program.ok("enclave", "backup", "--out", str(copy))
    for sealed in (program.home / "enclave").glob("*.sealed"):
        sealed.unlink()
    return _command(program, "enclave", "restore", str(copy))


def reset(network: NetworkInMemory) -> Scenario:
    return _command(network.first, "enclave", "reset", "-y")


def config_set(network: NetworkInMemory) -> Scenario:
    return _command(_made(network, "home"), "config", "set", "node.moniker", "other")


def genesis_account(network: NetworkInMemory) -> Scenario:
    program = _made(network, "home")
    program.prepare_account("alice")
    return _command(program, "genesis", "add-account", "alice", "1000uscrt")


def keys_add(network: NetworkInMemory) -> Scenario:
    program = _made(network, "home")
    program.ok("config", "set", "account.keyring_backend", "test")
    return _command(program, "keys", "add", "alice", again=DONE_OR_THERE)


def keys_add_with_words(network: NetworkInMemory) -> Scenario:
    program = _made(network, "home")
    program.ok("config", "set", "account.keyring_backend", "test")
    words = str(program.home / "new-words")
    return _command(
        program, "keys", "add", "alice", "--mnemonic-file", words, again=DONE_OR_THERE
    )  # fmt: skip


def keys_import(network: NetworkInMemory) -> Scenario:
    program = _made(network, "home")
    program.prepare_account("alice")
    words = network.folder / "passphrase"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    armour = network.folder / "alice.armour"
    program.ok("keys", "export", "alice", "--out", str(armour), "--export-passphrase-file",
               str(words))  # fmt: skip
    return _command(
        program, "keys", "import", "copy", str(armour), "--export-passphrase-file", str(words),
        again=DONE_OR_THERE,
    )  # fmt: skip


def evidence_file(network: NetworkInMemory) -> Scenario:
    return _command(network.newcomer("bob"), "attest", "fetch")


def clock_advance(network: NetworkInMemory) -> Scenario:
    home = EnclaveHome(network.folder / "enclave")
    home.bootstrap()
    home.service.advance(calls.Advance(1_000_000))

    def advance() -> int:
        EnclaveHome(home.folder).service.advance(calls.Advance(2_000_000))
        return 0

    return Scenario(home.folder, advance)


def sign_state(network: NetworkInMemory) -> Scenario:
    folder = network.folder / "data"
    folder.mkdir()
    key = Ed25519Key.generate()

    def sign(height: int) -> int:
        signer = Signer(key, folder / "priv_validator_state.json")
        block = SignedBlock(height, bytes([height]) * 32)
        signer.resume(block)
        signer.sign(block, block.block_hash)
        signer.save()
        return 0

    sign(1)
    return Scenario(folder, lambda: sign(2))


def simulated_intel_keys(network: NetworkInMemory) -> Scenario:
    root = network.folder / "service"
    root.mkdir()

    def start() -> int:
        with pytest.MonkeyPatch.context() as patch:
            for size in ("_ROOT_BITS", "_LEAF_BITS"):
                patch.setattr(pki, size, 1024)  # quickly made, many times over
            SimulatedPki.load_or_create(root / "intel", datetime(2026, 1, 2, tzinfo=UTC))
        return 0

    return Scenario(root, start)


def simulated_dcap_keys(network: NetworkInMemory) -> Scenario:
    root = network.folder / "service"
    root.mkdir()

    def start() -> int:
        DcapPki.load_or_create(root / "intel", datetime(2026, 1, 2, tzinfo=UTC))
        return 0

    return Scenario(root, start)


def simulated_platforms(network: NetworkInMemory) -> Scenario:
    root = network.folder / "service"
    root.mkdir()
    Platforms(root / "list.json").add(b"1" * 32)

    def provision() -> int:
        Platforms(root / "list.json").add(b"2" * 32)
        return 0

    return Scenario(root, provision)


SCENARIOS: Final = (
    init, keygen, bootstrap, install, join, backup, restore, reset, config_set, genesis_account,
    keys_add, keys_add_with_words, keys_import, evidence_file, clock_advance, sign_state,
    simulated_intel_keys, simulated_dcap_keys, simulated_platforms,
)  # fmt: skip
