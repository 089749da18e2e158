"""The messages that a transaction may carry (protocol.md section 7), as values."""

import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Self

from enigmacli import protobuf
from enigmacli.chain import address
from enigmacli.chain.canonical import parse_canonical
from enigmacli.chain.sdk_codes import SdkCode, TxInvalidError
from enigmacli.errors import MalformedError

_DENOM: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")  # cosmos-sdk types/coin.go
_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,77}")
_MAX_AMOUNT: Final = 2**256 - 1  # cosmossdk.io/math Int
_KEY_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Coin:
    """An amount of one denomination; never negative."""

    denom: str
    amount: int

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read a ``cosmos.base.v1beta1.Coin``.

        Raises:
            TxInvalidError: denomination or amount is not well-formed.
        """
        return cls.from_parts(message.denom, message.amount)

    @classmethod
    def from_parts(cls, denom: str, amount: str) -> Self:
        """Read denomination and decimal amount.

        Raises:
            TxInvalidError: one of them is not well-formed, or the amount has over 256 bits.
        """
        if not _DENOM.fullmatch(denom):
            raise _invalid_coins(f"{denom[:32]!r} is no denomination")
        if not _AMOUNT.fullmatch(amount) or int(amount) > _MAX_AMOUNT:
            raise _invalid_coins(f"{amount[:32]!r} is no amount of coins")
        return cls(denom, int(amount))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``100uscrt``.

        Raises:
            TxInvalidError: ``text`` is not of that form.
        """
        digits = len(text) - len(text.lstrip("0123456789"))
        return cls.from_parts(text[digits:], text[:digits])

    def message(self) -> Any:
        """The coin as a protobuf message."""
        return protobuf.new("cosmos.base.v1beta1.Coin", denom=self.denom, amount=str(self.amount))

    def __str__(self) -> str:
        return f"{self.amount}{self.denom}"


def read_coins(messages: Any) -> tuple[Coin, ...]:
    """Coins in ascending order of denomination, each once.

    Raises:
        TxInvalidError: a coin is malformed, or the order is another.
    """
    coins = tuple(Coin.of(message) for message in messages)
    denoms = [coin.denom for coin in coins]
    if denoms != sorted(set(denoms)):
        raise _invalid_coins("coins must be sorted by denomination, each once")
    return coins


class _Encoded:
    """What every message of a transaction has."""

    __slots__ = ()
    TYPE_URL: ClassVar[str]

    @property
    def type_url(self) -> str:
        return self.TYPE_URL

    @property
    def value(self) -> bytes:
        """The message's one encoding; equal to the bytes it was read from."""
        return self.encode()

    def encode(self) -> bytes:
        """The message's one encoding."""
        names = (field.name for field in fields(self))  # type: ignore[arg-type]
        return encode_message(self.TYPE_URL, **{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class RaAuthenticate(_Encoded):
    """A node asks to be registered."""

    TYPE_URL: ClassVar[str] = "/secret.registration.v1beta1.RaAuthenticate"
    sender: bytes
    """20 bytes of account."""
    certificate: bytes
    """Evidence in its container (protocol.md section 5); not looked into here."""
    replace_machine_id: str = ""

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the message.

        Raises:
            TxInvalidError: malformed, no 20-byte sender, or a machine to replace.
        """
        message = parse_canonical(cls.TYPE_URL[1:], value)
        _check_sender(message.sender)
        if message.replace_machine_id:
            raise TxInvalidError(
                "replace-machine-id", "replace_machine_id must be empty", SdkCode.NOT_SUPPORTED
            )
        return cls(message.sender, message.certificate)


@dataclass(frozen=True, slots=True)
class MsgSend(_Encoded):
    """A transfer of coins."""

    TYPE_URL: ClassVar[str] = "/cosmos.bank.v1beta1.MsgSend"
    from_address: str
    to_address: str
    amount: tuple[Coin, ...]

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the message; the prefix of its addresses is the application's business.

        Raises:
            TxInvalidError: malformed, an address is none, or no positive amount.
        """
        message = parse_canonical(cls.TYPE_URL[1:], value)
        for text in (message.from_address, message.to_address):
            read_address(text)
        coins = read_coins(message.amount)
        if not coins or not all(coin.amount for coin in coins):
            raise _invalid_coins("amounts to send must be positive")
        return cls(message.from_address, message.to_address, coins)

    @property
    def sender(self) -> bytes:
        """20 bytes of the paying account."""
        return read_address(self.from_address)

    @property
    def recipient(self) -> bytes:
        """20 bytes of the receiving account."""
        return read_address(self.to_address)

    def encode(self) -> bytes:
        """The message's one encoding."""
        return encode_message(
            self.TYPE_URL,
            from_address=self.from_address,
            to_address=self.to_address,
            amount=[coin.message() for coin in self.amount],
        )


@dataclass(frozen=True, slots=True)
class SetValidator(_Encoded):
    """An operator votes for the power of a validator key."""

    TYPE_URL: ClassVar[str] = "/enigma.validator.v1.SetValidator"
    sender: bytes
    """20 bytes of account."""
    consensus_pubkey: bytes
    """32 bytes, ed25519."""
    power: int
    node_id: bytes
    """32 bytes."""

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the message.

        Raises:
            TxInvalidError: malformed, or a field has another length.
        """
        message = parse_canonical(cls.TYPE_URL[1:], value)
        _check_sender(message.sender)
        for name in ("consensus_pubkey", "node_id"):
            if len(getattr(message, name)) != _KEY_SIZE:
                raise TxInvalidError(
                    "key-size", f"{name} must be {_KEY_SIZE} bytes", SdkCode.INVALID_REQUEST
                )
        return cls(message.sender, message.consensus_pubkey, message.power, message.node_id)


@dataclass(frozen=True, slots=True)
class ConfirmNode(_Encoded):
    """The network admits a node: the implicit answer to a register transaction."""

    TYPE_URL: ClassVar[str] = "/enigma.registration.v1.ConfirmNode"
    register_tx_hash: bytes
    """SHA-256 of the raw register transaction."""
    node_id: bytes
    encrypted_seed: bytes
    """48 bytes for each epoch, epoch 0 first."""
    epoch: int
    evidence_kind: str
    measurement: bytes
    """mr_enclave (32 bytes) or mr_td (48)."""
    tcb_status: str

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the message; what its fields must be is a rule of consensus, not of form.

        Raises:
            TxInvalidError: malformed.
        """
        message = parse_canonical(cls.TYPE_URL[1:], value)
        return cls(**{field.name: getattr(message, field.name) for field in fields(cls)})


Message = RaAuthenticate | MsgSend | SetValidator
"""What an account may sign."""

BY_TYPE_URL: Final[dict[str, type[RaAuthenticate] | type[MsgSend] | type[SetValidator]]] = {
    message.TYPE_URL: message for message in (RaAuthenticate, MsgSend, SetValidator)
}


def parse_message(type_url: str, value: bytes) -> Message:
    """Read one message of a signed transaction.

    Raises:
        TxInvalidError: unknown type, or malformed.
    """
    if type_url not in BY_TYPE_URL:
        raise TxInvalidError("message-type", f"message type {type_url[:80]!r} is not known here")
    return BY_TYPE_URL[type_url].parse(value)


def read_address(text: str) -> bytes:
    """The 20 bytes of an address inside a transaction, whatever its prefix.

    Raises:
        TxInvalidError: ``text`` is no lower-case bech32 address.
    """
    try:
        decoded = address.decode_address(text)
    except MalformedError as error:
        raise TxInvalidError("address", error.message, SdkCode.INVALID_ADDRESS) from error
    if text != text.lower():
        raise TxInvalidError("address", "address is in upper case", SdkCode.INVALID_ADDRESS)
    return decoded


def encode_message(type_url: str, **values: Any) -> bytes:
    """The encoding of a message of that type with those fields."""
    return bytes(protobuf.new(type_url[1:], **values).SerializeToString())


def _check_sender(sender: bytes) -> None:
    if len(sender) != address.SIZE:
        raise TxInvalidError(
            "sender-size", f"sender must be {address.SIZE} bytes", SdkCode.INVALID_ADDRESS
        )


def _invalid_coins(text: str) -> TxInvalidError:
    return TxInvalidError("coins", text, SdkCode.INVALID_COINS)
