"""Strict reading of the JSON forms that genesis uses; each refusal names the path.

Nothing is tolerated: exactly the members that are named, base64 and hex in their one
canonical spelling, integers as decimal text where CometBFT writes them so.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from enclave.times import format_rfc3339, parse_rfc3339
from enigmacli.chain.address import decode_address
from enigmacli.errors import GenesisError, MalformedError

MAX_INT64: Final = 2**63 - 1
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,77}")
_SECOND_US: Final = 1_000_000


def members(
    value: Any, path: str, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """An object with all of ``required``, some of ``optional`` and nothing else.

    Raises:
        GenesisError: another JSON type, or a member too many or too few.
    """
    if not isinstance(value, dict):
        raise GenesisError(f"{path} must be an object")
    for name in sorted(value):
        if name not in required and name not in optional:
            raise GenesisError(f"{path} has an unknown member {name!r}")
    for name in sorted(required):
        if name not in value:
            raise GenesisError(f"{path} lacks {name!r}")
    return value


def items(value: Any, path: str) -> list[Any]:
    """A list.

    Raises:
        GenesisError: another JSON type.
    """
    if not isinstance(value, list):
        raise GenesisError(f"{path} must be a list")
    return value


def text(value: Any, path: str) -> str:
    """A string.

    Raises:
        GenesisError: another JSON type.
    """
    if not isinstance(value, str):
        raise GenesisError(f"{path} must be a string")
    return value


def number(value: Any, path: str, least: int, most: int) -> int:
    """A JSON integer from ``least`` to ``most``.

    Raises:
        GenesisError: another JSON type, or out of range.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise GenesisError(f"{path} must be an integer from {least} to {most}")
    return value


def decimal(value: Any, path: str, least: int, most: int) -> int:
    """An integer written as decimal text, as CometBFT writes int64.

    Raises:
        GenesisError: not such a text, or out of range.
    """
    digits = text(value, path)
    negative = digits.startswith("-")
    if not _DECIMAL.fullmatch(digits.removeprefix("-")) or digits == "-0":
        raise GenesisError(f"{path} must be an integer as a string")
    return number(-int(digits[1:]) if negative else int(digits), path, least, most)


def base64_bytes(value: Any, path: str, size: int | None = None) -> bytes:
    """Bytes in standard base64 with padding; ``size`` where only one length will do.

    Raises:
        GenesisError: not canonical base64, or of another length.
    """
    spelled = text(value, path)
    try:
        data = base64.b64decode(spelled, validate=True)
    except (binascii.Error, ValueError) as error:
        raise GenesisError(f"{path} is not base64") from error
    if base64.b64encode(data).decode() != spelled:
        raise GenesisError(f"{path} is not canonical base64")
    return _sized(data, path, size)


def hex_bytes(value: Any, path: str, size: int | None = None) -> bytes:
    """Bytes in lower-case hex.

    Raises:
        GenesisError: not lower-case hex, or of another length.
    """
    spelled = text(value, path)
    try:
        data = bytes.fromhex(spelled)
    except ValueError as error:
        raise GenesisError(f"{path} is not hex") from error
    if data.hex() != spelled:
        raise GenesisError(f"{path} is not lower-case hex without spaces")
    return _sized(data, path, size)


def address(value: Any, path: str, prefix: str) -> bytes:
    """The 20 bytes of a lower-case bech32 address.

    Raises:
        GenesisError: not such an address, or of another prefix.
    """
    spelled = text(value, path)
    try:
        found = decode_address(spelled, prefix)
    except MalformedError as error:
        raise GenesisError(f"{path}: {error}") from error
    if spelled != spelled.lower():
        raise GenesisError(f"{path} must be in lower case")
    return found


def instant(value: Any, path: str) -> int:
    """An RFC 3339 time in UTC and whole seconds, as microseconds since the Unix epoch.

    Raises:
        GenesisError: not such a time, or not in its one spelling.
    """
    spelled = text(value, path)
    try:
        at_us = parse_rfc3339(spelled)
    except ValueError as error:
        raise GenesisError(f"{path} is not an RFC 3339 time") from error
    if at_us % _SECOND_US or format_rfc3339(at_us) != spelled:
        raise GenesisError(f"{path} must be UTC in whole seconds, for example 2026-01-31T00:00:00Z")
    return at_us


def to_base64(data: bytes) -> str:
    """The one base64 spelling of ``data``."""
    return base64.b64encode(data).decode()


def _sized(data: bytes, path: str, size: int | None) -> bytes:
    if size is not None and len(data) != size:
        raise GenesisError(f"{path} must be {size} bytes, got {len(data)}")
    return data
