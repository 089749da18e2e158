"""Types of arguments that belong to this domain; what they refuse is a usage error."""

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from enigmacli.chain.messages import Coin

_KEY_SIZE: Final = 32
_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS_US: Final = {
    "s": 1_000_000,
    "m": 60 * 1_000_000,
    "h": 3_600 * 1_000_000,
    "d": 86_400 * 1_000_000,
}
_HEX_32: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)


class Hex32(click.ParamType[Any]):
    """32 bytes in hex, with or without ``0x``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes."""
        if isinstance(value, bytes):
            return value
        match = _HEX_32.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not 64 hex characters", param, ctx)
        return bytes.fromhex(match[1])


class PublicKey(Hex32):
    """32 bytes of Ed25519 public key, in base64 as key files have it, or in hex."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The bytes."""
        if isinstance(value, str) and _HEX_32.fullmatch(value) is None:
            try:
                value = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                value = b""
            if len(value) != _KEY_SIZE:
                self.fail("not 32 bytes in base64 or hex", param, ctx)
        return super().convert(value, param, ctx)


class CoinType(click.ParamType[Any]):
    """An amount with its denomination, such as ``100uscrt``."""

    name = "coin"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Coin":
        """The coin, of at least 1."""
        from enigmacli.chain.messages import Coin  # noqa: PLC0415 -- not paid by --help
        from enigmacli.errors import MalformedError  # noqa: PLC0415

        if isinstance(value, Coin):
            return value
        try:
            coin = Coin.parse(value)
        except MalformedError as error:
            self.fail(error.message, param, ctx)
        if not coin.amount:
            self.fail("the amount must be above 0", param, ctx)
        return coin


class Instant(click.ParamType[Any]):
    """An instant in RFC 3339, as microseconds since the Unix epoch."""

    name = "rfc3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The microseconds."""
        from enclave.times import parse_rfc3339  # noqa: PLC0415 -- not paid by --help

        if isinstance(value, int):
            return value
        try:
            return parse_rfc3339(value)
        except ValueError:
            self.fail(f"{value!r} is no RFC 3339 time, like 2026-01-31T12:00:00Z", param, ctx)


class Duration(click.ParamType[Any]):
    """A span of time such as ``7d``, ``12h``, ``30m`` or ``45s``, in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The microseconds."""
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is no span of time, like 7d, 12h, 30m or 45s", param, ctx)
        return int(match[1]) * _UNITS_US[match[2]]


INSTANT: Final = Instant()
DURATION: Final = Duration()
NODE_ID: Final = Hex32("node_id")
TX_HASH: Final = Hex32("hash")
CONSENSUS_KEY: Final = PublicKey("pubkey")
COIN: Final = CoinType()
