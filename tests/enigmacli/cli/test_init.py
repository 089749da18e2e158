import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from enclave import measurement
from enclave.appraise.policy import Policy
from enigmacli.app.genesis import GenesisDocument
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import GenesisError
from enigmacli.genesis_source import from_answer
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_policy import find_root, simulated_policy


def genesis_of(program: Any) -> GenesisDocument:
    return GenesisDocument.parse((program.home / "config" / "genesis.json").read_bytes())


def files_of(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def test_a_plain_init_makes_configuration_and_node_keys(program: Any) -> None:
    made = program.ok("init", "alpha")

    assert set(files_of(program.home)) == {
        "config.toml",
        "config/node_key.json",
        "config/priv_validator_key.json",
    }
    assert made["chain_id"] is made["genesis_hash"] is None
    assert program.ok("config", "show", "node.moniker") == {"node": {"moniker": "alpha"}}


def test_everything_in_a_home_is_its_owners_alone(simulated: Any) -> None:
    paths = [simulated.home, *simulated.home.rglob("*")]

    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths} == {0}


def test_node_keys_are_cometbfts_and_new_in_every_home(program: Any) -> None:
    made = program.ok("init", "alpha")

    key = Ed25519Key.load(program.home / "config" / "priv_validator_key.json")
    assert made["validator_address"] == key.address.hex().upper()
    peer = Ed25519Key.load(program.home / "config" / "node_key.json")
    assert made["peer_id"] == hashlib.sha256(peer.public_key).hexdigest()[:40]
    assert peer.public_key != key.public_key


def test_a_simulated_network_has_the_policy_of_the_installed_enclave(
    simulated: Any, pki: SimulatedPki
) -> None:
    document = genesis_of(simulated)

    policy = document.app_state.policy
    assert policy is not None
    assert document.chain_id == "net-1"
    assert policy.simulation
    assert policy.require_owner
    assert not policy.allow_debug
    assert policy.trust_roots == (pki.trust_root_entry(),)
    assert policy.epid_quote_statuses == ("OK", "SW_HARDENING_NEEDED")
    assert (policy.min_gas_price, policy.max_evidence_age_s) == ("0.0025uscrt", 86400)
    measured = measurement.measure(Path(measurement.__file__).parent)
    assert [value.to_value()["mr_enclave"] for value in policy.measurements] == [measured.hex()]
    assert Policy.parse(policy.encode()) == policy


def test_a_simulated_network_is_loud(program: Any, root_file: Path) -> None:
    made = program("init", "alpha", "--simulated", "--ias-root", str(root_file))

    assert made.code == 0
    assert made.err.count("enigmacli: warning: simulation: ") == 1


def test_another_trusted_package_has_another_measurement(
    program: Any, root_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "other" / "enclave"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text("print()\n")
    monkeypatch.setenv("ENIGMA_ENCLAVE_PATH", str(package.parent))

    program.ok("init", "alpha", "--simulated", "--ias-root", str(root_file))

    policy = genesis_of(program).app_state.policy
    assert policy is not None
    expected = measurement.measure(package).hex()
    assert policy.measurements[0].to_value()["mr_enclave"] == expected


def test_a_second_init_changes_nothing(simulated: Any, root_file: Path) -> None:
    before = files_of(simulated.home)

    for arguments in (
        ["init", "alpha"],
        ["init", "b", "--simulated", "--ias-root", str(root_file)],
    ):
        failed = simulated(*arguments)
        assert failed.code == 3
        assert "there is a home at" in failed.err

    assert files_of(simulated.home) == before


@pytest.mark.parametrize("lost", ["config.toml", "config/node_key.json config.toml"])
def test_an_interrupted_init_is_completed_with_the_keys_it_made(
    simulated: Any, root_file: Path, lost: str
) -> None:
    before = files_of(simulated.home)
    for name in lost.split():
        (simulated.home / name).unlink()

    again = ["init", "alpha", "--simulated", "--chain-id", "net-1", "--ias-root", str(root_file)]
    made = simulated.ok(*again)

    after = files_of(simulated.home)
    assert {Path(path).name for path in made["created"]} == {Path(n).name for n in lost.split()}
    kept = set(before) - set(lost.split())
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert set(after) == set(before)


def test_an_unfinished_home_keeps_its_genesis(simulated: Any, root_file: Path) -> None:
    (simulated.home / "config.toml").unlink()

    failed = simulated(
        "init", "alpha", "--simulated", "--chain-id", "net-2", "--ias-root", str(root_file)
    )

    assert failed.code == 3
    assert "is another genesis document" in failed.err
    assert genesis_of(simulated).chain_id == "net-1"


def test_joining_takes_the_document_byte_for_byte(
    simulated: Any, program: Any, tmp_path: Path
) -> None:
    source = simulated.home / "config" / "genesis.json"
    sha256 = simulated.ok("genesis", "show", "--hash")["genesis_hash"]
    joining = type(program)(tmp_path / "second")

    made = joining.ok("init", "beta", "--genesis", str(source), "--genesis-hash", sha256.upper())

    assert made["genesis_hash"] == sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (joining.home / "config" / "genesis.json").read_bytes() == source.read_bytes()


def test_a_home_without_genesis_may_still_get_one(
    simulated: Any, program: Any, tmp_path: Path
) -> None:
    joining = type(program)(tmp_path / "second")
    joining.ok("init", "beta")
    keys = files_of(joining.home)

    joining.ok("init", "beta", "--genesis", str(simulated.home / "config" / "genesis.json"))

    assert genesis_of(joining).chain_id == "net-1"
    assert {name: files_of(joining.home)[name] for name in keys} == keys


@pytest.mark.parametrize(
    ("change", "arguments", "wanted"),
    [
        (lambda data: data, ["--genesis-hash", "00" * 32], "another hash"),
        (lambda data: data, ["--chain-id", "net-9"], "of chain net-1, not net-9"),
        (lambda data: data[:-9], [], "not strict JSON"),
        (lambda _: b"\x00\xff" * 50, [], "not strict JSON"),
        (lambda _: b"", [], "not strict JSON"),
        (lambda _: b"[" * 10_000, [], "not strict JSON"),
        (lambda _: b"{}", [], "genesis"),
    ],
)
def test_a_wrong_genesis_makes_no_home(
    simulated: Any, tmp_path: Path, change: Any, arguments: list[str], wanted: str
) -> None:
    source = tmp_path / "genesis.json"
    source.write_bytes(change((simulated.home / "config" / "genesis.json").read_bytes()))
    joining = type(simulated)(tmp_path / "second")

    failed = joining("init", "beta", "--genesis", str(source), *arguments)

    assert failed.code == 3
    assert wanted in failed.err
    assert not joining.home.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init"], 2),
        (["init", "a\nb"], 3),
        (["init", "a", "--genesis-hash", "00"], 2),
        (["init", "a", "--ias-root", "x"], 2),
        (["init", "a", "--genesis", "x", "--simulated"], 2),
        (["init", "a", "--genesis", "/nowhere/genesis.json"], 3),
        (["init", "a", "--chain-id", "Not A Chain"], 3),
        (["init", "a", "--simulated", "--ias-root", "/nowhere/root.pem"], 3),
        (["init", "a", "--simulated", "--ias-root", "ftp://here"], 3),
        (["init", "a", "--simulated", "--ias-root", "http://192.0.2.1"], 3),
    ],
)
def test_a_refused_init_makes_no_home(program: Any, arguments: list[str], code: int) -> None:
    assert program(*arguments).code == code
    assert not program.home.exists()


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"\x30\x03abc", b"simulation:####", b"\xff" * 99]
)
def test_a_root_that_is_no_certificate_is_refused(
    program: Any, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "root").write_bytes(content)

    failed = program("init", "a", "--simulated", "--ias-root", str(tmp_path / "root"))

    assert failed.code == 5
    assert not program.home.exists()


def test_a_root_is_read_as_pem_as_der_and_as_a_policy_names_it(
    pki: SimulatedPki, tmp_path: Path
) -> None:
    forms = (pki.root_pem, pki.root_der, f"Root:\n{pki.trust_root_entry()}\n".encode())

    for form in forms:
        (tmp_path / "root").write_bytes(form)
        assert find_root(str(tmp_path / "root")) == pki.trust_root_entry()


def test_roots_are_sorted_and_named_once(pki: SimulatedPki) -> None:
    entry = pki.trust_root_entry()

    assert simulated_policy(bytes(32), [entry, entry]).trust_roots == (entry,)


def test_a_home_below_a_file_is_refused_with_path_and_cause(program: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = type(program)(tmp_path / "file" / "home")

    failed = blocked("-o", "json", "init", "alpha")

    assert failed.code == 3
    assert failed.error["code"] == "storage"
    assert str(blocked.home) in failed.error["message"]
    assert failed.error["hint"]


def test_a_key_file_that_others_may_read_is_refused(program: Any) -> None:
    program.ok("init", "alpha")
    (program.home / "config.toml").unlink()
    (program.home / "config" / "node_key.json").chmod(0o644)

    failed = program("init", "alpha")

    assert failed.code == 3
    assert "open to other users" in failed.err


def test_an_rpc_answer_becomes_the_document_that_the_file_holds(simulated: Any) -> None:
    data = (simulated.home / "config" / "genesis.json").read_bytes()
    answer = {"jsonrpc": "2.0", "id": -1, "result": {"genesis": json.loads(data)}}

    assert from_answer(json.dumps(answer).encode()) == data
    assert from_answer(data) == data


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","result":{"genesis":[]}}',
        b"[" * 999,
    ],
)
def test_an_answer_without_a_document_is_refused(answer: bytes) -> None:
    with pytest.raises(GenesisError):
        from_answer(answer)
