"""The format of a key file: public facts in clear, the private key encrypted.

A JSON object. ``public_key``, ``name`` and ``path`` can be read by anyone who may read the
file; ``secret`` is AES-256-GCM under a key that Argon2id (RFC 9106) makes from the
passphrase, and every other member is its associated data, so nothing can be exchanged. The
same format in an ASCII armour is an export.
"""

import base64
import json
import secrets
import textwrap
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.pwhash import argon2id

from enigmacli.errors import KeyringError, PassphraseError
from enigmacli.keyring.derivation import PrivateKey

MIN_PASSPHRASE_LENGTH: Final = 8
"""Characters; the Cosmos SDK's rule."""

MAX_FILE_BYTES: Final = 16 * 1024

_FORMAT: Final = "enigma-account-key"
_VERSION: Final = 1
_UNPROTECTED: Final = "NOT ENCRYPTED: for tests only, anyone who reads this file has the key"
_KDF: Final = "argon2id"
_CIPHER: Final = "aes-256-gcm"
_OPERATIONS: Final = 3
_MEMORY_BYTES: Final = 64 * 1024 * 1024  # with 3 passes: RFC 9106, second recommended option
_MAX_OPERATIONS: Final = 20
_MEMORY_RANGE: Final = range(8 * 1024 * 1024, 1024 * 1024 * 1024 + 1)
_SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 12
_KEY_SIZE: Final = 32
_BEGIN: Final = "-----BEGIN ENIGMA ACCOUNT KEY-----"
_END: Final = "-----END ENIGMA ACCOUNT KEY-----"
_PUBLIC_MEMBERS: Final = frozenset({"format", "version", "name", "path", "public_key", "secret"})
_SEALED_MEMBERS: Final = _PUBLIC_MEMBERS | {"kdf", "salt", "operations", "memory_bytes"} | {
    "cipher", "nonce"
}  # fmt: skip
_OPEN_MEMBERS: Final = _PUBLIC_MEMBERS | {"warning"}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file's content; the private key still sealed, unless it is a test's."""

    members: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The key's name."""
        return str(self.members["name"])

    @property
    def path(self) -> str:
        """Where the key was derived, as BIP-32 writes it."""
        return str(self.members["path"])

    @property
    def public_key(self) -> bytes:
        """33 bytes."""
        return base64.b64decode(self.members["public_key"])

    @property
    def is_encrypted(self) -> bool:
        """Whether a passphrase is needed."""
        return "warning" not in self.members

    @classmethod
    def seal(cls, name: str, path: str, key: PrivateKey, passphrase: str) -> Self:
        """Encrypt a key.

        Raises:
            PassphraseError: the passphrase is too short.
        """
        if len(passphrase) < MIN_PASSPHRASE_LENGTH:
            raise PassphraseError(
                f"a passphrase has at least {MIN_PASSPHRASE_LENGTH} characters",
                hint="use --passphrase-file FILE, or type a longer one",
            )
        salt, nonce = secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_NONCE_SIZE)
        members = _describe(name, path, key) | {
            "kdf": _KDF,
            "salt": _encode(salt),
            "operations": _OPERATIONS,
            "memory_bytes": _MEMORY_BYTES,
            "cipher": _CIPHER,
            "nonce": _encode(nonce),
        }
        cipher = AESGCM(_derive_key(passphrase, members))
        sealed = cipher.encrypt(nonce, key.reveal(), _associated_data(members))
        return cls(members | {"secret": _encode(sealed)})

    @classmethod
    def expose(cls, name: str, path: str, key: PrivateKey) -> Self:
        """Keep a test's key in clear."""
        secret = {"warning": _UNPROTECTED, "secret": _encode(key.reveal())}
        return cls(_describe(name, path, key) | secret)

    def open(self, passphrase: str) -> PrivateKey:
        """Get the private key.

        Raises:
            PassphraseError: the passphrase is wrong (or the file was altered).
            KeyringError: the key is not the one that the file names.
        """
        secret = base64.b64decode(self.members["secret"])
        if self.is_encrypted:
            secret = self._decrypt(secret, passphrase)
        key = PrivateKey(secret)
        if key.public_key != self.public_key:
            raise KeyringError(f"key {self.name} is not the one that its file names")
        return key

    def _decrypt(self, sealed: bytes, passphrase: str) -> bytes:
        cipher = AESGCM(_derive_key(passphrase, self.members))
        nonce = base64.b64decode(self.members["nonce"])
        try:
            return cipher.decrypt(nonce, sealed, _associated_data(self.members))
        except InvalidTag:
            raise PassphraseError(
                f"the passphrase does not open key {self.name}",
                hint="type it again, or restore the key from its words: enigmacli keys add "
                "--recover",
            ) from None

    def encode(self) -> bytes:
        """The file's bytes."""
        return json.dumps(self.members, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a file's bytes.

        Raises:
            KeyringError: they are no key file, or of another version.
        """
        try:
            members = json.loads(data.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict) or members.get("format") != _FORMAT:
            raise KeyringError("this is no account key of ours")
        if members.get("version") != _VERSION:
            raise KeyringError(f"account key of version {members.get('version')!r} is not known")
        _check_members(members)
        return cls(members)

    def armour(self) -> str:
        """The file as text that survives mail."""
        body = textwrap.wrap(_encode(json.dumps(self.members, sort_keys=True).encode()), 64)
        return "\n".join([_BEGIN, *body, _END, ""])

    @classmethod
    def from_armour(cls, text: str) -> Self:
        """Read armoured text.

        Raises:
            KeyringError: it is none.
        """
        lines = [line.strip() for line in text.strip().splitlines()]
        if len(text) > 2 * MAX_FILE_BYTES or lines[:1] != [_BEGIN] or lines[-1:] != [_END]:
            raise KeyringError(f"an exported key begins with {_BEGIN} and ends with {_END}")
        try:
            data = base64.b64decode("".join(lines[1:-1]), validate=True)
        except ValueError as error:
            raise KeyringError("the exported key is damaged") from error
        exported = cls.parse(data)
        if not exported.is_encrypted:
            raise KeyringError("the exported key is not encrypted")
        return exported


def _describe(name: str, path: str, key: PrivateKey) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "name": name,
        "path": path,
        "public_key": _encode(key.public_key),
    }


def _associated_data(members: Mapping[str, Any]) -> bytes:
    public = {name: value for name, value in members.items() if name != "secret"}
    return json.dumps(public, sort_keys=True, separators=(",", ":")).encode()


def _derive_key(passphrase: str, members: Mapping[str, Any]) -> bytes:
    """Argon2id over the passphrase in Unicode's form NFKC, so that keyboards agree."""
    return bytes(
        argon2id.kdf(
            _KEY_SIZE,
            unicodedata.normalize("NFKC", passphrase).encode(),
            base64.b64decode(members["salt"]),
            opslimit=members["operations"],
            memlimit=members["memory_bytes"],
        )
    )


def _check_members(members: dict[str, Any]) -> None:
    """Refuse another shape, and costs that would only serve to stop the reader."""
    encrypted = "warning" not in members
    if set(members) != (_SEALED_MEMBERS if encrypted else _OPEN_MEMBERS):
        _damaged("has other members than it should")
    if not all(isinstance(members[name], str) for name in ("name", "path")):
        _damaged("has a member of another type")
    _check_bytes(members, "public_key", 33)
    _check_bytes(members, "secret", 48 if encrypted else 32)
    if not encrypted:
        return
    if members["kdf"] != _KDF or members["cipher"] != _CIPHER:
        _damaged("is encrypted in a way that is not known")
    _check_bytes(members, "salt", _SALT_SIZE)
    _check_bytes(members, "nonce", _NONCE_SIZE)
    operations, memory = members["operations"], members["memory_bytes"]
    if type(operations) is not int or not 1 <= operations <= _MAX_OPERATIONS:
        _damaged("asks for too much or too little work")
    if type(memory) is not int or memory not in _MEMORY_RANGE:
        _damaged("asks for too much or too little memory")


def _check_bytes(members: Mapping[str, Any], name: str, size: int) -> None:
    try:
        data = base64.b64decode(members[name], validate=True)
    except (TypeError, ValueError):
        data = b""
    if len(data) != size:
        _damaged(f"has a {name} that is not {size} bytes")


def _damaged(how: str) -> NoReturn:
    raise KeyringError(f"the account key {how}")


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
