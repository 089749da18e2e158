"""From words to a private key: BIP-39 words and seed, BIP-32 children, the BIP-44 path.

Sources: BIP-39, BIP-32 ("Private parent key -> private child key"), BIP-44; SLIP-44 for the
coin type. Secrets are classes whose ``repr`` hides them.
"""

import hashlib
import hmac
import secrets
from typing import Final, Self

import coincurve
from mnemonic import Mnemonic

from enigmacli.chain import signing
from enigmacli.errors import KeyringError

PRIVATE_KEY_SIZE: Final = 32
PHRASE_ENTROPY_SIZE: Final = 32
"""Bytes of entropy behind 24 words."""

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HARDENED: Final = 0x80000000
_MAX_WORDS_TEXT: Final = 1000


class RecoveryPhrase:
    """BIP-39 words; whoever has them has the key."""

    __slots__ = ("_words",)

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return "RecoveryPhrase(hidden)"

    def reveal(self) -> str:
        """The words, separated by spaces: to be shown once, to their owner."""
        return self._words


class PrivateKey:
    """A secp256k1 private key."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        """Take 32 bytes.

        Raises:
            KeyringError: they are not a private key.
        """
        if len(secret) != PRIVATE_KEY_SIZE or not 0 < int.from_bytes(secret) < _ORDER:
            raise KeyringError("these bytes are no private key")
        self._key = coincurve.PrivateKey(secret)

    def __repr__(self) -> str:
        return "PrivateKey(hidden)"

    @property
    def public_key(self) -> bytes:
        """33 bytes, compressed."""
        return self._key.public_key.format()

    def sign(self, message: bytes) -> bytes:
        """64 bytes r ‖ s over SHA-256 of ``message``, low s."""
        return signing.sign(self._key, message)

    def reveal(self) -> bytes:
        """The 32 bytes: only for sealing them into a file."""
        return self._key.secret

    @classmethod
    def from_phrase(cls, phrase: RecoveryPhrase, coin_type: int) -> Self:
        """The first key of the first account of a coin."""
        return cls(derive(to_seed(phrase), account_path(coin_type)))


def generate_phrase() -> RecoveryPhrase:
    """Twenty-four new words."""
    return RecoveryPhrase(_wordlist().to_mnemonic(secrets.token_bytes(PHRASE_ENTROPY_SIZE)))


def parse_phrase(text: str) -> RecoveryPhrase:
    """Read 12 to 24 words in any case, however they are spaced.

    Raises:
        KeyringError: a word is not in the list, or their checksum is wrong.
    """
    words = " ".join(text[:_MAX_WORDS_TEXT].lower().split())
    if not _wordlist().check(words):
        raise KeyringError(
            "these words are no recovery phrase", hint="check each word, and their order"
        )
    return RecoveryPhrase(words)


def account_path(coin_type: int) -> tuple[int, ...]:
    """``m/44'/coin_type'/0'/0/0`` as numbers."""
    return (44 | _HARDENED, coin_type | _HARDENED, _HARDENED, 0, 0)


def format_path(coin_type: int) -> str:
    """The same path as text."""
    return f"m/44'/{coin_type}'/0'/0/0"


def to_seed(phrase: RecoveryPhrase) -> bytes:
    """The 64-byte BIP-39 seed, with no additional passphrase."""
    return bytes(_wordlist().to_seed(phrase.reveal()))


def derive(seed: bytes, path: tuple[int, ...]) -> bytes:
    """The private key at ``path`` below the master key of ``seed``, 32 bytes.

    Raises:
        KeyringError: a key on the way is no private key (chance below 2^-127).
    """
    digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
    secret, chain_code = digest[:32], digest[32:]
    for number in path:
        key = PrivateKey(secret)
        parent = b"\x00" + secret if number & _HARDENED else key.public_key
        digest = hmac.digest(chain_code, parent + number.to_bytes(4), hashlib.sha512)
        if int.from_bytes(digest[:32]) >= _ORDER:
            raise KeyringError("this recovery phrase has no key at that path")
        total = (int.from_bytes(digest[:32]) + int.from_bytes(secret)) % _ORDER
        secret, chain_code = total.to_bytes(32), digest[32:]
    return secret


def _wordlist() -> Mnemonic:
    return Mnemonic("english")
