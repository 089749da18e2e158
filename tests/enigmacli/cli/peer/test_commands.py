import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pki import SimulatedPki
from tests.corpus import corpus_dir
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram, network_in_memory

NAMES = ("attestation_cert.der", "attestation_combined.bin")


@pytest.fixture
def network(
    tmp_path: Path,
    pki: SimulatedPki,
    pcs: SimulatedPcs,
    root_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[NetworkInMemory]:
    """A network that accepts both kinds; commands work in a folder of their own."""
    with network_in_memory(tmp_path, pki, root_file, pcs) as made:
        assert made.first.ok("status")
        work = tmp_path / "work"
        work.mkdir()
        monkeypatch.chdir(work)
        yield made


@pytest.fixture
def newcomer(network: NetworkInMemory) -> NetworkProgram:
    """A home with an account and no key."""
    program = NetworkProgram(network.folder / "bob", network)
    program.ok("init", "bob", "--genesis", str(network.first.home / "config" / "genesis.json"))
    address = program.prepare_account("bob")
    network.first.ok("tx", "bank", "send", "alice", address, "10000000uscrt", "-y")
    return program


@pytest.fixture
def registered(newcomer: NetworkProgram) -> NetworkProgram:
    newcomer.ok("init-enclave")
    newcomer.ok("tx", "register", "auth", NAMES[0], "-y")
    newcomer.ok("query", "register", "secret-network-params")
    return newcomer


def encrypted_seed(home: NetworkProgram) -> str:
    node_id = home.ok("parse", NAMES[0])["node_id"]
    return home("q", "register", "seed", node_id).out.strip()


# --- init-enclave and parse -------------------------------------------------------------------


def test_init_enclave_again_keeps_the_key_and_brings_new_evidence(newcomer: NetworkProgram) -> None:
    first = newcomer.ok("init-enclave")
    again = newcomer.ok("init-enclave")

    assert (first["created"], again["created"]) == (True, False)
    assert first["node_id"] == again["node_id"] == newcomer.ok("enclave", "status")["node_id"]
    assert [Path(file).name for file in again["files"]] == [NAMES[0], *NAMES]


@pytest.mark.parametrize(
    ("options", "kept", "name"),
    [((), NAMES[0], NAMES[1]), (("--provider", "dcap"), NAMES[1], NAMES[0])],
)
def test_either_name_may_be_registered_whatever_the_kind(
    newcomer: NetworkProgram, options: tuple[str, ...], kept: str, name: str
) -> None:
    made = newcomer.ok("init-enclave", *options)

    assert newcomer("parse", name).out == f"0x{made['node_id']}\n"
    assert Path(name).read_bytes() == (newcomer.home / kept).read_bytes()
    assert newcomer.ok("tx", "register", "auth", name, "-y")["node_id"] == made["node_id"]


def test_a_kind_that_was_excluded_is_refused_before_a_key_is_made(newcomer: NetworkProgram) -> None:
    refused = [
        newcomer("init-enclave", "--no-epid", "-o", "json"),
        newcomer("init-enclave", "--no-dcap", "--provider", "dcap", "-o", "json"),
    ]

    assert [one.code for one in refused] == [2, 2]
    assert all("--provider" in one.error["hint"] for one in refused)
    assert newcomer.ok("enclave", "status")["node_id"] is None
    newcomer.ok("init-enclave", "--no-dcap")
    newcomer.ok("init-enclave", "--no-epid", "--provider", "dcap")


@pytest.mark.parametrize("option", ["--migration", "--unbound-attestation"])
def test_an_option_without_a_meaning_here_is_refused(newcomer: NetworkProgram, option: str) -> None:
    refused = newcomer("init-enclave", option, "-o", "json")

    assert refused.code == 2
    assert refused.error["message"] == f"{option} is not possible here"
    assert refused.error["hint"]


def test_a_reset_is_asked_for_and_moves_the_key_aside(newcomer: NetworkProgram) -> None:
    first = newcomer.ok("init-enclave")

    unasked = newcomer("init-enclave", "--reset")
    kept = newcomer.ok("enclave", "status")["node_id"]
    reset = newcomer.ok("init-enclave", "--reset", "-y")

    assert (unasked.code, kept) == (2, first["node_id"])
    assert reset["created"]
    assert reset["node_id"] != first["node_id"]
    assert list(newcomer.home.glob("enclave-*/*registration*"))


def test_reset_enclave_is_enclave_reset(newcomer: NetworkProgram) -> None:
    newcomer.ok("init-enclave")

    assert newcomer("reset-enclave").code == 2
    assert newcomer.ok("reset-enclave", "-y")["moved"]
    assert newcomer.ok("enclave", "status")["node_id"] is None


def test_parse_reads_the_peers_own_certificate(program: Any) -> None:
    file = corpus_dir() / "secretnetwork" / "attestation_cert_hw_v2"

    shown = program("parse", str(file))

    assert shown.code == 0
    assert shown.out.startswith("0xdb8ca8fa")
    assert len(shown.out.strip()) == 66


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x82", b"{}", bytes(2000)])
def test_parse_refuses_what_is_no_evidence(program: Any, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "junk"
    file.write_bytes(data)

    refused = program("parse", str(file), "-o", "json")

    assert (refused.code, refused.out) == (5, "")


@pytest.mark.parametrize(("data", "shown"), [(b"\x00\xff", "00ff\n"), (b"", "")])
def test_dump_shows_any_file_in_hex(program: Any, tmp_path: Path, data: bytes, shown: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)

    assert program("dump", str(file)).out == shown
    assert program.ok("dump", str(file)) == {"size_bytes": len(data), "hex": data.hex()}


def test_dump_reads_no_file_without_end(program: Any) -> None:
    assert program("dump", "/dev/zero").code == 3


# --- init-bootstrap and configure-secret --------------------------------------------------------


def test_init_bootstrap_writes_the_keys_of_genesis_and_may_be_repeated(
    network: NetworkInMemory,
) -> None:
    made = network.first.ok("init-bootstrap")
    files = [Path(name) for name in ("node-master-key.txt", "io-master-key.txt")]
    written = [file.read_bytes() for file in files]
    again = network.first.ok("init-bootstrap", "node-master-key.txt", "io-master-key.txt")

    assert [base64.b64decode(data).hex() for data in written] == [
        made["exchange_pk"],
        made["io_pk"],
    ]
    assert [len(data) for data in written] == [44, 44]
    assert again == made
    assert made["changed"] is False
    assert network.first("init-bootstrap").out == f"{made['exchange_pk']}\n{made['io_pk']}\n"


def test_init_bootstrap_never_overwrites_another_networks_key(network: NetworkInMemory) -> None:
    other = base64.b64encode(bytes(32))
    Path("node-master-key.txt").write_bytes(other)

    refused = network.first("init-bootstrap", "-o", "json")

    assert (refused.code, refused.error["code"]) == (3, "file-exists")
    assert Path("node-master-key.txt").read_bytes() == other
    assert network.first("init-bootstrap", "a.txt", "b.txt").code == 0


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_configure_secret_installs_what_was_fetched(
    registered: NetworkProgram, prefix: str
) -> None:
    digits = encrypted_seed(registered).removeprefix("0x")

    installed = registered.ok("configure-secret", "node-master-key.txt", prefix + digits)
    again = registered.ok("configure-secret", "node-master-key.txt", prefix + digits)

    assert installed == again
    assert registered.ok("seed", "status")["matches_genesis"]


def test_a_seed_that_was_changed_is_refused_by_the_enclave(registered: NetworkProgram) -> None:
    digits = encrypted_seed(registered).removeprefix("0x")
    changed = f"{int(digits, 16) ^ 1:096x}"

    refused = registered("configure-secret", "node-master-key.txt", changed, "-o", "json")

    assert refused.code in (5, 8)
    assert registered.ok("seed", "status")["seeds"] == 0


def test_a_master_key_of_another_network_is_refused(registered: NetworkProgram) -> None:
    Path("other.txt").write_bytes(base64.b64encode(bytes(31) + b"\x09"))

    refused = registered("configure-secret", "other.txt", encrypted_seed(registered), "-o", "json")

    assert refused.code in (5, 6, 8)
    assert registered.ok("seed", "status")["seeds"] == 0


@pytest.mark.parametrize("data", [b"", b"x", b"AAAA", b"\xff" * 44, bytes(2000)])
def test_a_file_that_holds_no_master_key_is_named(registered: NetworkProgram, data: bytes) -> None:
    Path("other.txt").write_bytes(data)

    refused = registered("configure-secret", "other.txt", "00" * 48, "-o", "json")

    assert refused.code == 3
    assert "other.txt" in refused.error["message"]


@pytest.mark.parametrize(
    ("seed", "said"),
    [("", "is empty"), ("0x", "is empty"), ("00", "96 hex digits"), ("z" * 96, "96")],
)
def test_a_seed_that_is_none_is_refused_with_what_to_do(
    newcomer: NetworkProgram, seed: str, said: str
) -> None:
    refused = newcomer("configure-secret", "node-master-key.txt", seed, "-o", "json")

    assert refused.code == 2
    assert said in refused.error["message"]
    assert "seed" in refused.error["hint"]


def test_check_enclave_says_that_it_is_well_and_simulated(newcomer: NetworkProgram) -> None:
    shown = newcomer("check-enclave")

    assert (shown.code, shown.out) == (0, "simulated enclave health status: Success\n")
    assert "simulation" in shown.err


def test_add_genesis_account_and_validate_genesis_are_ours(simulated: Any) -> None:
    address = simulated.ok("keys", "add", "a", "--keyring-backend", "test")["address"]

    added = simulated.ok("add-genesis-account", address, "5uscrt")
    again = simulated.ok("genesis", "add-genesis-account", address, "5uscrt")
    refused = simulated("validate-genesis", "-o", "json")

    assert (added["changed"], again["changed"]) == (True, False)
    assert (refused.code, refused.error["code"]) == (3, "not-bootstrapped")
