"""Files of a node, whatever stands in them, are read whole or refused by name.

Parsers of bytes alone are all in tests/fuzz/test_parsers.py.
"""

from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave import calls
from enclave.backup import open_bundle
from enclave.errors import BackupError
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import EnigmaError
from tests.enigmacli.engine.chain_kit import make_key
from tests.fuzz.mutation import make_input
from tests.simulators.enclave_home import EnclaveHome


def damaged(seed: int, genuine: bytes) -> bytes:
    return make_input(Random(seed), [genuine])  # noqa: S311 -- no secret


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
    path.write_bytes(damaged(seed, genuine))
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
        manifest = damaged(seed, manifest)
    else:
        name, data = blobs[what - 1].name, blobs[what - 1].data
        blobs[what - 1] = calls.SealedBlob(name, damaged(seed, data))
    changed = calls.BackupBundle(manifest, tuple(blobs))
    try:
        _, opened = open_bundle(changed, home.platform)
    except BackupError:
        return
    assert changed == bundle
    with opened:
        assert opened.seeds
