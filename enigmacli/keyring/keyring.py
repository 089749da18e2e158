"""The account keys of one home: a folder with one file for each key."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enclave import durable
from enigmacli import home
from enigmacli.chain.address import address_of, encode_address
from enigmacli.errors import FileExistsAlreadyError, KeyringError, StorageError
from enigmacli.keyring.derivation import PrivateKey, RecoveryPhrase, format_path
from enigmacli.keyring.key_file import MAX_FILE_BYTES, KeyFile

BACKENDS: Final = ("file", "test")
"""``file`` encrypts under a passphrase; ``test`` does not, for networks without value."""

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SUFFIX: Final = ".key"
_MAX_COIN_TYPE: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What is public of an account key."""

    name: str
    address: str
    """bech32."""
    public_key: bytes
    """33 bytes, compressed secp256k1."""
    path: str
    """BIP-32 path below the words' master key."""

    @property
    def account(self) -> bytes:
        """The 20 bytes of the address."""
        return address_of(self.public_key)


class Keyring:
    """Makes, keeps and uses account keys; a key is never overwritten.

    Args:
        folder: where the files are; made when the first key is.
        backend: one of :data:`BACKENDS`.
        coin_type: SLIP-44, for new keys.
        prefix: of addresses.
    """

    def __init__(self, folder: Path, backend: str, coin_type: int, prefix: str) -> None:
        if backend not in BACKENDS:
            raise KeyringError(
                f"keyring backend {backend!r} is not known",
                hint=f"use --keyring-backend {' or '.join(BACKENDS)}",
            )
        if not 0 <= coin_type <= _MAX_COIN_TYPE:
            raise KeyringError(f"coin type {coin_type} is out of range")
        self.folder = folder
        self.backend = backend
        self._coin_type = coin_type
        self._prefix = prefix

    @property
    def is_encrypted(self) -> bool:
        """Whether keys are kept under a passphrase."""
        return self.backend == "file"

    def recover(self, name: str, phrase: RecoveryPhrase, passphrase: str = "") -> AccountKey:
        """Make the key of these words, new ones or known ones; the words are not kept.

        Raises:
            KeyringError: the name is taken or not allowed.
            PassphraseError: the passphrase is too short.
        """
        self._check_free(name)
        key = PrivateKey.from_phrase(phrase, self._coin_type)
        return self._save(name, format_path(self._coin_type), key, passphrase)

    def list(self) -> tuple[AccountKey, ...]:
        """All keys by name.

        Raises:
            KeyringError: a file is damaged.
            StorageError: the folder cannot be read.
        """
        try:
            files = sorted(self.folder.iterdir())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise home.storage_error("read", self.folder, error) from error
        return tuple(self.show(file.stem) for file in files if file.suffix == _SUFFIX)

    def show(self, name: str) -> AccountKey:
        """What is public of a key; needs no passphrase.

        Raises:
            KeyringError: there is no such key, or its file is damaged.
        """
        return self._describe(self._load(name))

    def holds(self, phrase: RecoveryPhrase) -> bool:
        """Whether one of the keys is that of these words."""
        public_key = PrivateKey.from_phrase(phrase, self._coin_type).public_key
        return any(key.public_key == public_key for key in self.list())

    def delete(self, name: str) -> None:
        """Remove a key for good.

        Raises:
            KeyringError: there is no such key.
        """
        file = self._file(name)
        try:
            durable.remove(file)
        except FileNotFoundError:
            raise self._missing(name) from None
        except OSError as error:
            raise home.storage_error("delete", file, error) from error

    def sign(self, name: str, message: bytes, passphrase: str = "") -> bytes:
        """64 bytes r ‖ s over SHA-256 of ``message``.

        Raises:
            KeyringError: there is no such key.
            PassphraseError: the passphrase does not open it.
        """
        return self.unlock(name, passphrase).sign(message)

    def unlock(self, name: str, passphrase: str = "") -> PrivateKey:
        """The private key, for several signatures with one passphrase.

        Raises:
            KeyringError: there is no such key.
            PassphraseError: the passphrase does not open it.
        """
        return self._load(name).open(passphrase)

    def export(self, name: str, passphrase: str, export_passphrase: str) -> str:
        """A key as armoured text under a passphrase of its own.

        Raises:
            KeyringError: there is no such key.
            PassphraseError: the passphrase does not open it, or the new one is too short.
        """
        file = self._load(name)
        key = file.open(passphrase)
        return KeyFile.seal(file.name, file.path, key, export_passphrase).armour()

    def import_key(
        self, name: str, armour: str, export_passphrase: str, passphrase: str = ""
    ) -> AccountKey:
        """Take in an exported key under any free name.

        Raises:
            KeyringError: the text is no exported key, or the name is taken or not allowed.
            PassphraseError: the export's passphrase is wrong, or the new one too short.
        """
        self._check_free(name)
        exported = KeyFile.from_armour(armour)
        return self._save(name, exported.path, exported.open(export_passphrase), passphrase)

    # --- files ----------------------------------------------------------------------------

    def _save(self, name: str, path: str, key: PrivateKey, passphrase: str) -> AccountKey:
        if self.is_encrypted:
            content = KeyFile.seal(name, path, key, passphrase)
        else:
            content = KeyFile.expose(name, path, key)
        home.make_folder(self.folder)
        try:
            home.write_new(self._file(name), content.encode())
        except FileExistsAlreadyError as error:
            raise self._taken(name) from error
        return self._describe(content)

    def _load(self, name: str) -> KeyFile:
        file = self._file(name)
        try:
            content = KeyFile.parse(home.read_private(file, MAX_FILE_BYTES))
            home.settle(self.folder)  # whoever sees an address may send coins to it
        except KeyringError as error:
            raise KeyringError(f"{file}: {error.message}") from error
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise self._missing(name) from None
            raise
        if content.name != name:
            raise KeyringError(f"{file} holds the key {content.name!r}")
        if content.is_encrypted != self.is_encrypted:
            raise KeyringError(f"{file} is not of the backend {self.backend}")
        return content

    def _describe(self, content: KeyFile) -> AccountKey:
        public_key = content.public_key
        address = encode_address(self._prefix, address_of(public_key))
        return AccountKey(content.name, address, public_key, content.path)

    def _check_free(self, name: str) -> None:
        file = self._file(name)
        try:
            file.lstat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise home.storage_error("look for", file, error) from error
        home.settle(self.folder)  # it is reported to be there, so it has to stay
        raise self._taken(name)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyringError(
                f"{name[:80]!r} is no name of a key",
                hint="use 1 to 64 letters, digits, '_' and '-'",
            )
        return self.folder / f"{name}{_SUFFIX}"

    def _missing(self, name: str) -> KeyringError:
        return KeyringError(
            f"there is no key {name} in the keyring {self.backend}",
            hint="see enigmacli keys list, or make it with enigmacli keys add",
            details={"name": name, "backend": self.backend},
        )

    def _taken(self, name: str) -> KeyringError:
        return KeyringError(
            f"key {name} exists and is never overwritten",
            hint="choose another name, or delete it first with enigmacli keys delete",
            details={"name": name, "backend": self.backend},
        )
