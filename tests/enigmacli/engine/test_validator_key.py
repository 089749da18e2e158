"""Key files in CometBFT's form, and the guard against signing twice."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import VerifyKey

from enigmacli.engine.validator_key import DoubleSignError, Ed25519Key, SignedBlock, Signer
from enigmacli.errors import ConfigError, HomeMissingError, StorageError
from tests.enigmacli.engine.chain_kit import make_key

COMETBFT_PRIVATE = (
    "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIHNl3u2pFrlCmw3nyHfuyfylb15t+bdW7sYZRoq4ATbiA=="
)
COMETBFT_KEY = """{
  "address": "10CB5E1084A782671DE977B8097F5606B726919F",
  "pub_key": {
    "type": "tendermint/PubKeyEd25519",
    "value": "zZd7tqRa5QpsN58h37sn8pW9ebfm3Vu7GGUaKuAE24g="
  },
  "priv_key": {
    "type": "tendermint/PrivKeyEd25519",
    "value": "PRIVATE"
  }
}""".replace("PRIVATE", COMETBFT_PRIVATE)
"""Written by CometBFT 0.38.25 from the secret ``x`` (``ed25519.GenPrivKeyFromSecret``)."""


def test_a_key_file_of_cometbft_is_read(tmp_path: Path) -> None:
    path = tmp_path / "priv_validator_key.json"
    path.write_text(COMETBFT_KEY)

    key = Ed25519Key.load(path)

    assert key.address.hex().upper() == "10CB5E1084A782671DE977B8097F5606B726919F"
    assert json.loads(key.encode_validator_key()) == json.loads(COMETBFT_KEY)


def test_a_written_key_is_read_back(tmp_path: Path) -> None:
    key = Ed25519Key.generate()
    for name, data in (("v", key.encode_validator_key()), ("n", key.encode_node_key())):
        (tmp_path / name).write_bytes(data)
        assert Ed25519Key.load(tmp_path / name).public_key == key.public_key


def test_two_generated_keys_differ() -> None:
    assert Ed25519Key.generate().public_key != Ed25519Key.generate().public_key


def test_the_representation_hides_the_key() -> None:
    key = make_key("a")

    assert repr(key) == f"Ed25519Key({key.address.hex()})"


def _change(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("priv_key", None, "not a key file"),
        ("priv_key.type", "tendermint/PrivKeySecp256k1", "holds no"),
        ("priv_key.value", "!", "not a key file"),
        ("priv_key.value", base64.b64encode(bytes(32)).decode(), "not 64 bytes"),
        ("priv_key.value", base64.b64encode(bytes(64)).decode(), "do not belong together"),
        ("pub_key.value", base64.b64encode(bytes(32)).decode(), "another key's"),
        ("pub_key", {}, "not a key file"),
        ("pub_key.value", "\u00e9", "not a key file"),
    ],
)
def test_a_malformed_key_file_is_refused(
    tmp_path: Path, path: str, value: Any, message: str
) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(_change(json.loads(COMETBFT_KEY), path, value)))

    with pytest.raises(ConfigError, match=message):
        Ed25519Key.load(file)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "\udcff"], ids=repr)
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigError):
        Ed25519Key.load(file)


def test_a_missing_key_file_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(HomeMissingError) as missing:
        Ed25519Key.load(tmp_path / "none.json")

    assert missing.value.hint.startswith("bring it back")


def test_a_signature_verifies() -> None:
    signer = Signer(make_key("a"), None)

    signature = signer.sign(SignedBlock(1, b"h"), b"vote")

    VerifyKey(signer.key.public_key).verify(b"vote", signature)


def test_a_second_block_at_one_height_is_never_signed() -> None:
    signer = Signer(make_key("a"), None)
    signer.sign(SignedBlock(5, b"one"), b"vote one")

    with pytest.raises(DoubleSignError, match="second block at height 5"):
        signer.sign(SignedBlock(5, b"two"), b"vote two")


def test_a_lower_height_is_never_signed() -> None:
    signer = Signer(make_key("a"), None)
    signer.sign(SignedBlock(5, b"one"), b"vote")

    with pytest.raises(DoubleSignError, match="height 4 after 5"):
        signer.sign(SignedBlock(4, b"zero"), b"vote")


def test_the_same_block_may_be_signed_again_with_another_time() -> None:
    signer = Signer(make_key("a"), None)

    first = signer.sign(SignedBlock(5, b"one"), b"vote at noon")

    assert signer.sign(SignedBlock(5, b"one"), b"vote at one") != first


def test_the_store_of_the_last_run_is_remembered() -> None:
    signer = Signer(make_key("a"), None)
    signer.resume(SignedBlock(7, b"seven"))

    with pytest.raises(DoubleSignError):
        signer.sign(SignedBlock(7, b"another"), b"vote")


def test_an_older_store_than_the_signatures_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "priv_validator_state.json"
    signer = Signer(make_key("a"), file)
    signer.sign(SignedBlock(9, b"nine"), b"sign bytes of nine")
    signer.save()

    with pytest.raises(DoubleSignError, match="signed height 9, the block store ends at 3"):
        Signer(make_key("a"), file).resume(SignedBlock(3, b"three"))


def test_another_block_at_the_signed_height_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "priv_validator_state.json"
    signer = Signer(make_key("a"), file)
    signer.sign(SignedBlock(9, b"nine"), b"sign bytes of nine")
    signer.save()

    Signer(make_key("a"), file).resume(SignedBlock(9, b"nine"))
    with pytest.raises(DoubleSignError, match="another block at height 9"):
        Signer(make_key("a"), file).resume(SignedBlock(9, b"other"))


def test_the_state_file_is_cometbfts(tmp_path: Path) -> None:
    file = tmp_path / "priv_validator_state.json"
    signer = Signer(make_key("a"), file)
    signature = signer.sign(SignedBlock(9, b"nine"), b"\x01\xab")
    signer.save()

    assert json.loads(file.read_text()) == {
        "height": "9",
        "round": 0,
        "step": 3,
        "signature": base64.b64encode(signature).decode(),
        "signbytes": "01AB",
    }
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["{}", '{"height": "x"}', '{"height": "1", "signbytes": "zz"}'])
def test_a_malformed_state_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "priv_validator_state.json"
    file.write_text(text)

    with pytest.raises(ConfigError, match="sign state"):
        Signer(make_key("a"), file).resume(SignedBlock(1, b"one"))


def test_a_state_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    signer = Signer(make_key("a"), tmp_path / "missing" / "state.json")
    signer.sign(SignedBlock(1, b"one"), b"vote")

    with pytest.raises(StorageError):
        signer.save()
