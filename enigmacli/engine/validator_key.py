"""The validator's and the node's Ed25519 keys, and the guard against signing a height twice.

Files are CometBFT's (``privval/file.go``, ``p2p/key.go``), so a home can move to a real
CometBFT and take its signing history along.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from nacl.signing import SigningKey

from enclave import durable
from enigmacli.errors import ConfigError, HomeMissingError, StorageError

_PUBLIC_TYPE: Final = "tendermint/PubKeyEd25519"
_PRIVATE_TYPE: Final = "tendermint/PrivKeyEd25519"
_SEED_SIZE: Final = 32
_PRIVATE_SIZE: Final = 64
_ADDRESS_SIZE: Final = 20
_PRECOMMIT_STEP: Final = 3


class Ed25519Key:
    """A private key; its ``repr`` shows the address only."""

    def __init__(self, signing_key: SigningKey) -> None:
        self._key = signing_key
        self.public_key = bytes(signing_key.verify_key)
        """32 bytes."""
        self.address = hashlib.sha256(self.public_key).digest()[:_ADDRESS_SIZE]
        """20 bytes: how headers and votes name the key."""

    def __repr__(self) -> str:
        return f"Ed25519Key({self.address.hex()})"

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(SigningKey.generate())

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return bytes(self._key.sign(message).signature)

    def encode_validator_key(self) -> bytes:
        """The content of ``priv_validator_key.json``."""
        public = {"type": _PUBLIC_TYPE, "value": base64.b64encode(self.public_key).decode()}
        return _encode(
            {
                "address": self.address.hex().upper(),
                "pub_key": public,
                "priv_key": self._private(),
            }
        )

    def encode_node_key(self) -> bytes:
        """The content of ``node_key.json``."""
        return _encode({"priv_key": self._private()})

    def _private(self) -> dict[str, str]:
        value = base64.b64encode(bytes(self._key) + self.public_key).decode()
        return {"type": _PRIVATE_TYPE, "value": value}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read either key file.

        Raises:
            HomeMissingError: there is no such file.
            StorageError: it cannot be read.
            ConfigError: it is malformed, or its public half is another key's.
        """
        document = _load(path)
        try:
            private = document["priv_key"]
            if private["type"] != _PRIVATE_TYPE:
                raise ConfigError(f"{path} holds no {_PRIVATE_TYPE}")
            raw = base64.b64decode(private["value"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path} is not a key file") from error
        if len(raw) != _PRIVATE_SIZE:
            raise ConfigError(f"the key in {path} is not {_PRIVATE_SIZE} bytes")
        key = cls(SigningKey(raw[:_SEED_SIZE]))
        _check_public_half(path, document, raw, key.public_key)
        return key


@dataclass(frozen=True, slots=True)
class SignedBlock:
    """The last block that a key signed."""

    height: int
    block_hash: bytes


class DoubleSignError(ConfigError):
    """Signing would contradict what the key has signed before."""

    code = "double-sign"


class Signer:
    """Signs precommits, never for two blocks at one height and never below the last height.

    Two precommits for one block that differ in time only contradict nothing (CometBFT
    ``types/evidence.go``: duplicate votes are votes for different blocks).

    Args:
        key: the validator's key.
        state_file: ``priv_validator_state.json``; ``None`` keeps the state in memory.
    """

    def __init__(self, key: Ed25519Key, state_file: Path | None) -> None:
        self.key = key
        self._state_file = state_file
        self._last = SignedBlock(0, b"")
        self._last_vote = (b"", b"")

    def resume(self, stored: SignedBlock) -> None:
        """Take up the history of the block store, which is written before a vote is used.

        Raises:
            DoubleSignError: the state file has seen votes that the store has not.
        """
        self._last = stored
        if self._state_file is None or not self._state_file.exists():
            return
        height, sign_bytes = _parse_sign_state(self._state_file)
        if height > stored.height:
            raise DoubleSignError(
                f"the key signed height {height}, the block store ends at {stored.height}",
                hint="bring back the newer block store, or follow another node",
                details={"expected": str(height), "seen": str(stored.height)},
            )
        if height == stored.height and height > 0 and stored.block_hash not in sign_bytes:
            raise DoubleSignError(f"the key signed another block at height {height}")

    def sign(self, block: SignedBlock, sign_bytes: bytes) -> bytes:
        """The signature of a vote for ``block``; nothing is written yet.

        Raises:
            DoubleSignError: the key signed a later height, or another block at this one.
        """
        if block.height < self._last.height:
            raise DoubleSignError(f"asked to sign height {block.height} after {self._last.height}")
        if block.height == self._last.height and block != self._last:
            raise DoubleSignError(f"asked to sign a second block at height {block.height}")
        self._last = block
        signature = self.key.sign(sign_bytes)
        self._last_vote = (sign_bytes, signature)
        return signature

    def save(self) -> None:
        """Write the state file; after the block itself is in the store.

        Raises:
            StorageError: the file could not be written.
        """
        if self._state_file is None:
            return
        sign_bytes, signature = self._last_vote
        document = {
            "height": str(self._last.height),
            "round": 0,
            "step": _PRECOMMIT_STEP,
            "signature": base64.b64encode(signature).decode(),
            "signbytes": sign_bytes.hex().upper(),
        }
        try:
            durable.replace(self._state_file, _encode(document))
        except OSError as error:
            raise StorageError(f"could not write {self._state_file}: {error}") from error


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise HomeMissingError(
            f"{path} does not exist",
            hint="bring it back, or make another home: enigmacli init MONIKER --home DIR",
        ) from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} is not a JSON object")
    return document


def _check_public_half(path: Path, document: dict[str, Any], raw: bytes, public: bytes) -> None:
    if raw[_SEED_SIZE:] != public:
        raise ConfigError(f"the two halves of the key in {path} do not belong together")
    named = document.get("pub_key")
    if named is None:
        return
    try:
        same = base64.b64decode(named["value"], validate=True) == public
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is not a key file") from error
    if not same:
        raise ConfigError(f"pub_key in {path} is another key's")


def _parse_sign_state(path: Path) -> tuple[int, bytes]:
    document = _load(path)
    try:
        return int(document["height"]), bytes.fromhex(document.get("signbytes", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is not a sign state") from error
