"""The format of key files: one change each, and any bytes at all."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.errors import KeyringError, PassphraseError
from enigmacli.keyring.derivation import PrivateKey
from enigmacli.keyring.key_file import KeyFile

KEY = PrivateKey(b"\x11" * 32)
OTHER = PrivateKey(b"\x12" * 32)
PASSPHRASE = "correct horse"  # noqa: S105 -- of no key that exists
SEALED = KeyFile.seal("one", "m/44'/118'/0'/0/0", KEY, PASSPHRASE).encode()
EXPOSED = KeyFile.expose("one", "m/44'/118'/0'/0/0", KEY).encode()


def changed(data: bytes = SEALED, **members: Any) -> bytes:
    document = json.loads(data) | members
    return json.dumps(
        {name: value for name, value in document.items() if value is not ...}
    ).encode()


def test_a_sealed_file_opens_with_its_passphrase() -> None:
    file = KeyFile.parse(SEALED)

    assert file.is_encrypted
    assert file.public_key == KEY.public_key
    assert file.open(PASSPHRASE).reveal() == KEY.reveal()


def test_an_exposed_file_opens_without() -> None:
    file = KeyFile.parse(EXPOSED)

    assert not file.is_encrypted
    assert file.open("").reveal() == KEY.reveal()


def test_no_two_files_of_one_key_are_alike() -> None:
    first = json.loads(SEALED)
    second = json.loads(KeyFile.seal("one", first["path"], KEY, PASSPHRASE).encode())

    assert first["salt"] != second["salt"]
    assert first["nonce"] != second["nonce"]
    assert first["secret"] != second["secret"]


@pytest.mark.parametrize(
    "members",
    [
        {"name": "two"},
        {"path": "m/0"},
        {"public_key": base64.b64encode(OTHER.public_key).decode()},
        {"operations": 4},
        {"memory_bytes": 8 * 1024 * 1024},
        {"salt": base64.b64encode(bytes(16)).decode()},
        {"nonce": base64.b64encode(bytes(12)).decode()},
        {"secret": base64.b64encode(bytes(48)).decode()},
    ],
)
def test_no_member_of_a_sealed_file_can_be_exchanged(members: dict[str, Any]) -> None:
    with pytest.raises(PassphraseError, match="does not open"):
        KeyFile.parse(changed(**members)).open(PASSPHRASE)


def test_an_exposed_key_must_be_the_one_that_is_named() -> None:
    file = KeyFile.parse(changed(EXPOSED, secret=base64.b64encode(OTHER.reveal()).decode()))

    with pytest.raises(KeyringError, match="not the one that its file names"):
        file.open("")


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"format": "other"}, "no account key of ours"),
        ({"format": ...}, "no account key of ours"),
        ({"version": 2}, "version 2 is not known"),
        ({"version": ...}, "version None is not known"),
        ({"salt": ...}, "other members"),
        ({"extra": 1}, "other members"),
        ({"warning": "x"}, "other members"),
        ({"name": 5}, "another type"),
        ({"path": None}, "another type"),
        ({"public_key": "AAAA"}, "public_key that is not 33 bytes"),
        ({"public_key": 5}, "public_key that is not 33 bytes"),
        ({"secret": "!"}, "secret that is not 48 bytes"),
        ({"kdf": "scrypt"}, "not known"),
        ({"cipher": "rot13"}, "not known"),
        ({"salt": "AAAA"}, "salt that is not 16 bytes"),
        ({"nonce": None}, "nonce that is not 12 bytes"),
        ({"operations": 0}, "work"),
        ({"operations": 21}, "work"),
        ({"operations": True}, "work"),
        ({"operations": "3"}, "work"),
        ({"memory_bytes": 1024}, "memory"),
        ({"memory_bytes": 2**40}, "memory"),
        ({"memory_bytes": 64.0 * 1024 * 1024}, "memory"),
    ],
)
def test_a_damaged_file_is_refused_before_any_work(members: dict[str, Any], why: str) -> None:
    with pytest.raises(KeyringError, match=why):
        KeyFile.parse(changed(**members))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b"{" * 10_000, b"[" * 50_000, b'{"format":NaN}', b"null"]
)
def test_what_is_no_file_is_refused(data: bytes) -> None:
    with pytest.raises(KeyringError, match="no account key of ours"):
        KeyFile.parse(data)


def test_an_armoured_file_must_be_encrypted() -> None:
    with pytest.raises(KeyringError, match="is not encrypted"):
        KeyFile.from_armour(KeyFile.parse(EXPOSED).armour())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_key_file_or_refused(data: bytes) -> None:
    try:
        KeyFile.parse(data)
    except KeyringError:
        return
    raise AssertionError(data)


def test_errors_never_hold_the_secret() -> None:
    secret = base64.b64encode(KEY.reveal()).decode()
    for data in (EXPOSED[:-5], changed(EXPOSED, path=5), changed(EXPOSED, public_key="AAAA")):
        with pytest.raises(KeyringError) as caught:
            KeyFile.parse(data)
        told = f"{caught.value!r} {caught.value.details} {caught.value.__cause__!r}"
        assert secret not in told
