"""Account addresses: bech32 text over 20 bytes, derived from secp256k1 public keys.

Bech32: BIP-173. The 20 bytes of an account are RIPEMD-160(SHA-256(public key)), as the
Cosmos SDK has it (``crypto/keys/secp256k1``).
"""

import hashlib
from functools import lru_cache
from typing import Final

from enigmacli.chain.ripemd160 import ripemd160
from enigmacli.errors import MalformedError

SIZE: Final = 20
"""Bytes of an account address."""

PUBLIC_KEY_SIZE: Final = 33
"""Bytes of a compressed secp256k1 public key."""

_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_SIZE: Final = 6
_MAX_TEXT: Final = 90  # BIP-173: at most 90 characters in all
_SYMBOL_BITS: Final = 5
_REMEMBERED: Final = 4096  # conversions of a block's accounts; each costs more than a signature


def address_of(public_key: bytes) -> bytes:
    """The account of a 33-byte compressed public key, 20 bytes."""
    return ripemd160(hashlib.sha256(public_key).digest())


@lru_cache(maxsize=_REMEMBERED)
def encode_address(prefix: str, address: bytes) -> str:
    """An account as text.

    Raises:
        MalformedError: ``address`` is not 20 bytes, or ``prefix`` may not stand in bech32.
    """
    if len(address) != SIZE:
        raise MalformedError(f"an address is {SIZE} bytes, got {len(address)}")
    check_prefix(prefix)
    symbols = _regroup(address)
    symbols += _checksum(prefix, symbols)
    return f"{prefix}1{''.join(_CHARSET[symbol] for symbol in symbols)}"


@lru_cache(maxsize=_REMEMBERED)
def decode_address(text: str, prefix: str | None = None) -> bytes:
    """The 20 bytes of an account, from lower- or upper-case bech32.

    Raises:
        MalformedError: mixed case, a foreign character, a wrong checksum or length, or
            another prefix than ``prefix``.
    """
    if len(text) > _MAX_TEXT or text not in (text.lower(), text.upper()):
        raise MalformedError("address is too long or mixes upper and lower case")
    found, separator, data = text.lower().rpartition("1")
    if not separator:
        raise MalformedError("address has no separator '1'")
    check_prefix(found)
    if prefix is not None and found != prefix:
        raise MalformedError(
            f"address has prefix {found}, not {prefix}",
            details={"expected": prefix, "seen": found},
        )
    return _decode_data(found, data)


def check_prefix(prefix: str) -> None:
    """Refuse what cannot stand before the separator.

    Raises:
        MalformedError: empty, longer than 83, upper case or not printable ASCII.
    """
    longest = _MAX_TEXT - _CHECKSUM_SIZE - 1
    printable = all("!" <= character <= "~" for character in prefix)
    if not 1 <= len(prefix) <= longest or not printable or prefix != prefix.lower():
        raise MalformedError("address prefix must be 1 to 83 lower-case ASCII characters")


def _decode_data(prefix: str, data: str) -> bytes:
    symbols = [_CHARSET.find(character) for character in data]
    if -1 in symbols or len(symbols) < _CHECKSUM_SIZE:
        raise MalformedError("address has a character outside of bech32, or is too short")
    if _polymod([*_expand(prefix), *symbols]) != 1:
        raise MalformedError("address has a wrong checksum")
    address = _ungroup(symbols[:-_CHECKSUM_SIZE])
    if len(address) != SIZE:
        raise MalformedError(f"address holds {len(address)} bytes, not {SIZE}")
    return address


def _polymod(symbols: list[int]) -> int:
    check = 1
    for symbol in symbols:
        top = check >> 25
        check = (check & 0x1FFFFFF) << _SYMBOL_BITS ^ symbol
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    codes = [ord(character) for character in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _checksum(prefix: str, symbols: list[int]) -> list[int]:
    check = _polymod([*_expand(prefix), *symbols, *[0] * _CHECKSUM_SIZE]) ^ 1
    return [check >> _SYMBOL_BITS * (5 - place) & 31 for place in range(_CHECKSUM_SIZE)]


def _regroup(data: bytes) -> list[int]:
    """Bytes as 5-bit symbols; 20 bytes are 32 symbols with no padding."""
    number = int.from_bytes(data)
    count = len(data) * 8 // _SYMBOL_BITS
    return [number >> _SYMBOL_BITS * (count - 1 - place) & 31 for place in range(count)]


def _ungroup(symbols: list[int]) -> bytes:
    size, padding = divmod(len(symbols) * _SYMBOL_BITS, 8)
    number = 0
    for symbol in symbols:
        number = number << _SYMBOL_BITS | symbol
    if padding >= _SYMBOL_BITS or number & (1 << padding) - 1:
        raise MalformedError("address has bad padding")
    return (number >> padding).to_bytes(size)
