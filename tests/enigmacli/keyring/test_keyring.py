"""The keyring: keys come, stay, sign and go; nothing is overwritten and nothing leaks."""

import json
from pathlib import Path

import pytest

from enigmacli.chain.signing import is_signature
from enigmacli.errors import KeyringError, PassphraseError, StorageError
from enigmacli.keyring import AccountKey, Keyring, generate_phrase, parse_phrase

PASSPHRASE = "correct horse"  # noqa: S105 -- of no key that exists
PHRASE = parse_phrase("abandon " * 11 + "about")
ADDRESS = "enigma19rl4cm2hmr8afy4kldpxz3fka4jguq0adg5p6h"


def ring(folder: Path, backend: str = "test", coin_type: int = 118) -> Keyring:
    return Keyring(folder / "keyring", backend, coin_type, "enigma")


def passphrase_of(backend: str) -> str:
    return PASSPHRASE if backend == "file" else ""


@pytest.mark.parametrize("backend", ["file", "test"])
def test_a_key_is_kept_and_signs(tmp_path: Path, backend: str) -> None:
    made = ring(tmp_path, backend).recover("one", PHRASE, passphrase_of(backend))
    again = ring(tmp_path, backend)

    assert made.address == ADDRESS
    assert made.path == "m/44'/118'/0'/0/0"
    assert again.show("one") == made
    signature = again.sign("one", b"message", passphrase_of(backend))
    assert is_signature(made.public_key, b"message", signature)


def test_a_new_key_comes_back_from_its_words(tmp_path: Path) -> None:
    phrase = generate_phrase()
    made = ring(tmp_path).recover("one", phrase)

    again = ring(tmp_path).recover("two", phrase)

    assert (again.address, again.public_key) == (made.address, made.public_key)
    assert again.account == made.account


def test_another_coin_is_another_key(tmp_path: Path) -> None:
    key = ring(tmp_path, coin_type=529).recover("one", PHRASE)

    assert key.address != ADDRESS
    assert key.path == "m/44'/529'/0'/0/0"


def test_keys_are_listed_by_name(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    assert keyring.list() == ()

    for name in ("b", "a-1", "C_2"):
        keyring.recover(name, PHRASE)
    (keyring.folder / "notes.txt").write_text("not a key")

    assert [key.name for key in keyring.list()] == ["C_2", "a-1", "b"]


def test_a_deleted_key_is_gone(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)

    keyring.delete("one")

    assert keyring.list() == ()
    with pytest.raises(KeyringError, match="no key one in the keyring test"):
        keyring.delete("one")


def test_files_are_private(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)

    assert keyring.folder.stat().st_mode & 0o777 == 0o700
    assert (keyring.folder / "one.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in keyring.folder.iterdir()] == ["one.key"]


def test_an_encrypted_file_shows_the_public_key_only(tmp_path: Path) -> None:
    keyring = ring(tmp_path, "file")
    keyring.recover("one", PHRASE, PASSPHRASE)
    secret = keyring.unlock("one", PASSPHRASE).reveal()

    text = (keyring.folder / "one.key").read_bytes()

    assert set(json.loads(text)) == {
        "cipher", "format", "kdf", "memory_bytes", "name", "nonce", "operations", "path",
        "public_key", "salt", "secret", "version",
    }  # fmt: skip
    assert secret not in text
    assert secret.hex().encode() not in text


def test_a_file_of_the_backend_test_warns(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)

    document = json.loads((keyring.folder / "one.key").read_text())

    assert document["warning"].startswith("NOT ENCRYPTED")


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    keyring = ring(tmp_path, "file")
    keyring.recover("one", PHRASE, PASSPHRASE)

    with pytest.raises(PassphraseError, match="does not open key one"):
        keyring.sign("one", b"message", PASSPHRASE + "!")


def test_a_passphrase_may_be_typed_on_another_keyboard(tmp_path: Path) -> None:
    keyring = ring(tmp_path, "file")
    keyring.recover("one", PHRASE, "passphrasé")

    keyring.unlock("one", "passphrase\N{COMBINING ACUTE ACCENT}")


@pytest.mark.parametrize("passphrase", ["", "short"])
def test_a_short_passphrase_is_refused_and_no_file_is_made(tmp_path: Path, passphrase: str) -> None:
    keyring = ring(tmp_path, "file")

    with pytest.raises(PassphraseError, match="at least 8 characters"):
        keyring.recover("one", PHRASE, passphrase)
    assert not keyring.folder.exists()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)
    before = (keyring.folder / "one.key").read_bytes()

    with pytest.raises(KeyringError, match="never overwritten"):
        keyring.recover("one", generate_phrase())
    assert (keyring.folder / "one.key").read_bytes() == before


def test_a_key_that_appears_after_the_check_is_not_overwritten_either(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)

    with pytest.raises(KeyringError, match="never overwritten"):
        keyring._save("one", "m/0", keyring.unlock("one"), "")


@pytest.mark.parametrize(
    "name", ["", "a/b", "../a", "a b", "é", ".hidden", "a" * 65, "a\n", "a.key"]
)
def test_a_name_that_is_no_name_is_refused_everywhere(tmp_path: Path, name: str) -> None:
    keyring = ring(tmp_path)

    with pytest.raises(KeyringError, match="is no name of a key"):
        keyring.recover(name, PHRASE)
    for use in (keyring.show, keyring.delete, keyring.unlock):
        with pytest.raises(KeyringError, match="is no name of a key"):
            use(name)


def test_a_missing_key_is_named_with_its_backend(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="no key one in the keyring file") as caught:
        ring(tmp_path, "file").sign("one", b"", PASSPHRASE)
    assert caught.value.details == {"name": "one", "backend": "file"}


@pytest.mark.parametrize(("backend", "coin_type"), [("os", 118), ("", 118), ("test", -1)])
def test_an_unknown_backend_or_coin_is_refused(
    tmp_path: Path, backend: str, coin_type: int
) -> None:
    with pytest.raises(KeyringError):
        ring(tmp_path, backend, coin_type)


def test_keys_of_one_backend_are_not_used_as_the_others(tmp_path: Path) -> None:
    ring(tmp_path, "test").recover("one", PHRASE)

    with pytest.raises(KeyringError, match="not of the backend file"):
        ring(tmp_path, "file").show("one")


def test_a_renamed_file_is_refused(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)
    (keyring.folder / "one.key").rename(keyring.folder / "two.key")

    with pytest.raises(KeyringError, match="holds the key 'one'"):
        keyring.list()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)
    file = keyring.folder / "one.key"
    file.write_bytes(file.read_bytes()[:-10])

    with pytest.raises(KeyringError, match=r"one\.key: this is no account key of ours"):
        keyring.list()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    keyring.recover("one", PHRASE)
    (keyring.folder / "one.key").chmod(0o644)

    with pytest.raises(StorageError, match="open to other users"):
        keyring.show("one")


def test_a_folder_that_cannot_be_read_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "keyring").write_text("a file")

    with pytest.raises(StorageError, match="cannot read"):
        ring(tmp_path).list()


def test_a_place_that_cannot_be_looked_at_is_a_storage_error(tmp_path: Path) -> None:
    keyring = ring(tmp_path / ("x" * 300))

    with pytest.raises(StorageError, match="cannot look for"):
        keyring.recover("one", PHRASE)
    with pytest.raises(StorageError, match="cannot read"):
        keyring.show("one")


def test_a_key_that_cannot_be_deleted_is_a_storage_error(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    (keyring.folder / "one.key").mkdir(parents=True)

    with pytest.raises(StorageError, match="cannot delete"):
        keyring.delete("one")


# --- exports -----------------------------------------------------------------------------------


def export(folder: Path) -> tuple[AccountKey, str]:
    keyring = ring(folder, "test")
    key = keyring.recover("one", PHRASE)
    return key, keyring.export("one", "", "export passphrase")


def test_an_export_is_text_that_comes_back(tmp_path: Path) -> None:
    key, armour = export(tmp_path)
    lines = armour.splitlines()

    assert lines[0] == "-----BEGIN ENIGMA ACCOUNT KEY-----"
    assert all(line.isascii() and len(line) <= 64 for line in lines)
    other = ring(tmp_path / "other", "file")
    imported = other.import_key("two", armour, "export passphrase", PASSPHRASE)
    assert (imported.address, imported.path) == (key.address, key.path)
    assert is_signature(key.public_key, b"m", other.sign("two", b"m", PASSPHRASE))


def test_an_export_survives_mail(tmp_path: Path) -> None:
    _, armour = export(tmp_path)
    mailed = "\r\n\r\n" + armour.replace("\n", "  \r\n") + "\r\n"

    assert ring(tmp_path).import_key("two", mailed, "export passphrase").address == ADDRESS


def test_an_export_has_its_own_passphrase(tmp_path: Path) -> None:
    _, armour = export(tmp_path)

    with pytest.raises(PassphraseError):
        ring(tmp_path).import_key("two", armour, PASSPHRASE)


def test_an_import_never_overwrites(tmp_path: Path) -> None:
    _, armour = export(tmp_path)

    with pytest.raises(KeyringError, match="never overwritten"):
        ring(tmp_path).import_key("one", armour, "export passphrase")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with -----BEGIN"),
        ("-----BEGIN TENDERMINT PRIVATE KEY-----\nx\n-----END ENIGMA ACCOUNT KEY-----", "begins"),
        ("-----BEGIN ENIGMA ACCOUNT KEY-----\nAAAA", "ends with"),
        ("-----BEGIN ENIGMA ACCOUNT KEY-----\n!\n-----END ENIGMA ACCOUNT KEY-----", "damaged"),
        ("-----BEGIN ENIGMA ACCOUNT KEY-----\nAAAA\n-----END ENIGMA ACCOUNT KEY-----", "no a"),
        ("-----BEGIN ENIGMA ACCOUNT KEY-----" + "A" * 50_000, "begins with"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(KeyringError, match=why):
        ring(tmp_path).import_key("two", text, "export passphrase")
