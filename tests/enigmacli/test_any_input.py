"""Whatever stands in a file or comes in an answer, its parser reads it or refuses it by name."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave import calls, sealing
from enclave.backup import open_bundle
from enclave.errors import BackupError, SealedStateError
from enclave.keys import Secret
from enclave.sealing import Label, Purpose
from enigmacli.app.genesis import GenesisDocument
from enigmacli.attestation.ias_answer import parse_chain
from enigmacli.chain.messages import Coin, MsgSend, RaAuthenticate, parse_message
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import ConfigError, EnigmaError, KeyringError, MalformedError
from enigmacli.keyring import derivation
from tests.enigmacli.app.chain import ALICE, BOB, genesis
from tests.enigmacli.engine.chain_kit import make_key
from tests.fuzz.mutation import pick
from tests.simulators.enclave_home import EnclaveHome

ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 2**63, 2**64, 10**18, 1.5, "", "0", "-1", "ä", "\x00", "A" * 5000,
    "9" * 5000, [], {}, [[]], {"": None}, "null", "enigma1", "2026-02-30T00:00:00Z",
)  # fmt: skip
KEY: Final = bytes(range(32))
SENDING: Final = MsgSend(ALICE.bech32, BOB.bech32, (Coin("uscrt", 1),))
REGISTER: Final = RaAuthenticate(ALICE.address, b"evidence")


@dataclass(frozen=True)
class Parser:
    """One parser, what it reads, and what it may raise."""

    read: Callable[[bytes], object]
    genuine: bytes
    refuses: tuple[type[Exception], ...]


def unseal(data: bytes) -> object:
    return sealing.unseal(data, Secret(bytearray(KEY)), "simulation", Purpose.SEED, None)


def seal() -> bytes:
    label = Label("simulation", Purpose.SEED, bytes(32), 1, bytes(32))
    return sealing.seal(label, Secret(bytearray(KEY)), Secret(bytearray(KEY)))


def phrase(data: bytes) -> object:
    return derivation.parse_phrase(data.decode(errors="replace"))


PARSERS: Final = {
    "genesis": Parser(GenesisDocument.parse, genesis().encode(), (ConfigError,)),
    "sealed blob": Parser(unseal, seal(), (SealedStateError,)),
    "recovery phrase": Parser(
        phrase, derivation.generate_phrase().reveal().encode(), (KeyringError,)
    ),
    "certificate chain": Parser(
        lambda data: parse_chain(data.decode("latin-1")), b"%2D%2D%2D%2D%2DBEGIN", (MalformedError,)
    ),
    "send": Parser(
        lambda data: parse_message(SENDING.TYPE_URL, data), SENDING.encode(), (MalformedError,)
    ),
    "register": Parser(
        lambda data: parse_message(REGISTER.TYPE_URL, data), REGISTER.encode(), (MalformedError,)
    ),
}


def change_leaf(rng: Random, value: Any) -> Any:
    """A JSON value of which one member, somewhere, is another one, missing, or doubled."""
    if isinstance(value, dict) and value:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {key: kept for key, kept in value.items() if key != name}
        if rng.random() < 0.1:
            return value | {f"{name}_": value[name]}
        return value | {name: change_leaf(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], change_leaf(rng, value[at]), *value[at + rng.randint(0, 1) :]]
    return rng.choice(ODD)


def make_input(seed: int, genuine: bytes) -> bytes:
    """Damaged bytes, or well-formed JSON with a damaged value where the genuine is JSON."""
    rng = Random(seed)  # noqa: S311 -- no secret
    if genuine[:1] == b"{" and rng.random() < 0.7:
        return json.dumps(change_leaf(rng, json.loads(genuine))).encode()
    return pick(rng, [genuine])


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200)
@given(seed=st.integers(0, 2**64))
def test_a_parser_reads_or_refuses_by_name(name: str, seed: int) -> None:
    parser = PARSERS[name]
    data = make_input(seed, parser.genuine)
    with suppress(*parser.refuses):
        parser.read(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("kind", ["validator", "node"])
@settings(max_examples=150)
@given(seed=st.integers(0, 2**64))
def test_a_key_file_of_a_node_is_read_or_refused_by_name(
    folder: Path, kind: str, seed: int
) -> None:
    key = make_key("a")
    genuine = key.encode_validator_key() if kind == "validator" else key.encode_node_key()
    path = folder / f"{kind}.json"
    path.write_bytes(make_input(seed, genuine))
    path.chmod(0o600)
    try:
        loaded = Ed25519Key.load(path)
    except EnigmaError:
        return
    assert loaded.public_key == key.public_key


@cache
def backed_up(folder: Path) -> tuple[EnclaveHome, calls.BackupBundle]:
    home = EnclaveHome(folder / "home")
    home.bootstrap()
    home.keygen()
    return home, home.service.backup(calls.Backup())


@settings(max_examples=150)
@given(seed=st.integers(0, 2**64), what=st.integers(0, 2))
def test_a_backup_opens_whole_or_is_refused_by_name(folder: Path, seed: int, what: int) -> None:
    home, bundle = backed_up(folder)
    manifest, blobs = bundle.manifest, list(bundle.blobs)
    if what == 0:
        manifest = make_input(seed, manifest)
    else:
        name, data = blobs[what - 1].name, blobs[what - 1].data
        blobs[what - 1] = calls.SealedBlob(name, make_input(seed, data))
    damaged = calls.BackupBundle(manifest, tuple(blobs))
    try:
        _, opened = open_bundle(damaged, home.platform)
    except BackupError:
        return
    assert damaged == bundle
    with opened:
        assert opened.seeds
